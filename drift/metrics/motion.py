"""Motion of two videos: how far cells move from frame to frame, how evenly, and whether they move alike."""

import numpy as np
from numpy.typing import NDArray

from drift.fingerprints.frames import Marks
from drift.metrics.cuts import cut_frames
from drift.score import Score
from drift.side import Side
from drift.timelines import Timelines, timelines

_PERCENT = 100.0


def steps(marks: Marks, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Displacement of each cell from one of these frames to the next, frames between them added up.

    Args:
        marks: of a whole clip.
        frames: int64, shape (k,), rising.

    Returns:
        float64, shape (k - 1, 16, 2), per cent of width and of height.
    """
    first = int(frames[0])
    along = np.cumsum(marks.motion[first : int(frames[-1]) + 1].astype(np.float64), axis=0)
    return np.asarray(np.diff(along[frames - first], axis=0) * _PERCENT, np.float64)


def both_steps(found: Timelines) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """The steps of both clips along the path, and which of them cross no cut of either."""
    path = found.path
    usable = np.ones(len(path.ours) - 1, bool)
    for frames, marks in ((path.ours, found.reference), (path.theirs, found.candidate)):
        usable &= np.diff(np.searchsorted(cut_frames(marks), frames, side="right")) == 0
    return steps(found.reference, path.ours), steps(found.candidate, path.theirs), usable


def unevenness(moved: NDArray[np.float64], usable: NDArray[np.bool_]) -> float | None:
    """Mean length by which a cell's displacement changes from one step to the next; None without two in a row."""
    turns = _length(np.diff(moved, axis=0))[usable[:-1] & usable[1:]]
    return float(turns.mean()) if len(turns) else None


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]), np.float64)


class Motion:
    """Mean distance between both clips' displacements; then differences of their size and of their unevenness."""

    name = "motion"
    version = 1
    media = "video"
    unit = "%"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare along the aligned frames; notes say what became what."""
        ours, theirs, usable = both_steps(timelines(reference, candidate))
        if not usable.any():
            why = "motion needs two aligned frames without a cut between them"
            names = ("motion/1", "motion.magnitude/1", "motion.smoothness/1")
            return tuple(Score(name, None, self.unit, why) for name in names)
        before, after = (float(_length(moved[usable]).mean()) for moved in (ours, theirs))
        uneven = unevenness(ours, usable), unevenness(theirs, usable)
        return (
            Score("motion/1", float(_length((theirs - ours)[usable]).mean()), self.unit),
            self._change("motion.magnitude/1", before, after),
            self._change("motion.smoothness/1", *uneven),
        )

    def _change(self, name: str, before: float | None, after: float | None) -> Score:
        if before is None or after is None:
            return Score(name, None, self.unit, "smoothness needs three aligned frames without a cut between them")
        note = f"{before:.2f} became {after:.2f} % of the frame per step" if abs(after - before) >= 0.005 else None
        return Score(name, abs(after - before), self.unit, note=note)
