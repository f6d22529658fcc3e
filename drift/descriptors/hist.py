"""Block ``hist``: 864 numbers on which colours a picture has, wherever they are."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 864
_BINS = (6, 12, 12)
_RANGES = (0, 256, 64, 192, 64, 192)  # of L, a and b; the most saturated greens and blues lie outside, uncounted


def hist(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Square roots of a Lab histogram's shares, so that plain distances are Hellinger's.

    Args:
        lab: 8-bit OpenCV Lab, shape (128, 128, 3).

    Returns:
        float32, shape (864,), in [0, 1]: 6x12x12 bins after a 3x3 Gaussian blur, L slowest.
    """
    smooth = cv2.GaussianBlur(lab, (3, 3), 0)
    counts = cv2.calcHist([smooth], [0, 1, 2], None, list(_BINS), list(_RANGES))
    shares = np.asarray(counts, np.float32).ravel() / (lab.shape[0] * lab.shape[1])
    return np.asarray(np.sqrt(shares), np.float32)
