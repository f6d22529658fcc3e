"""What is measured of one replayed output, by whoever made it, so that who judges decodes nothing again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drift.assertions import Finding, check_side, failed
from drift.compare import compare
from drift.media.limits import Limits
from drift.score import Score
from registry.canonical import JSON

COSTLY = frozenset({"vmaf"})  # many times the decoding; `mintmark compare` measures it


@dataclass(frozen=True, slots=True)
class Measured:
    """The scores of a pair (recorded output, replayed output), and what either fails that every output must hold.

    ``failed`` holds what the replayed output fails; where there is any, ``known`` names what the recorded one does.
    """

    scores: tuple[Score, ...]
    known: tuple[str, ...] = ()
    failed: tuple[Finding, ...] = ()

    def to_json(self) -> JSON:
        """As rows hold it."""
        return {
            "scores": [score.to_json() for score in self.scores],
            "known": list(self.known),
            "failed": [{"name": one.name, "reason": one.reason} for one in self.failed],
        }

    @classmethod
    def from_json(cls, value: JSON) -> "Measured":
        """Read what ``to_json`` gave."""
        failed = (Finding(one["name"], "failed", one["reason"]) for one in value["failed"])
        return cls(tuple(Score(**one) for one in value["scores"]), tuple(value["known"]), tuple(failed))


def measure(originals: Sequence[Path], files: Sequence[Path], limits: Limits) -> list[Measured]:
    """Every pair of outputs, by every metric but the costliest and every assertion; surplus outputs are left out.

    Raises:
        MediaRefused: a file is unusable.
        NotComparable: a pair of two media.
    """
    return [_measured(original, made, limits) for original, made in zip(originals, files, strict=False)]


def _measured(original: Path, made: Path, limits: Limits) -> Measured:
    found = compare(original, made, without=COSTLY, limits=limits)
    if original.name == made.name:  # assets are called by their digest, and what is equal breaks nothing new
        return Measured(found.scores)
    broken = failed(check_side(found.candidate))
    known = tuple(one.name for one in failed(check_side(found.reference))) if broken else ()
    return Measured(found.scores, known, broken)
