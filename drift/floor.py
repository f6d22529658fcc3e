"""Calibration: what replays of one version do among themselves, hence how a replay may be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drift.media.media import Kind
from drift.score import Score

MEASURE = "floor/1"  # rises whenever a distance changes
LEARN = 3  # runs that differ, before their distances tell a regime
SEEDED_WITHIN = 0.5  # of a distance; a decision holds on either side of it, only its power differs

# What a distance adds up: the score, and the value that counts as wholly different. docs/formats/metrics.md names them.
_PARTS: Mapping[Kind, tuple[tuple[str, float], ...]] = {
    "image": (("ssim", 1.0), ("phash", 64.0), ("color.mean", 20.0)),
    "video": (("timeline.ssim.mean", 1.0), ("timeline.phash.mean", 64.0)),
    "audio": (("logmel", 20.0), ("lufs_delta", 20.0), ("lag_ms", 1000.0)),
    "transcript": (("cer.norm", 1.0), ("cer.raw", 1.0)),
}


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
        distances: of each run to the recorded output, see ``distance``; in the order made.
        seen: of the scores that make up the distance, what each run scored, by name without version; runs without a
            value are left out.
    """

    regime: Regime
    distances: tuple[float, ...] = ()
    seen: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


UNCALIBRATED = NoiseFloor(Regime.UNKNOWN)


def noise_floor(contents: Sequence[str], kind: Kind, runs: Sequence[Sequence[Score]]) -> NoiseFloor:
    """The floor that calibration runs show.

    Args:
        contents: content digest of each run, the recorded output not among them.
        kind: the medium.
        runs: of each run the scores of the pair (recorded output, run).
    """
    distances = tuple(distance(kind, scores) for scores in runs)
    seen = {
        name: values
        for name, _ in _PARTS[kind]
        if (values := tuple(value for scores in runs if (value := _value(scores, name)) is not None))
    }
    return NoiseFloor(regime_of(contents, distances), distances, seen)


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
    """One number for how far a pair lies apart: 0 for equal content, at most 3.

    Two or three parts of 0 to 1 are added: what the medium's telling scores lack of their best value, over the value
    that counts as wholly different. A part that could not be measured counts as wholly different. Two distances are
    only ever ranked, so their scale carries no meaning.
    """
    if _value(scores, "decoded") == 1:
        return 0.0
    return sum(_part(scores, name, scale) for name, scale in _PARTS[kind])


def _part(scores: Sequence[Score], name: str, scale: float) -> float:
    score = next((score for score in scores if score.base == name), None)
    if score is None or score.value is None:
        return 1.0
    lost = 1 - score.value if score.higher_is_better else score.value
    return min(1.0, max(0.0, lost / scale))


def _value(scores: Sequence[Score], name: str) -> float | None:
    return next((score.value for score in scores if score.base == name), None)
