"""Laying one recording over another: the lag with the largest correlation, and how far it stands out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

_TIE = 0.002  # of correlation


@dataclass(frozen=True, slots=True)
class Peak:
    """The best place found.

    Attributes:
        lag: in samples, positive when the candidate starts late.
        correlation: there, in [-1, 1]; 0 when nothing varies.
        next: the largest correlation at any lag farther away than asked; 0 where there is none.
    """

    lag: int
    correlation: float
    next: float


def correlate(reference: NDArray[np.float32], candidate: NDArray[np.float32], *, apart: int = 0) -> Peak:
    """Correlate two recordings at every lag at which they overlap by at least half the shorter one.

    Args:
        reference: float32, shape (n,).
        candidate: float32, shape (m,), at the same rate.
        apart: samples that the next best place must lie away from the best.

    Returns:
        Each lag's correlation is normalised by the energy of the overlapping parts. Of local peaks within 0.002 of the
        largest (a steady tone has many) the smallest lag is taken.
    """
    x, y = (part - part.mean(dtype=np.float64) for part in (reference, candidate))
    size = next_fast_len(len(x) + len(y) - 1, real=True)
    cross = irfft(rfft(y, size) * np.conj(rfft(x, size)), size)
    lags = np.arange(1 - len(x), len(y))
    raw = np.concatenate([cross[size - len(x) + 1 :], cross[: len(y)]])
    first, last = np.maximum(0, -lags), np.minimum(len(x), len(y) - lags)
    energy_x, energy_y = (np.concatenate([[0.0], np.cumsum(part * part)]) for part in (x, y))
    norm = (energy_x[last] - energy_x[first]) * (energy_y[last + lags] - energy_y[first + lags])
    usable = (last - first >= min(len(x), len(y)) / 2) & (norm > 1e-12 * energy_x[-1] * energy_y[-1])
    if not usable.any():
        return Peak(0, 0.0, 0.0)
    score = np.where(usable, raw / np.sqrt(np.where(usable, norm, 1.0)), -np.inf)
    padded = np.pad(score, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((score >= padded[:-2]) & (score >= padded[2:]) & (score >= score.max() - _TIE))
    at = int(peaks[np.argmin(np.abs(lags[peaks]))])
    elsewhere = score[usable & (np.abs(lags - lags[at]) > apart)]
    following = float(elsewhere.max()) if len(elsewhere) else 0.0
    return Peak(int(lags[at]), *(float(np.clip(value, -1, 1)) for value in (score[at], following)))


def surprise(peak: Peak, reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> float:
    """How many standard deviations the peak lies from what unrelated recordings give at one lag (Fisher's z).

    Neighbouring samples are not independent: by Bartlett (1946) an overlap of n samples counts as n / sum of the
    products of both autocorrelations. Short recordings with slow courses fit somewhere by chance; this says so.
    """
    overlap = min(len(reference), len(candidate) - peak.lag) - max(0, -peak.lag)
    size = next_fast_len(2 * max(len(reference), len(candidate)), real=True)
    courses = []
    for part in (reference, candidate):
        power = np.square(np.abs(rfft(part - part.mean(dtype=np.float64), size)))
        course = irfft(power, size)
        if course[0] <= 0:
            return 0.0
        courses.append(course / course[0])
    independent = overlap / max(1.0, float(courses[0] @ courses[1]))
    return float(np.arctanh(min(peak.correlation, 1 - 1e-9)) * np.sqrt(max(0.0, independent - 3)))
