"""Flicker of two videos: brightness of coarse cells that jumps and comes back from frame to frame."""

import numpy as np
from numpy.typing import NDArray

from drift.metrics.cuts import cut_frames
from drift.score import Score
from drift.side import Side
from drift.timelines import Timelines, timelines

_LEVEL = 64.0  # units of a cell's brightness in a grey level


def flicker(cells: NDArray[np.uint16]) -> NDArray[np.float64]:
    """How far each frame stands off its neighbours' mean.

    Args:
        cells: brightness in 64ths of a grey level, uint16, shape (n, 16), n at least 3.

    Returns:
        float64, shape (n - 2,), grey levels: mean over cells of |c[k] - (c[k-1] + c[k+1]) / 2|. Fades, pans and
        whatever else changes evenly give 0.
    """
    levels = cells.astype(np.float64) / _LEVEL
    return np.asarray(np.abs(levels[1:-1] - (levels[:-2] + levels[2:]) / 2).mean(axis=1), np.float64)


def both_flickers(found: Timelines) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flicker of both clips at the same pairs of frames; those beside a cut of either are left out."""
    path = found.path
    if len(path.ours) < 3:
        return np.empty(0), np.empty(0)
    usable = np.ones(len(path.ours) - 2, bool)
    for frames, marks in ((path.ours, found.reference), (path.theirs, found.candidate)):
        seen = np.searchsorted(cut_frames(marks), frames, side="right")
        usable &= seen[:-2] == seen[2:]
    ours = flicker(found.reference.cells[path.ours])[usable]
    return ours, flicker(found.candidate.cells[path.theirs])[usable]


class Flicker:
    """The difference of both clips' flicker, on average and in the tail."""

    name = "flicker"
    version = 1
    media = "video"
    unit = "levels"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare along the aligned frames; the note says what became what."""
        ours, theirs = both_flickers(timelines(reference, candidate))
        if not len(ours):
            why = "flicker needs three aligned frames without a cut between them"
            return tuple(Score(name, None, self.unit, why) for name in ("flicker/1", "flicker.p95/1"))
        before, after = float(ours.mean()), float(theirs.mean())
        tail = float(np.percentile(theirs, 95) - np.percentile(ours, 95))
        note = f"{before:.2f} became {after:.2f} grey levels" if abs(after - before) >= 0.005 else None
        return (
            Score("flicker/1", abs(after - before), self.unit, note=note),
            Score("flicker.p95/1", abs(tail), self.unit),
        )
