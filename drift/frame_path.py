"""Which frame of one video shows which frame of another: a banded alignment that allows lost and added frames.

Global alignment with linear gap cost (Needleman and Wunsch 1970; free ends, a Sakoe-Chiba band around the line
j = rate * i + offset) on frame marks. It is symmetric: swapping the clips swaps lost and added frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.fingerprints.frames import Marks, frame_distances

BAND = 60  # frames either side of the line
_LEAST_GAP, _MOST_GAP = 4.0, 8.0  # cost of a lost or added frame, between slow clips and others
_STEPS = 4.0  # frames that lie wrong by one, in whose stead a gap is believed
_CHEAP = 1.0  # cost of a frame that only one clip has at its start or end, or that another rate asks for
_NEAR = 0.05  # cost of a pair for each frame off the line of another rate: among equal frames the nearest
_WAVES = 0.5  # weight of a sixteenth of a grey level beside a bit
_ROWS = 256  # reference frames whose costs are in memory at a time
_BY_PAIR, _BY_ADDED = 0, 1  # the two kinds of moves that are written down; neither means a lost frame


@dataclass(frozen=True, slots=True)
class FramePath:
    """Pairs of frames in order.

    Attributes:
        ours: int64, shape (k,), reference frame numbers, rising.
        theirs: int64, shape (k,), the candidate's frame for each, rising.
    """

    ours: NDArray[np.int64]
    theirs: NDArray[np.int64]

    @property
    def lost(self) -> NDArray[np.int64]:
        """Reference frames between the first and the last pair that have no counterpart."""
        return _gaps(self.ours)

    @property
    def added(self) -> NDArray[np.int64]:
        """Candidate frames between the first and the last pair that have no counterpart."""
        return _gaps(self.theirs)

    @property
    def rate(self) -> float | None:
        """Candidate frames per reference frame between the first and the last pair; None with a single pair."""
        if len(self.ours) < 2:
            return None
        return float((self.theirs[-1] - self.theirs[0]) / (self.ours[-1] - self.ours[0]))

    @property
    def constant(self) -> bool:
        """Whether every pair has the same offset."""
        return len(self.lost) == 0 and len(self.added) == 0


def _gaps(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.setdiff1d(np.arange(numbers[0], numbers[-1] + 1), numbers, assume_unique=True)


def straight(reference: int, candidate: int, offset: int) -> FramePath:
    """The path of a constant offset between clips of that many frames."""
    ours = np.arange(max(0, -offset), min(reference, candidate - offset), dtype=np.int64)
    return FramePath(ours, ours + offset)


def pair_costs(reference: Marks, candidate: Marks, path: FramePath) -> NDArray[np.float64]:
    """What each pair of a path costs, float64, shape (pairs,): bits that differ plus half the difference of waves."""
    costs = frame_distances(reference.hashes[path.ours], candidate.hashes[path.theirs]).astype(np.float64)
    for top in range(0, len(costs), _ROWS):
        part = slice(top, top + _ROWS)
        ours, theirs = reference.waves[path.ours[part]], candidate.waves[path.theirs[part]]
        costs[part] += _WAVES * np.abs(np.subtract(ours, theirs, dtype=np.int32)).mean(axis=1)
    return costs


def gap_cost(reference: Marks, candidate: Marks) -> float:
    """What a lost or added frame costs: four steps from a frame to the next (in the median of both clips), 4 to 8.

    Where little moves, frames that lie wrong by one cost little, too; a fixed price would never be worth paying.
    """
    steps = [pair_costs(one, one, straight(len(one), len(one), 1)) for one in (reference, candidate) if len(one) > 1]
    usual = float(np.median(np.concatenate(steps))) if steps else _MOST_GAP
    return min(_MOST_GAP, max(_LEAST_GAP, _STEPS * usual))


def frame_path(reference: Marks, candidate: Marks, offset: int, rate: float = 1.0) -> FramePath:
    """The cheapest path within 60 frames of the line; at rate 1 the line itself, where nothing is clearly cheaper.

    Args:
        reference: marks of n frames.
        candidate: marks of m frames.
        offset: candidate frame that shows reference frame 0.
        rate: candidate frames per reference frame.

    Costs: a pair costs the bits that differ plus half the mean difference of the waves in sixteenths, less the median
    over reference frames of the least such cost in the band, and at most what a lost or added frame costs
    (``gap_cost``), so that a bad pair is never left out for one of each. A frame of the kind that the rate asks for
    costs 1. At rate 1 frames before the first and after the last pair cost 1; at another a pair costs a 20th more for
    each frame off the line. Memory grows by 32 bytes per reference frame.
    """
    line = np.floor(rate * np.arange(-1, len(reference)) + 0.5).astype(np.int64) + offset - BAND
    base = _usual(reference, candidate, line[1:])
    near = np.zeros(2 * BAND + 1) if rate == 1 else _NEAR * np.abs(np.arange(-BAND, BAND + 1))
    gap = gap_cost(reference, candidate)
    search = _Search(len(reference), len(candidate), line, rate, gap)
    straight_cost = 0.0
    for top in range(0, len(reference), _ROWS):
        numbers = np.arange(top, min(top + _ROWS, len(reference)))
        costs = _costs(reference, candidate, numbers, line[numbers + 1]) - base + near
        costs = np.where(np.isfinite(costs), np.minimum(costs, gap), np.inf)
        straight_cost += float(costs[:, BAND][np.isfinite(costs[:, BAND])].sum())
        for number, row in zip(numbers, costs, strict=True):
            search.step(int(number), row)
    found = search.path()
    if rate != 1.0:
        return found
    direct = straight(len(reference), len(candidate), offset)
    straight_cost += _CHEAP * (len(reference) + len(candidate) - 2 * len(direct.ours))
    return direct if found.constant or search.cost > straight_cost - gap else found


def _costs(a: Marks, b: Marks, numbers: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cost of each reference frame with the 121 candidate frames from ``first`` on; not finite outside the clip."""
    inside = first[:, None] + np.arange(2 * BAND + 1)
    at = np.clip(inside, 0, len(b) - 1)
    costs = frame_distances(a.hashes[numbers, None], b.hashes[at]).astype(np.float64)
    low, high = int(at.min()), int(at.max()) + 1  # few candidate frames serve all rows: every pair of the block once
    near = b.waves[low:high].astype(np.float32)
    for row, number in enumerate(numbers):
        picked = near[at[row, 0] - low : at[row, -1] - low + 1]
        waves = np.abs(picked - a.waves[number]).mean(axis=1)
        costs[row] += _WAVES * waves[at[row] - at[row, 0]]
    return np.where(inside == at, costs, np.inf)


