"""How much later one recording starts than another, if they are two takes of one sound at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.correlation import Peak, correlate, surprise
from drift.pairwise import once_per_pair
from drift.score import Score
from drift.side import SPEECH_RATE, Side

BOTH_SILENT = "both are silent"
_WAVE_S = 300  # seconds of waveform correlated; longer recordings are aligned by their envelopes
_RATE = 8_000
_HOP = 80  # samples of 16 kHz, 5 ms: one point of the envelope
_SURE = 0.5  # correlation from which a lag is believed
_FAINT = 0.1  # of waveforms, where the peak stands out (the same sound under noise)
_WAVE_APART, _WAVE_STANDS_OUT = 400, 3.0  # 50 ms; times the next peak
_ENVELOPE_APART, _ENVELOPE_STANDS_OUT = 50, 1.5  # 250 ms; times the next peak
_RHYTHM = 0.8  # correlation of a second place from which loudness repeats itself
_SURPRISE = 6.0  # standard deviations; chance over thousands of lags reaches 5


@dataclass(frozen=True, slots=True)
class Lagged:
    """What was found: a lag in samples at 16 kHz, positive when the candidate is late, or None with the reason.

    ``correlation`` is that of the ``by`` which it was found by, "waveform" or "envelope".
    """

    samples: int | None
    correlation: float
    by: str
    reason: str | None = None


def measured_lag(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> Lagged:
    """Align two mono recordings at 16 kHz, by waveform and else by loudness envelope.

    The waveform (at 8 kHz, the first five minutes) answers to half a millisecond for two takes of the same sound; the
    envelope (5 ms steps) also aligns two voices saying the same words at the same pace. A lag is believed only where
    its correlation stands out from every other lag's: two different recordings fit nowhere, and about equally badly
    in many places.
    """
    sounds = {"reference": reference, "candidate": candidate}
    silent = [who for who, sound in sounds.items() if not len(sound) or sound.min() == sound.max()]
    if silent:
        return Lagged(None, 0.0, "", BOTH_SILENT if len(silent) == 2 else f"the {silent[0]} is silent")
    most = _WAVE_S * SPEECH_RATE
    wave = correlate(_halved(reference[:most]), _halved(candidate[:most]), apart=_WAVE_APART)
    if wave.correlation >= _SURE or (wave.correlation >= _FAINT and _stands_out(wave, _WAVE_STANDS_OUT)):
        return Lagged(wave.lag * (SPEECH_RATE // _RATE), wave.correlation, "waveform")
    courses = _envelope(reference), _envelope(candidate)
    course = correlate(*courses, apart=_ENVELOPE_APART)
    certain = surprise(course, *courses) >= _SURPRISE
    if course.correlation >= _SURE and certain and _stands_out(course, _ENVELOPE_STANDS_OUT):
        return Lagged(course.lag * _HOP, course.correlation, "envelope")
    return Lagged(None, course.correlation, "envelope", _doubt(wave, course))


def _stands_out(peak: Peak, times: float) -> bool:
    return peak.correlation >= times * peak.next


def _doubt(wave: Peak, course: Peak) -> str:
    if course.next >= _RHYTHM:
        return (
            f"no one lag stands out: their loudness correlates {course.correlation:.2f} at one and {course.next:.2f} "
            "at another, so these are of an even rhythm, or different recordings"
        )
    best = f"{wave.correlation:.2f} by waveform, {course.correlation:.2f} by loudness"
    return f"the sounds look like different recordings: no lag fits them better than chance ({best} at best)"


def _halved(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    even = len(samples) // 2 * 2
    return samples[:even].reshape(-1, 2).mean(axis=1) if even else samples


def _envelope(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = len(samples) // _HOP * _HOP
    if not whole:
        return np.zeros(1, np.float32)
    power = np.square(samples[:whole].reshape(-1, _HOP), dtype=np.float64).mean(axis=1)
    return np.asarray(np.sqrt(power), np.float32)


def tamed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Floating-point recordings may be louder than full scale by any factor; their power must stay in range."""
    peak = float(np.abs(samples).max(initial=0))
    return samples if 1e-6 < peak < 1e6 or peak == 0 else np.asarray(samples / peak, np.float32)


@once_per_pair
def lag_of(reference: Side, candidate: Side) -> Lagged:
    """``measured_lag`` of two files' sound. Raises: MediaRefused."""
    return measured_lag(tamed(reference.sound), tamed(candidate.sound))


class Lag:
    """Absolute lag of the candidate; the score's detail is the signed ``Lagged``."""

    name = "lag_ms"
    version = 2
    media = "audio"
    unit = "ms"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Correlate mono sound."""
        found = lag_of(reference, candidate)
        if found.samples is None:
            return Score("lag_ms/2", None, self.unit, found.reason, detail=found)
        note = None
        if found.samples:
            late = "late" if found.samples > 0 else "early"
            note = f"the candidate is {late}; aligned by {found.by}, correlation {found.correlation:.2f}"
        return Score("lag_ms/2", abs(found.samples) * 1000 / SPEECH_RATE, self.unit, note=note, detail=found)
