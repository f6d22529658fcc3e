"""How far the times of the same words lie apart in two transcripts."""

from dataclasses import dataclass

import numpy as np

from drift.score import Score
from drift.side import Side
from drift.spoken import Spoken, SpokenPair, spoken_pair
from drift.word_edits import TooLongToAlign


@dataclass(frozen=True, slots=True)
class Shifts:
    """Signed shifts in milliseconds, positive when the candidate is late.

    ``starts`` is by the number of the run between white space in the reference, for reports; ``all`` has every start
    and end that both transcripts tell.
    """

    starts: dict[int, int]
    all: tuple[int, ...]


def shifts(pair: SpokenPair) -> Shifts:
    """Compare the starts and the ends of every matched word where both are known."""
    ours, theirs = pair.reference, pair.candidate
    starts: dict[int, int] = {}
    found: list[int] = []
    for mine, other in pair.edits.matches():
        before, after = ours.starts[mine], theirs.starts[other]
        if before is not None and after is not None:
            starts.setdefault(ours.runs[mine], after - before)
            found.append(after - before)
        before, after = ours.ends[mine], theirs.ends[other]
        if before is not None and after is not None:
            found.append(after - before)
    return Shifts(starts, tuple(found))


class BoundaryShift:
    """Median and 95th percentile of the absolute shifts of words' starts and ends; the detail is the ``Shifts``."""

    name = "boundary_shift_ms"
    version = 1
    media = "transcript"
    unit = "ms"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, Score]:
        """Match words by the normalised alignment; times of segments stand in where words have none."""
        try:
            pair = spoken_pair(reference, candidate)
        except TooLongToAlign as error:
            return self._none("", str(error))
        suffix = f"/{pair.normaliser}"
        for who, side in (("reference", pair.reference), ("candidate", pair.candidate)):
            if side.timed_by is None:
                return self._none(suffix, f"the {who} has no times")
        found = shifts(pair)
        if not found.all:
            return self._none(suffix, _why_none(pair))
        sizes = np.abs(np.array(found.all, np.float64))
        return (
            Score(f"boundary_shift_ms.median/1{suffix}", float(np.median(sizes)), "ms", note=_note(pair, found)),
            Score(f"boundary_shift_ms.p95/1{suffix}", float(np.percentile(sizes, 95)), "ms", detail=found),
        )

    def _none(self, suffix: str, why: str) -> tuple[Score, Score]:
        median, p95 = (Score(f"boundary_shift_ms.{part}/1{suffix}", None, "ms", why) for part in ("median", "p95"))
        return median, p95


def _why_none(pair: SpokenPair) -> str:
    if not any(True for _ in pair.edits.matches()):
        return f"no {pair.unit.removesuffix('s')} is the same in both"
    return f"no time in one stands at the same {pair.unit.removesuffix('s')} as a time in the other"


def _note(pair: SpokenPair, found: Shifts) -> str:
    kinds = {pair.reference.timed_by, pair.candidate.timed_by}
    by = f"times of {kinds.pop()} in both" if len(kinds) == 1 else f"the reference times {pair.reference.timed_by}"
    if kinds and by.startswith("the"):
        by += f", the candidate {pair.candidate.timed_by}"
    parts = [f"{by}, {len(found.all):,} starts and ends compared"]
    parts += [*_oddities("reference", pair.reference), *_oddities("candidate", pair.candidate)]
    middle = float(np.median(found.all))
    if middle:
        parts.append(f"in the median the candidate is {abs(middle):,.0f} ms {'late' if middle > 0 else 'early'}")
    return "; ".join(parts)


def _oddities(who: str, side: Spoken) -> list[str]:
    found = []
    if side.backward:
        found.append(f"{side.backward:,} {side.timed_by} of the {who} end before they start, their times are left out")
    if side.early:
        found.append(f"{side.early:,} {side.timed_by} of the {who} start before the one before them")
    return found
