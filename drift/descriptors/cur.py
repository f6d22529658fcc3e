"""Block ``cur``: 202 numbers that say little of everything, for the first look over a whole suite."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 202


def cur(lab: NDArray[np.uint8], grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Layout, tone and sharpness, weighted so that one Euclidean distance fits all.

    Args:
        lab: 8-bit OpenCV Lab of the working picture, shape (256, 256, 3).
        grey: its 8-bit luma, shape (256, 256).

    Returns:
        float32, shape (202,): Lab of 8x8 cells / 160, mean and deviation of L, a, b / 6, four log band energies x 4.
    """
    colours = lab.astype(np.float32)
    cells = np.asarray(cv2.resize(colours, (8, 8), interpolation=cv2.INTER_AREA)).ravel() / 160
    tone = np.concatenate([colours.mean((0, 1), dtype=np.float64), colours.std((0, 1), dtype=np.float64)]) / 6
    bands = []
    plane = grey.astype(np.float32)
    for _ in range(4):
        blurred = cv2.GaussianBlur(plane, (0, 0), 1.0)
        bands.append(4 * np.log(1e-3 + float(np.square(plane - blurred).mean())))
        plane = np.asarray(cv2.resize(blurred, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return np.concatenate([cells, tone, bands]).astype(np.float32)
