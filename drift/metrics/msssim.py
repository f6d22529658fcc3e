"""Multi-scale structural similarity of two pictures: Wang, Simoncelli and Bovik 2003, five scales.

Weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; at each scale the 11 x 11 Gaussian window of ``ssim``, K1 = 0.01,
K2 = 0.03, L = 255, windows inside the picture; between scales means of 2 x 2 pixels, the last row and column repeated
where a side is odd. Means over the picture are taken before the weights; a negative one counts as 0.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.metrics.ssim import C1, C2, KERNEL, laid_over
from drift.score import Score
from drift.side import Side

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST = (len(KERNEL) - 1) * 2 ** (len(WEIGHTS) - 1) + 1  # 161 pixels: the window still fits the last scale
_STRIP = 128  # rows worked on at a time, so that memory stays small beside the picture
_EDGE = len(KERNEL) // 2

Plane = NDArray[np.uint8] | NDArray[np.float64]


def msssim(reference: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> float:
    """MS-SSIM of two pictures, computed in float64.

    Args:
        reference: uint8, shape (height, width), at least 161 pixels on each side.
        candidate: the same dtype and shape.

    Returns:
        A number in [0, 1]; 1 for equal pictures.

    Raises:
        ValueError: shapes differ or a side is shorter than 161.
    """
    if candidate.shape != reference.shape or min(reference.shape) < SMALLEST:
        shapes = f"{reference.shape} and {candidate.shape}"
        raise ValueError(f"two pictures of one size, at least {SMALLEST}x{SMALLEST}, not {shapes}")
    x: Plane = reference
    y: Plane = candidate
    value = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y = _halved(x), _halved(y)
        whole, structure = _similarities(x, y)
        value *= max(whole if scale == len(WEIGHTS) - 1 else structure, 0.0) ** weight
    return min(value, 1.0)


def _similarities(x: Plane, y: Plane) -> tuple[float, float]:
    """Means over all windows of SSIM and of its contrast-structure part."""
    rows = len(x) - 2 * _EDGE
    whole = structure = 0.0
    for top in range(0, rows, _STRIP):
        part = slice(top, min(top + _STRIP, rows) + 2 * _EDGE)
        a, b = (np.asarray(plane[part], np.float64) for plane in (x, y))
        mean_a, mean_b = _blurred(a), _blurred(b)
        variances = _blurred(a * a + b * b) - mean_a * mean_a - mean_b * mean_b
        covariance = _blurred(a * b) - mean_a * mean_b
        alike = (2 * covariance + C2) / (variances + C2)
        structure += float(alike.sum())
        whole += float((alike * (2 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1)).sum())
    windows = rows * (x.shape[1] - 2 * _EDGE)
    return whole / windows, structure / windows


def _blurred(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.sepFilter2D(plane, -1, KERNEL, KERNEL)[_EDGE:-_EDGE, _EDGE:-_EDGE], np.float64)


def _halved(plane: Plane) -> NDArray[np.float64]:
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge") if height % 2 or width % 2 else plane
    across = np.add(even[:, ::2], even[:, 1::2], dtype=np.float64)
    return np.asarray((across[::2] + across[1::2]) / 4, np.float64)


class MsSsim:
    """MS-SSIM of 8-bit luma; a candidate of another size is resampled to the reference first."""

    name = "msssim"
    version = 1
    media = "image"
    unit = ""
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure luma; a picture under 161 pixels on a side has no fifth scale, hence a reason."""
        why = f"five scales need {SMALLEST} pixels on each side; ssim measures smaller pictures"
        lumas = laid_over(reference, candidate, SMALLEST, why)
        if isinstance(lumas, str):
            return Score("msssim/1", None, self.unit, lumas, higher_is_better=True)
        ours, theirs, note = lumas
        value = msssim(ours, theirs)
        return Score("msssim/1", value, self.unit, higher_is_better=True, note=note)
