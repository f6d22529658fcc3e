"""Calibration: what replays of one version do among themselves, hence how a replay may be judged."""

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from drift.media.media import Kind
from drift.score import Score

MEASURE = "floor/2"  # rises whenever a distance or its use changes
LEARN = 3  # runs that differ, before their distances tell a regime
SEEDED_WITHIN = 0.5  # of a distance; a decision holds on either side of it, only its power differs

# What a distance adds up: the score, and the value that counts as wholly different. docs/formats/metrics.md names them.
_PARTS: Mapping[Kind, tuple[tuple[str, float], ...]] = {
    "image": (("ssim", 1.0), ("phash", 64.0), ("color.mean", 20.0)),
    "video": (("timeline.ssim.mean", 1.0), ("timeline.phash.mean", 64.0)),
    "audio": (("logmel", 20.0), ("lufs_delta", 20.0), ("lag_ms", 1000.0)),
    "transcript": (("cer.norm", 1.0), ("cer.raw", 1.0)),
}
# The least that counts as a spread, by unit: below it runs differ by rounding, and one odd run must not hide the rest.
_GRAIN = {
    "": 0.0001,
    "ratio": 0.001,
    "%": 0.005,
    "levels": 0.005,
    "dB": 0.02,
    "LU": 0.02,
    "dE00": 0.02,
    "facts": 0.05,
    "frames": 0.25,
    "cuts": 0.25,
    "words": 0.5,
    "ms": 5.0,
}
_RELATIVE = 0.01
_UNMEASURED = 1e6  # deviations: what has no value lies beyond whatever has one
_EXACT = frozenset({"bytes", "decoded"})


class Regime(StrEnum):
    """How far two honest runs of the same version lie apart."""

    DETERMINISTIC = "deterministic"  # the same content every time
    SEEDED = "seeded"  # numeric noise inside a small floor
    UNSEEDED = "unseeded"  # free samples
    UNKNOWN = "unknown"  # not calibrated, or the calibration does not tell


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """What calibration runs of one version did.

    Attributes:
        regime: what they show.
        runs: of each run the scores of the pair (recorded output, run), in the order made.
        apart: whether the recorded output lies further from every run than they lie from each other: the version had
            changed before it was calibrated.
    """

    regime: Regime
    runs: tuple[tuple[Score, ...], ...] = ()
    apart: bool = False

    def beside(self, scores: Sequence[Score]) -> "NoiseFloor":
        """The same floor with the directions of ``scores``; records keep values and leave directions to the metrics."""
        up = {score.name for score in scores if score.higher_is_better}
        runs = tuple(tuple(replace(one, higher_is_better=one.name in up) for one in run) for run in self.runs)
        return NoiseFloor(self.regime, runs, self.apart)


UNCALIBRATED = NoiseFloor(Regime.UNKNOWN)


def noise_floor(
    contents: Sequence[str],
    kind: Kind,
    runs: Sequence[Sequence[Score]],
    *,
    recorded: str | None = None,
    neighbours: Sequence[Sequence[Score]] = (),
) -> NoiseFloor:
    """The floor that calibration runs show.

    Args:
        contents: content digest of each run, the recorded output not among them.
        kind: the medium.
        runs: of each run the scores of the pair (recorded output, run).
        recorded: content digest of the recorded output.
        neighbours: scores of the pairs (run, next run).
    """
    distances = [distance(kind, scores) for scores in runs]
    regime = regime_of(contents, distances)
    apart = regime is Regime.DETERMINISTIC and recorded is not None and recorded not in contents
    if regime is Regime.SEEDED and neighbours:
        apart = min(distances) > max(distance(kind, scores) for scores in neighbours)
    return NoiseFloor(regime, tuple(tuple(scores) for scores in runs), apart)


def regime_of(contents: Sequence[str], distances: Sequence[float] = ()) -> Regime:
    """The regime that runs of one version show.

    Two or more runs that all agree establish determinism. Where they differ, three distances to the recorded output
    tell numeric noise (none beyond ``SEEDED_WITHIN``) from free samples; fewer tell nothing.

    Args:
        contents: content digests of runs of the *same* version.
        distances: of those runs to one recorded output of that version.
    """
    if len(contents) >= 2 and len(set(contents)) == 1:
        return Regime.DETERMINISTIC
    if len(distances) < LEARN:
        return Regime.UNKNOWN
    return Regime.SEEDED if max(distances) <= SEEDED_WITHIN else Regime.UNSEEDED


def distance(kind: Kind, scores: Sequence[Score]) -> float:
    """One number for how far a pair lies apart: 0 for equal content, at most 3. It tells regimes, and decides nothing.

    Two or three parts of 0 to 1 are added: what the medium's telling scores lack of their best value, over the value
    that counts as wholly different. A part that could not be measured counts as wholly different.
    """
    if any(score.base == "decoded" and score.value == 1 for score in scores):
        return 0.0
    return sum(_part(scores, name, scale) for name, scale in _PARTS[kind])


def deviations(
    pairs: Sequence[Sequence[Score]], replays: int, only: Collection[str] | None = None
) -> list[Mapping[str, float]]:
    """How far each pair lies beyond the usual one, score by score; what decides takes the largest of a pair.

    A deviation is (loss - median loss) over the spread of all pairs: the largest absolute deviation once as many as
    there are replays, at least two, are left out; at least a hundredth of the median and the grain of the unit. All
    pairs are treated alike, calibration runs and replays: if nothing changed, each is as likely as the other to have
    the largest one. A score without a value counts as 1e6, unless no pair has one.

    Args:
        pairs: scores of each pair, all against the same recorded output.
        replays: how many of them are replays.
        only: names without version; every score but ``bytes`` and ``decoded`` where None.
    """
    named = [{score.name: score for score in scores if score.base not in _EXACT} for scores in pairs]
    shared = set.intersection(*(set(scores) for scores in named)) if named else set()
    found: list[dict[str, float]] = [{} for _ in named]
    for name in sorted(shared):
        column = [scores[name] for scores in named]
        if only is not None and column[0].base not in only:
            continue
        for at, value in zip(found, _column(column, max(replays, 2)), strict=True):
            at[name] = value
    return [dict(one) for one in found]


def _column(scores: Sequence[Score], out: int) -> list[float]:
    losses = [_loss(score) for score in scores]
    known = [loss for loss in losses if loss is not None]
    if not known:
        return [0.0] * len(scores)
    middle = statistics.median(known)
    spread = sorted(abs(loss - middle) for loss in known)[-min(out + 1, len(known))]
    scale = max(spread, _RELATIVE * middle, _GRAIN.get(scores[0].unit, 1.0))
    return [_UNMEASURED if loss is None else (loss - middle) / scale for loss in losses]


def _loss(score: Score) -> float | None:
    """What a score lacks of its best value, which is 1 for similarities without a unit."""
    if score.value is None or not score.higher_is_better:
        return score.value
    return (1.0 if score.unit == "" else 0.0) - score.value


def _part(scores: Sequence[Score], name: str, scale: float) -> float:
    score = next((score for score in scores if score.base == name), None)
    if score is None or score.value is None:
        return 1.0
    lost = 1 - score.value if score.higher_is_better else score.value
    return min(1.0, max(0.0, lost / scale))
