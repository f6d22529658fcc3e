"""A sound as a sample ``mm-sound-1``: named facts, and the mean and spread of its mel bands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from drift.descriptors.hearing import BANDS, Heard, Hearing, band_centres
from drift.descriptors.pulse import onsets_a_second, pace, rising, tempo
from drift.metrics.loudness import gated, momentary, step_powers

FACTS = {
    "length": "octaves",
    "loudness": "LU",
    "dynamics": "LU",
    "peak": "dB",
    "clipping": "",
    "noise floor": "dB",
    "pauses": "%",
    "brightness": "octaves",
    "bandwidth": "octaves",
    "roll-off": "octaves",
    "treble limit": "octaves",
    "tilt": "dB/octave",
    "flatness": "dB",
    "attack": "dB",
    "onsets": "a second",
    "tempo": "octaves",
    "pace": "octaves",
    "pitch": "semitones",
    "pitch range": "semitones",
    "voicing": "%",
    "stereo width": "dB",
    "balance": "dB",
    "sample rate": "octaves",
    "channels": "octaves",
}  # name to unit, in the order of ``Sound.facts``; an octave is a factor of two
_SILENT = -70.0  # LUFS and dB: of what has no loudness
_PAUSE = 30.0  # dB below the loud frames
_HEARD = 50.0  # dB below them: what is quieter says nothing of the spectrum
_LOUD = 95  # percentile of the frames' levels that is called loud
_FLOOR = 5  # percentile that is called the noise floor
_AUDIBLE = 1e-6  # of the strongest bin: where the spectrum ends
_NARROWEST, _WIDEST = -60.0, 60.0  # dB of stereo

Block = NDArray[np.float32]
Numbers = NDArray[np.float64]
Piece = tuple[NDArray[np.float32], int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One sound in numbers, all float32.

    Attributes:
        facts: shape (24,), named and in the units of ``FACTS``.
        spectrum: mean level of 40 mel bands over the frames that are heard, dB of full scale, shape (40,).
        ripple: their standard deviation over these frames, dB, shape (40,).
    """

    version: ClassVar[str] = "mm-sound-1"  # rises whenever any number changes

    facts: Block
    spectrum: Block
    ripple: Block


def describe_sound(pieces: Iterable[Piece]) -> Sound:
    """Describe a sound in one pass; two seconds of samples are held, and 200 bytes for every 16 ms.

    Args:
        pieces: float32 samples of shape (samples, channels), full scale 1, the rate in Hz and the layout's name, as
            ``drift.media.audio.stream_floats`` gives them; rate and channels never change.

    Raises:
        ValueError: no sample.
    """
    hearing = Hearing()

    def passing() -> Iterator[Piece]:
        for samples, rate, layout in pieces:
            hearing.hear(samples, rate)
            yield samples, rate, layout

    powers = np.array(list(step_powers(passing())))
    if not hearing.samples:
        raise ValueError("a sound has at least one sample")
    heard = hearing.ended()
    loud = float(np.percentile(heard.levels, _LOUD))
    audible = heard.levels >= loud - _HEARD
    bands = heard.bands[audible].T
    spectrum = bands.mean(1, dtype=np.float64)
    facts = [
        np.log2(heard.samples / heard.rate),
        *_loudness(powers),
        *_levels(heard, loud),
        *_spectrum(heard, spectrum),
        float(heard.flatness[audible].mean()),
        *_rhythm(heard, loud),
        *_melody(heard, loud),
        *heard.stereo(_NARROWEST, _WIDEST),
        np.log2(heard.rate),
        np.log2(heard.channels),
    ]
    ripple = [band.std(dtype=np.float64) for band in bands]  # one by one: half an hour of all of them is much
    return Sound(np.array(facts, np.float32), spectrum.astype(np.float32), np.array(ripple, np.float32))


def _loudness(powers: Numbers) -> tuple[float, float]:
    """Integrated loudness, and how far the 95 % of the blocks that count to it lie above the 10 %."""
    blocks = momentary(powers)
    kept = gated(blocks)
    if kept is None:
        return _SILENT, 0.0
    loudness, counted = kept
    quiet, loud = np.percentile(10 * np.log10(counted), (10, 95))
    return loudness, float(loud - quiet)


def _levels(heard: Heard, loud: float) -> tuple[float, float, float, float]:
    """Peak, clipping, noise floor, pauses."""
    peak = max(_SILENT, 20 * float(np.log10(max(heard.peak, 1e-9))))
    clipping = 10 * float(np.sqrt(heard.clipped / (heard.samples * heard.channels)))
    pauses = 100 * float((heard.levels < loud - _PAUSE).mean())
    return peak, clipping, float(np.percentile(heard.levels, _FLOOR)), pauses


def _spectrum(heard: Heard, bands: Numbers) -> Sequence[float]:
    """Brightness, bandwidth, roll-off, treble limit (log2 of Hz), and tilt over the mel bands."""
    power = heard.power[1:]
    octaves = np.log2(np.arange(1, len(heard.power)) * heard.rate / heard.size)
    total = float(power.sum())
    if total <= 0:
        return [0.0] * 5
    centre = float((power * octaves).sum() / total)
    width = float(np.sqrt((power * (octaves - centre) ** 2).sum() / total))
    roll = float(octaves[np.searchsorted(np.cumsum(power), 0.95 * total)])
    limit = float(octaves[np.flatnonzero(power >= _AUDIBLE * power.max())[-1]])
    inside = band_centres() < heard.rate / 2
    tilt = float(np.polyfit(np.log2(band_centres()[inside]), bands[inside], 1)[0]) if inside.sum() > 2 else 0.0
    return centre, width, roll, limit, tilt


def _rhythm(heard: Heard, loud: float) -> tuple[float, float, float, float]:
    """Attack (mean rise of the bands from frame to frame), onsets a second, tempo and pace (log2 of Hz)."""
    rises = rising(heard.bands, loud - _HEARD - 10 * float(np.log10(BANDS)))
    step = heard.hop / heard.rate
    return float(rises.mean()), onsets_a_second(rises, step), tempo(rises, step), pace(rises, step)


def _melody(heard: Heard, loud: float) -> tuple[float, float, float]:
    """Median pitch, the range of its middle four fifths, and the share of the frames not in pauses that have one."""
    sounding = heard.levels[::2] >= loud - _PAUSE
    found = heard.pitches[sounding]
    voiced = found[found > 0]
    if not len(voiced):
        return 0.0, 0.0, 0.0
    tones = 12 * np.log2(voiced)
    low, middle, high = np.percentile(tones, (10, 50, 90))
    return float(middle), float(high - low), 100 * len(voiced) / len(found)
