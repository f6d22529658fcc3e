"""How two videos lie over each other in time: offset, rate, lost and added frames; or that they show other things."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.align import FRAMES, frame_offset
from drift.fingerprints.frames import Marks, frame_distances
from drift.frame_path import FramePath, frame_path, gap_cost, pair_costs, straight

_DIFFERENT = 0.3  # share of the sure bits that differ; unrelated clips reach 0.4 to 0.5 wherever they are laid
_SAID = 4  # runs of frames in a sentence
_SAME_RATE = 0.005
_LARGEST_RATE = 16.0
_RATE_GAIN = 1.0  # by how much a pair must be cheaper, on average, for another rate to be believed
_STILL, _MOVES = 0.1, 1.0  # grey levels by which a frame changes when it repeats the one before, and when it does not
_ALIKE = 0.25  # of a clip's median change: what coders make of a repeat of the frame before


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which frames of two clips belong together.

    Attributes:
        path: the pairs; of different clips, frame by frame from the start.
        offset: candidate frame number less reference frame number of the first pair, the candidate's frames scaled to
            the reference's rate; positive when the candidate starts late.
        dropped: reference frames that the candidate does not show in their place; of equal ones the later.
        duplicated: candidate frames that show nothing of their own; of equal ones the later, which are the repeats.
        different: share of the sure bits that differ, where it is so large that nothing could be aligned; else None.
    """

    path: FramePath
    offset: int
    dropped: NDArray[np.int64]
    duplicated: NDArray[np.int64]
    different: float | None


def aligned(reference: Marks, candidate: Marks, *, stated: float | None = None) -> Alignment:
    """Align two clips of at least one frame.

    Args:
        reference: marks of n frames.
        candidate: marks of m frames.
        stated: candidate frames per reference frame if the files are believed; tried beside 1 and m / n.
    """
    rate, path = _best(reference, candidate, stated)
    share = _share(reference, candidate, path)
    if share > _DIFFERENT:
        nothing = np.empty(0, np.int64)
        return Alignment(straight(len(reference), len(candidate), 0), 0, nothing, nothing, share)
    ours, theirs = _repeated(reference, candidate, path)
    return Alignment(
        path=path,
        offset=_shift(path, rate),
        dropped=_later(reference, np.union1d(path.lost, ours), int(path.ours[-1])),
        duplicated=_later(candidate, np.union1d(path.added, theirs), int(path.theirs[-1])),
        different=None,
    )


def _best(a: Marks, b: Marks, stated: float | None) -> tuple[float, FramePath]:
    """The path at rate 1, or at another rate where its pairs are clearly cheaper on average."""
    offset = frame_offset(a, b)
    path = straight(len(a), len(b), offset)
    if _restless(a, b, path):
        path = frame_path(a, b, offset)
    best, cost = (1.0, path), _mean_cost(a, b, path) - _RATE_GAIN
    for rate in dict.fromkeys([stated or 1.0, len(b) / len(a)]):
        if cost <= 0 or abs(rate - 1) < _SAME_RATE or not 1 / _LARGEST_RATE <= rate <= _LARGEST_RATE:
            continue
        at = np.floor(rate * np.arange(len(a) + FRAMES) + 0.5).astype(np.int64)
        at = at[at < len(b)]
        if len(at) < 2:
            continue
        path = frame_path(a, b, round(frame_offset(a, b.taken(at)) * rate), rate)
        found = _mean_cost(a, b, path)
        if found < cost:
            best, cost = (rate, path), found
    return best


def _mean_cost(a: Marks, b: Marks, path: FramePath) -> float:
    return float(pair_costs(a, b, path).mean())


def _restless(a: Marks, b: Marks, path: FramePath) -> bool:
    """Whether the cost along a constant offset changes enough that another path could win.

    It does where many pairs cost more than the usual one, or where a stretch of frames costs less one frame aside.
    """
    gap = gap_cost(a, b)
    costs = pair_costs(a, b, path)
    if float(np.maximum(costs - np.median(costs), 0).sum()) >= gap:
        return True
    offset = int(path.theirs[0] - path.ours[0])
    return any(_gain(costs, path, pair_costs(a, b, aside), aside) >= gap for aside in _beside(a, b, offset))


def _beside(a: Marks, b: Marks, offset: int) -> list[FramePath]:
    paths = (straight(len(a), len(b), offset + step) for step in (-1, 1))
    return [path for path in paths if len(path.ours)]


def _gain(costs: NDArray[np.float64], path: FramePath, others: NDArray[np.float64], aside: FramePath) -> float:
    """The most that one stretch of reference frames saves on the other path: a largest sum of neighbours."""
    first, last = max(path.ours[0], aside.ours[0]), min(path.ours[-1], aside.ours[-1])
    saved = (
        costs[first - path.ours[0] : last - path.ours[0] + 1] - others[first - aside.ours[0] : last - aside.ours[0] + 1]
    )
    sums = np.concatenate([[0.0], np.cumsum(saved)])
    return float((sums - np.minimum.accumulate(sums)).max())


def _share(a: Marks, b: Marks, path: FramePath) -> float:
    ours, theirs = a.hashes[path.ours], b.hashes[path.theirs]
    sure = int(np.bitwise_count(ours[:, 1] | theirs[:, 1]).sum())
    return int(frame_distances(ours, theirs).sum(dtype=np.int64)) / sure if sure else 0.0


def _shift(path: FramePath, rate: float) -> int:
    """The first pair's offset; at another rate, less than a frame of the slower clip is none."""
    shift = float(path.theirs[0] - rate * path.ours[0])
    return 0 if rate != 1.0 and abs(shift) < max(1.0, rate) else round(shift)


def _repeated(a: Marks, b: Marks, path: FramePath) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs in step of which one frame repeats its predecessor while the other moves on: a loss and an addition."""
    step = np.concatenate([[False], (np.diff(path.ours) == 1) & (np.diff(path.theirs) == 1)])
    ours, theirs = a.change[path.ours], b.change[path.theirs]
    found = step & (((theirs <= _STILL) & (ours >= _MOVES)) | ((ours <= _STILL) & (theirs >= _MOVES)))
    return path.ours[found], path.theirs[found]


def _later(marks: Marks, numbers: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    """As many frames, but of each stretch of equal ones (none after ``end``) the last: a path may leave out any."""
    change = marks.change[: end + 1].astype(np.float64)
    same = change <= max(_STILL, _ALIKE * float(np.median(change[1:]))) if end else np.zeros(1, bool)
    stretch = np.cumsum(~same)
    stretches, counts = np.unique(stretch[numbers], return_counts=True)
    lasts = np.searchsorted(stretch, stretches, side="right")
    parts = [np.arange(last - count, last) for last, count in zip(lasts, counts, strict=True)]
    return np.concatenate(parts) if parts else numbers


def stands_still(marks: Marks) -> bool:
    """Whether a clip of two frames or more repeats its first one to the end."""
    return len(marks) > 1 and float(marks.change[1:].max()) <= _STILL


def in_words(frames: NDArray[np.int64]) -> str:
    """Frame numbers with runs as ``50-59``; of more than four runs the first and how many more; "" of none."""
    if not len(frames):
        return ""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)
    shown = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:_SAID]]
    left = len(runs) - _SAID
    more = f" and {left:,} more place{'s' if left > 1 else ''}" if left > 0 else ""
    return ", ".join(shown) + more
