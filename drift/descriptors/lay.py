"""Block ``lay``: 1,072 numbers on what is where in a picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 1072
CELLS = 1008  # the first so many are Lab levels, the rest logarithms


def lay(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean Lab of cells, coarse to fine enough to see an object move, with where the detail is.

    Args:
        lab: 8-bit OpenCV Lab, shape (128, 128, 3).

    Returns:
        float32, shape (1072,): Lab of 16x16, 8x8 and 4x4 cells (768 + 192 + 48), then the log gradient energy of L in
        8x8 cells (64). Row by row, L, a and b together.
    """
    cells = lab.astype(np.float32)
    sixteen = _averaged(cells, 16)
    eight = _averaged(sixteen, 8)
    lightness = np.ascontiguousarray(cells[..., 0])
    across, down = cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)
    energy = np.log(_averaged(np.asarray(across * across + down * down, np.float32), 8) + 20)
    return np.concatenate([part.ravel() for part in (sixteen, eight, _averaged(eight, 4), energy)]).astype(np.float32)


def _averaged(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA), np.float32)
