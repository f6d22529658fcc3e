"""Structural similarity of two pictures, exactly as Wang, Bovik, Sheikh and Simoncelli 2004 define it.

Gaussian window 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, 8-bit luma, windows that lie inside the picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.resampling import resized_to
from drift.score import Score
from drift.side import Side

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_CENTRE = 128.0
_STRIP = 128  # rows worked on at a time: the eleven float planes of a strip stay in the processor's cache


def _kernel() -> NDArray[np.float32]:
    x = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-(x**2) / (2 * _SIGMA**2))
    return np.asarray(weights / weights.sum(), np.float32)


_KERNEL = _kernel()


def ssim_map(reference: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> NDArray[np.float32]:
    """SSIM of every window that lies inside two pictures.

    Args:
        reference: uint8, shape (height, width), at least 11 pixels on each side.
        candidate: the same dtype and shape.

    Returns:
        float32, shape (height - 10, width - 10), each in [-1, 1]. The mean is within 1e-6 of the float64 definition.

    Raises:
        ValueError: shapes differ or a side is shorter than 11.
    """
    height, width = reference.shape
    if candidate.shape != reference.shape or min(height, width) < _WINDOW:
        raise ValueError(f"two pictures of one size, at least 11x11, not {reference.shape} and {candidate.shape}")
    out = np.empty((height - _WINDOW + 1, width - _WINDOW + 1), np.float32)
    for top in range(0, len(out), _STRIP):
        rows = slice(top, min(top + _STRIP, len(out)) + _WINDOW - 1)
        out[top : top + _STRIP] = _strip(reference[rows], candidate[rows])
    return out


def _strip(reference: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> NDArray[np.float32]:
    """SSIM of one strip by four blurs: of both pictures, of the sum of their squares, and of their product.

    Pixels are centred on 128 first: variances do not change, and float32 loses no digits to large squares.
    """
    x, y = (np.subtract(part, np.float32(_CENTRE), dtype=np.float32) for part in (reference, candidate))
    mean_x, mean_y = _blur(x), _blur(y)
    squares = _blur(x * x + y * y)
    product = _blur(x * y)
    means = mean_x * mean_y
    mean_squares = mean_x * mean_x + mean_y * mean_y
    covariance = product - means
    variances = squares - mean_squares
    shift = _CENTRE * (mean_x + mean_y)  # back from centred means: (m + 128)(n + 128) = mn + 128(m + n) + 128^2
    means += shift + np.float32(_CENTRE**2)
    mean_squares += 2 * shift + np.float32(2 * _CENTRE**2)
    above = (2 * means + np.float32(_C1)) * (2 * covariance + np.float32(_C2))
    below = (mean_squares + np.float32(_C1)) * (variances + np.float32(_C2))
    return np.asarray(above / below, np.float32)


def _blur(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    blurred = cv2.sepFilter2D(picture, cv2.CV_32F, _KERNEL, _KERNEL, borderType=cv2.BORDER_REPLICATE)
    edge = _WINDOW // 2
    return np.asarray(blurred, np.float32)[edge:-edge, edge:-edge]


def ssim(reference: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> float:
    """The mean of ``ssim_map``; same arguments, same errors."""
    return float(ssim_map(reference, candidate).mean(dtype=np.float64))


class Ssim:
    """Mean SSIM of 8-bit luma; a candidate of another size is resampled to the reference first."""

    name = "ssim"
    version = 1
    media = "image"
    unit = ""
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure luma; the score's detail is the map."""
        grey, note = resized_to(candidate.grey, reference.grey.shape)
        if min(grey.shape) < _WINDOW:
            why = f"the picture is smaller than the {_WINDOW}x{_WINDOW} window"
            return Score("ssim/1", None, self.unit, why, higher_is_better=True)
        found = ssim_map(reference.grey, grey)
        value = min(float(found.mean(dtype=np.float64)), 1.0)
        return Score("ssim/1", value, self.unit, higher_is_better=True, note=note, detail=found)
