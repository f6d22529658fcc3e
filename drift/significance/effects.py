"""Changes of known size, put into real samples to learn which of them a test would have seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor
from drift.descriptors.clip import Clip
from drift.descriptors.hearing import FLOOR_DB, band_centres
from drift.descriptors.lay import CELLS
from drift.descriptors.sound import FACTS, Sound
from drift.descriptors.wording import Wording, describe_text
from drift.media.media import Kind
from drift.significance.samples import Sample

_NEUTRAL = 128  # of OpenCV's 8-bit a and b
_LIGHT = slice(0, 8)  # of block glob: percentiles and mean of L
_TINTS = (slice(9, 18), slice(18, 27))  # of a and of b: percentiles, mean, deviation
_CHROMA = slice(27, 30)  # its mean, deviation and 95th percentile
_PERCENTS = (1, 5, 25, 50, 75, 95, 99)  # of a tint, the first numbers of its slice
_SHARE = 0.75  # of a colour change in RGB pixels that is sure to reach Lab
_RANKS = np.linspace(1, 99, 99)  # percents at which a tint's levels are looked at
_FINEST = [32, 34, 35, 36, 37]  # band energy and gradients of L's finest level
_FLICKER, _REPEATED = 4, 5  # of a clip's facts of motion
_RINGS = slice(68, 74)  # the spectrum's outer half
_FACT = {name: place for place, name in enumerate(FACTS)}
_BRIGHT = 1_000  # Hz, above which treble is lifted
_WORDS = 300  # of a transcript that are looked at: a longer one shows smaller changes still
_WRONG = "qxz"  # no language's word

Block = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Effect:
    """A kind of change and the sizes tried.

    Attributes:
        name: for programs.
        means: for people, with ``{}`` where the size stands.
        sizes: rising, in the unit ``means`` names.
        apply: gives a replay as it would be after a change of that size; takes the replay, the prompt's samples and
            one raw 64-bit word of chance.
    """

    name: str
    means: str
    sizes: tuple[float, ...]
    apply: Callable[[Sample, Sequence[Sample], float, int], Sample]

    def told(self, size: float) -> str:
        """The change of that size in words."""
        return self.means.format(f"{size:g}")


def _lighter(one: Sample, _: Sequence[Sample], levels: float, __: int) -> Sample:
    assert isinstance(one, Descriptor | Clip)
    glob = one.glob.copy()
    glob[_LIGHT] += levels
    cur = one.cur.copy()
    cur[0:192:3] += levels / 160
    cur[192] += levels / 6
    if isinstance(one, Clip):
        return replace(one, glob=glob, cur=cur)
    lay = one.lay.copy()
    lay[0:CELLS:3] += levels
    return replace(one, glob=glob, lay=lay, cur=cur)


def _paler(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    """Colours closer to grey, as far as whole levels of 8 bits let them: a level of 4 less 3 % is still 4.

    Fine colour detail is left alone: at that size it is the rounding of pixels as much as the picture. The strongest
    colours, at the edge of what pixels can hold, weaken less in Lab than in RGB, so only a share is taken.
    """
    assert isinstance(one, Descriptor)
    by = 1 - _SHARE * percent / 100
    glob, lay, cur = one.glob.copy(), one.lay.copy(), one.cur.copy()
    strengths = []
    for channel, tint in enumerate(_TINTS, 1):
        levels = np.rint(np.interp(_RANKS, _PERCENTS, glob[tint][:7]))
        kept = _rounded(levels, by)
        glob[tint][:7] = _rounded(glob[tint][:7], by)
        glob[tint][7] += kept.mean() - levels.mean()
        spread, left = float(levels.std()), float(kept.std())
        glob[tint][8] *= left / spread if spread else 1.0
        strengths.append((np.abs(levels - _NEUTRAL).sum(), np.abs(kept - _NEUTRAL).sum()))
        lay[channel:CELLS:3] = _rounded(lay[channel:CELLS:3], by)
        cur[channel:192:3] = _rounded(cur[channel:192:3] * 160, by) / 160
        cur[192 + channel] += (kept.mean() - levels.mean()) / 6
        cur[195 + channel] *= left / spread if spread else 1.0
    before, after = np.sum(strengths, axis=0)
    glob[_CHROMA] *= after / before if before else 1.0
    return replace(one, glob=glob, lay=lay, cur=cur)


def _rounded(levels: NDArray[Any], by: float) -> NDArray[Any]:
    """Levels of a tint weakened and rounded; what lies between two levels, a cell's mean, moves as both together."""
    whole = np.arange(-_NEUTRAL, _NEUTRAL)
    moved = np.interp(levels - _NEUTRAL, whole, np.copysign(np.floor(np.abs(whole) * by + 0.5), whole))
    return np.asarray(moved + _NEUTRAL)


