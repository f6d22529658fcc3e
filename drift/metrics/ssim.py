"""Structural similarity of two pictures, exactly as Wang, Bovik, Sheikh and Simoncelli 2004 define it.

Gaussian window 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, 8-bit luma, windows that lie inside the picture.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.resampling import resized_to
from drift.score import Score
from drift.side import Side
from drift.turning import sideways

_WINDOW, _SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_STRIP = 128  # rows worked on at a time: the planes of a strip stay in the processor's cache
_STARK = 64.0  # standard deviation from which float32 is not exact enough: large areas of black beside white


def _kernel() -> NDArray[np.float64]:
    x = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-(x**2) / (2 * _SIGMA**2))
    return np.asarray(weights / weights.sum(), np.float64)


KERNEL = _kernel()


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
    """SSIM of one strip by four blurs, of the sum and the difference of the pictures and of their squares.

    With s = x + y and d = x - y, twice the covariance is (var s - var d) / 2 and the sum of variances
    (var s + var d) / 2: whatever rounding does to var s it does to both sides of the fraction. Both are centred on
    their means first, which leaves variances alone and keeps squares small.
    """
    mean, deviation = cv2.meanStdDev(reference)
    dtype = np.float64 if deviation[0, 0] > _STARK else np.float32
    x: NDArray[Any] = reference.astype(dtype)
    y: NDArray[Any] = candidate.astype(dtype)
    total, difference = x + y, x - y
    middle = dtype(round(float(mean[0, 0]) + float(cv2.mean(candidate)[0])))
    shift = dtype(round(float(difference.mean())))
    total -= middle
    difference -= shift
    mean_s, mean_d = _blur(total), _blur(difference)
    variance_s = _blur(total * total) - mean_s * mean_s
    variance_d = _blur(difference * difference) - mean_d * mean_d
    square_s, square_d = np.square(mean_s + middle), np.square(mean_d + shift)
    above = (square_s - square_d + dtype(2 * C1)) * (variance_s - variance_d + dtype(2 * C2))
    below = (square_s + square_d + dtype(2 * C1)) * (variance_s + variance_d + dtype(2 * C2))
    edge = _WINDOW // 2  # cropped last: whole planes are contiguous, three times faster to work on
    return np.asarray((above / below)[edge:-edge, edge:-edge], np.float32)


def _blur(picture: NDArray[Any]) -> NDArray[Any]:
    kernel = KERNEL.astype(picture.dtype)
    blurred: NDArray[Any] = cv2.sepFilter2D(picture, -1, kernel, kernel)
    return blurred


def ssim(reference: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> float:
    """The mean of ``ssim_map``; same arguments, same errors."""
    return float(ssim_map(reference, candidate).mean(dtype=np.float64))


def laid_over(
    reference: Side, candidate: Side, smallest: int, why: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], str | None] | str:
    """Luma of two pictures at the reference's size, uint8 of shape (height, width) each, and the note on resampling.

    Only the reason where the candidate lies on its side, or ``why`` where a side is shorter than ``smallest`` pixels.
    """
    if turned := sideways(reference, candidate):
        return turned
    grey, note = resized_to(candidate.grey, reference.grey.shape)
    return why if min(grey.shape) < smallest else (reference.grey, grey, note)


class Ssim:
    """Mean SSIM of 8-bit luma; a candidate of another size is resampled to the reference first."""

    name = "ssim"
    version = 1
    media = "image"
    unit = ""
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure luma; the score's detail is the map."""
        why = f"the picture is smaller than the {_WINDOW}x{_WINDOW} window"
        lumas = laid_over(reference, candidate, _WINDOW, why)
        if isinstance(lumas, str):
            return Score("ssim/1", None, self.unit, lumas, higher_is_better=True)
        ours, theirs, note = lumas
        found = ssim_map(ours, theirs)
        value = min(float(found.mean(dtype=np.float64)), 1.0)
        return Score("ssim/1", value, self.unit, higher_is_better=True, note=note, detail=found)