def _usual(a: Marks, b: Marks, line: NDArray[np.int64]) -> float:
    """What an honest pair costs (a change of brightness costs on every frame alike), from at most 2,048 frames."""
    numbers = np.arange(0, len(a), -(-len(a) // 2048))
    least = np.concatenate(
        [_costs(a, b, part, line[part]).min(axis=1) for part in np.array_split(numbers, -(-len(numbers) // _ROWS))]
    )
    least = least[np.isfinite(least)]
    return float(np.median(least)) if len(least) else 0.0


class _Search:
    """The dynamic programme, one reference frame at a time; of the past only two bits per cell are kept."""

    def __init__(self, reference: int, candidate: int, line: NDArray[np.int64], rate: float, gap: float) -> None:
        self._candidate, self._reference, self._line = candidate, reference, line
        self._width = 2 * BAND + 1
        self._lost, added = (_CHEAP if rate < 1 else gap), (_CHEAP if rate > 1 else gap)
        self._end_lost, self._end_added = (_CHEAP, _CHEAP) if rate == 1 else (self._lost, added)
        self._rising = added * np.arange(self._width)
        self._moves = np.zeros((reference, 2, -(-self._width // 8)), np.uint8)
        before = line[0] + np.arange(self._width)
        self._values = np.where((before >= -1) & (before < candidate), self._end_added * (before + 1.0), np.inf)
        self.cost = np.inf
        self._end = (-1, -1)

    def step(self, number: int, costs: NDArray[np.float64]) -> None:
        """Take in the costs of reference frame ``number`` with the candidate frames of its band."""
        low = int(self._line[number + 1])
        shift = low - int(self._line[number])
        padded = np.concatenate([[np.inf], self._values, np.full(shift + 1, np.inf)])
        pair, lost = (
            padded[shift : shift + self._width] + costs,
            padded[shift + 1 : shift + 1 + self._width] + self._lost,
        )
        numbers = low + np.arange(self._width)
        lost[(numbers < 0) | (numbers >= self._candidate)] = np.inf
        best = np.minimum(pair, lost)
        if low <= -1 < low + self._width:
            best[-1 - low] = self._end_lost * (number + 1)
        added = np.minimum.accumulate(best - self._rising) + self._rising
        added[numbers >= self._candidate] = np.inf
        is_added = added < best - 1e-9
        self._values = np.where(is_added, added, best)
        self._moves[number, _BY_PAIR] = np.packbits(pair <= lost)
        self._moves[number, _BY_ADDED] = np.packbits(is_added)
        self._finish(number, low)

    def _finish(self, number: int, low: int) -> None:
        """Note the cheapest end: in the candidate's last frame, or in the reference's."""
        last = self._candidate - 1 - low
        if 0 <= last < self._width:
            self._end_at(number, last, self._values[last] + self._end_lost * (self._reference - 1 - number))
        if number == self._reference - 1:
            left = self._end_added * (self._candidate - 1 - low - np.arange(self._width))
            at = int(np.argmin(self._values + left))
            self._end_at(number, at, float(self._values[at] + left[at]))

    def _end_at(self, number: int, at: int, cost: float) -> None:
        if cost < self.cost:
            self.cost, self._end = cost, (number, at + int(self._line[number + 1]))

    def path(self) -> FramePath:
        """Walk back from the cheapest end; without any pair the path is that of the first frames."""
        pairs = []
        number, theirs = self._end
        while number >= 0 and theirs >= 0:
            at = theirs - int(self._line[number + 1])
            pair, added = (self._moves[number, kind, at >> 3] >> (7 - (at & 7)) & 1 for kind in (_BY_PAIR, _BY_ADDED))
            if added:
                theirs -= 1
            elif pair:
                pairs.append((number, theirs))
                number, theirs = number - 1, theirs - 1
            else:
                number -= 1
        ours, others = np.asarray(pairs[::-1] or [(0, 0)], np.int64).T
        return FramePath(ours, others)