def _sharper(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    assert isinstance(one, Descriptor | Clip)
    by = np.float32(np.log1p(percent / 100))
    glob, cur = one.glob.copy(), one.cur.copy()
    glob[_FINEST] += 2 * by
    glob[_RINGS] += 2 * by
    cur[198] += 8 * by
    if isinstance(one, Clip):
        return replace(one, glob=glob, cur=cur)
    scat = one.scat.copy()
    scat[:6] += by  # the finest scale, of the whole picture and of its 4x4 cells
    scat[24 : 24 + 6 * 16] += by
    return replace(one, glob=glob, scat=scat, cur=cur)


def _plainer(one: Sample, every: Sequence[Sample], percent: float, _: int) -> Sample:
    """Every number closer to the samples' mean."""
    assert isinstance(one, Descriptor | Clip | Sound)
    keep = np.float32(1 - percent / 100)
    moved: dict[str, Block] = {}
    for field in fields(one):
        own: Block = getattr(one, field.name)
        centre = np.mean([getattr(other, field.name) for other in every], axis=0, dtype=np.float64)
        moved[field.name] = np.asarray(centre + (own - centre) * keep, np.float32)
    return type(one)(**moved)


def _unsteady(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    assert isinstance(one, Clip)
    time = one.time.copy()
    time[_FLICKER] = np.log((np.exp(time[_FLICKER]) - 0.02) * (1 + percent / 100) + 0.02)
    return replace(one, time=time)


def _repeating(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    assert isinstance(one, Clip)
    time = one.time.copy()
    time[_REPEATED] = min(1.0, float(time[_REPEATED]) + percent / 100)
    return replace(one, time=time)


def _factual(one: Sample, **moves: float) -> Sound:
    """A sound with facts moved by so much; ``_`` in a name stands for a space."""
    assert isinstance(one, Sound)
    facts = one.facts.copy()
    for name, move in moves.items():
        facts[_FACT[name.replace("_", " ")]] += move
    return replace(one, facts=facts)


def _quieter(one: Sample, _: Sequence[Sample], decibels: float, __: int) -> Sample:
    """Peak, loudness and bands; what lies at the floor, such as silence, stays there."""
    told = _factual(one, loudness=-decibels, peak=-decibels, noise_floor=-decibels)
    return replace(told, spectrum=np.maximum(told.spectrum - np.float32(decibels), np.float32(FLOOR_DB)))


def _brighter(one: Sample, _: Sequence[Sample], decibels: float, __: int) -> Sample:
    """A step at 1 kHz in the bands that hold anything, and the tilt that it makes."""
    assert isinstance(one, Sound)
    octaves = np.log2(band_centres())
    lifted = (octaves > np.log2(_BRIGHT)) & (one.spectrum > FLOOR_DB + 1)
    spectrum = one.spectrum + np.float32(decibels) * lifted
    tilt = float(np.polyfit(octaves, spectrum, 1)[0] - np.polyfit(octaves, one.spectrum, 1)[0])
    return replace(_factual(one, tilt=tilt), spectrum=np.asarray(spectrum, np.float32))


def _higher(one: Sample, _: Sequence[Sample], semitones: float, __: int) -> Sample:
    return _factual(one, pitch=semitones, brightness=semitones / 12)


def _briefer(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    return _factual(one, length=float(np.log2(1 - percent / 100)))


def _faster(one: Sample, _: Sequence[Sample], percent: float, __: int) -> Sample:
    """The same in less time."""
    by = float(np.log2(1 + percent / 100))
    return _factual(one, length=-by, pace=by)


def _rewritten(one: Sample, percent: float, chance: int, change: Callable[[str], str]) -> Sample:
    """So many percent of the words changed, drawn anew for every replay."""
    assert isinstance(one, Wording)
    words = list(one.raw[:_WORDS])
    drawn = np.atleast_1d(np.random.PCG64(chance).random_raw(len(words) + 1))[1:]
    limit = int(percent / 100 * 2**64)
    return describe_text(" ".join(change(w) if int(d) < limit else w for w, d in zip(words, drawn, strict=True)))


def _unmarked(one: Sample, _: Sequence[Sample], percent: float, chance: int) -> Sample:
    return _rewritten(one, percent, chance, lambda word: word.rstrip(",.?!") or word)


def _uncapped(one: Sample, _: Sequence[Sample], percent: float, chance: int) -> Sample:
    return _rewritten(one, percent, chance, str.lower)


def _misheard(one: Sample, _: Sequence[Sample], percent: float, chance: int) -> Sample:
    return _rewritten(one, percent, chance, lambda _word: _WRONG)


def _hesitating(one: Sample, _: Sequence[Sample], percent: float, chance: int) -> Sample:
    return _rewritten(one, percent, chance, lambda word: f"um {word}")


_LIGHTER = Effect("lightness", "pictures lighter by {} of 255 levels", (1, 2, 4, 8, 16, 32), _lighter)
_SHARPER = Effect("detail", "fine detail stronger by {} %", (5, 10, 20, 40, 80, 160), _sharper)
_PLAINER = Effect("variety", "variety less by {} %", (10, 20, 30, 50, 70, 90), _plainer)

EFFECTS: Mapping[Kind, tuple[Effect, ...]] = {
    "image": (
        _LIGHTER,
        Effect("colour", "colours weaker by {} %", (3, 6, 12, 25, 50, 75), _paler),
        _SHARPER,
        _PLAINER,
    ),
    "audio": (
        Effect("level", "sounds quieter by {} dB", (0.25, 0.5, 1, 2, 4, 8), _quieter),
        Effect("treble", "treble stronger by {} dB", (0.25, 0.5, 1, 2, 4, 8), _brighter),
        Effect("length", "sounds shorter by {} %", (2, 5, 10, 20, 40, 60), _briefer),
        Effect("tempo", "tempo faster by {} %", (2, 5, 10, 20, 40, 80), _faster),
        Effect("pitch", "pitch higher by {} semitones", (0.25, 0.5, 1, 2, 4, 8), _higher),
        _PLAINER,
    ),
    "transcript": (
        Effect("words", "{} % more of the words wrong", (1, 2, 5, 10, 20, 40), _misheard),
        Effect("marks", "{} % of the marks missing", (5, 10, 20, 40, 60, 90), _unmarked),
        Effect("capitals", "{} % of the capitals missing", (5, 10, 20, 40, 60, 90), _uncapped),
        Effect("hesitations", "{} more hesitations per hundred words", (1, 2, 4, 8, 16, 32), _hesitating),
    ),
    "video": (
        _LIGHTER,
        _SHARPER,
        Effect("flicker", "flicker stronger by {} %", (10, 25, 50, 100, 200, 400), _unsteady),
        Effect("repeats", "{} % of the frames repeated", (5, 10, 20, 40, 60, 80), _repeating),
        _PLAINER,
    ),
}  # fmt: skip


def shortened(one: Sample) -> Sample:
    """A transcript's first 300 words, in which changes are tried; other samples unchanged."""
    if isinstance(one, Wording) and len(one.raw) > _WORDS:
        return describe_text(" ".join(one.raw[:_WORDS]))
    return one
