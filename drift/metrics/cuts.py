"""Scene cuts of two videos: how many are at another place, and how many more or fewer there are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.fingerprints.frames import Marks, frame_distances
from drift.score import Score
from drift.side import Side
from drift.timelines import Timelines, timelines

_CHANGE = 8.0  # grey levels: least mean change at a cut
_STRUCTURE = 0.3  # least share of the sure bits that differ; a change of light alone keeps them
_STANDS_OUT, _NEAR = 2.0, 3  # times the largest change of that many frames on either side, so that motion is no cut
_APART = 1  # pairs by which two clips' cuts may lie apart and still be one


def cut_frames(marks: Marks) -> NDArray[np.int64]:
    """The first frame of every shot but the first one, rising; int64, shape (cuts,)."""
    change = marks.change.astype(np.float64)
    if len(change) < 2:
        return np.empty(0, np.int64)
    padded = np.pad(change, _NEAR)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1)
    around = np.delete(windows, _NEAR, axis=1).max(axis=1)
    earlier, later = marks.hashes[:-1], marks.hashes[1:]
    sure = np.maximum(np.bitwise_count(earlier[:, 1] | later[:, 1]), 1)
    structure = np.concatenate([[0.0], frame_distances(earlier, later) / sure])
    return np.flatnonzero((change >= _CHANGE) & (structure >= _STRUCTURE) & (change >= _STANDS_OUT * around))


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cuts between the first and the last pair of frames; reference frames on one side, the candidate's on the other.

    ``reference`` and ``candidate`` have all of them, ``gone`` and ``new`` those without a counterpart.
    """

    reference: NDArray[np.int64]
    candidate: NDArray[np.int64]
    gone: NDArray[np.int64]
    new: NDArray[np.int64]


def cuts_along(found: Timelines) -> Cuts:
    """The cuts of both clips, laid over each other along the path."""
    path = found.path
    ours, our_pairs = _on_path(cut_frames(found.reference), path.ours)
    theirs, their_pairs = _on_path(cut_frames(found.candidate), path.theirs)
    gone, new = np.ones(len(ours), bool), np.ones(len(theirs), bool)
    i = j = 0
    while i < len(ours) and j < len(theirs):
        apart = int(our_pairs[i] - their_pairs[j])
        if abs(apart) <= _APART:
            gone[i] = new[j] = False
        i, j = i + (apart <= _APART), j + (apart >= -_APART)
    return Cuts(ours, theirs, ours[gone], theirs[new])


def _on_path(cuts: NDArray[np.int64], frames: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cuts within the path, and for each the first pair that is not before it."""
    inside = cuts[(cuts > frames[0]) & (cuts <= frames[-1])]
    return inside, np.searchsorted(frames, inside)


class CutsMetric:
    """Cuts without a counterpart within one frame, and the difference of their numbers."""

    name = "cuts"
    version = 1
    media = "video"
    unit = "cuts"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare along the aligned frames; the first score's detail is the ``Cuts``."""
        found = timelines(reference, candidate)
        cuts = cuts_along(found)
        apart = float(len(cuts.gone) + len(cuts.new))
        why = None if found.alignment.different is None else "the clips show different pictures, which have no one time"
        more = float(abs(len(cuts.reference) - len(cuts.candidate)))
        note = f"{len(cuts.reference)} became {len(cuts.candidate)}" if more else None
        return (
            Score("cuts/1", None if why else apart, self.unit, why, note=None if why else _places(cuts), detail=cuts),
            Score("cuts.count/1", more, self.unit, note=note),
        )


def _places(cuts: Cuts) -> str | None:
    parts = []
    for words, frames in (("only in the reference", cuts.gone), ("only in the candidate", cuts.new)):
        if len(frames):
            more = f" and {len(frames) - 6:,} more" if len(frames) > 6 else ""
            parts.append(f"{words}: before frame {', '.join(map(str, frames[:6]))}{more}")
    return "; ".join(parts) or None
