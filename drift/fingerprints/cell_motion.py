"""Motion of 4 x 4 cells between small pictures: one least-squares step on image gradients per cell.

Lucas and Kanade 1981, section 3, in two dimensions with a damping term, so that a cell without texture does not move.
On pictures averaged to 32 x 32, gradients are linear over displacements up to some 3 % of the width.
"""

import numpy as np
from numpy.typing import NDArray

CELLS = 4  # each way
_DAMPING = 64.0  # a gradient of one grey level per pixel over a cell of 8 x 8


def cell_sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over 4 x 4 cells of float32, shape (n, 32, 32); shape (n, 4, 4)."""
    count, side = values.shape[:2]
    split = values.reshape(count, CELLS, side // CELLS, CELLS, side // CELLS)
    return np.asarray(split.sum(axis=(2, 4)), np.float32)


def cell_motion(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Displacement of each cell from one picture to the next.

    Args:
        pictures: grey levels, float32, shape (n + 1, 32, 32).

    Returns:
        float32, shape (n, 4, 4, 2): to the right as a share of the width, downwards as a share of the height.
    """
    middle = (pictures[:-1] + pictures[1:]) / 2
    later = pictures[1:] - pictures[:-1]
    across, down = np.gradient(middle, axis=2), np.gradient(middle, axis=1)
    xx, yy = cell_sums(across * across) + _DAMPING, cell_sums(down * down) + _DAMPING
    xy, xt, yt = cell_sums(across * down), cell_sums(across * later), cell_sums(down * later)
    moved = np.stack([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1) / (xx * yy - xy * xy)[..., None]
    return np.asarray(moved / pictures.shape[-1], np.float32)
