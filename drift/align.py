"""Time alignment: the constant offset of two frame sequences, and the lag of two recordings."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from drift.fingerprints.frames import Marks, frame_distances

_TIE = 0.002  # of correlation
_BIT_TIE = 0.5  # bits
_WAVE_TIE = 1.05
_CHUNK = 4096  # frames
FRAMES = 60  # largest offset searched, either way


def frame_offset(reference: Marks, candidate: Marks, *, most: int = FRAMES) -> int:
    """The shift that lays one sequence of frames over another best.

    Args:
        reference: marks of n frames.
        candidate: marks of m frames.
        most: largest shift tried in either direction.

    Returns:
        ``offset`` such that candidate frame ``i + offset`` shows reference frame ``i``; positive when the candidate
        starts late. An overlap of at least half the shorter sequence is required. Hash distance decides; shifts within
        half a bit of the best (moving patterns repeat) are told apart by the mean difference of the waves, and of those
        within 5 % (still frames) the smallest shift is taken.
    """
    needed = max(1, min(len(reference), len(candidate)) // 2)
    bits: dict[int, float] = {}
    for offset in sorted(range(-most, most + 1), key=abs):
        ours, theirs = _overlap(len(reference), len(candidate), offset)
        if ours.stop - ours.start >= needed:
            bits[offset] = float(frame_distances(reference.hashes[ours], candidate.hashes[theirs]).mean())
    near = [offset for offset, mean in bits.items() if mean <= min(bits.values()) + _BIT_TIE]
    waves = {offset: _wave_distance(reference, candidate, offset) for offset in near}
    return next(offset for offset in near if waves[offset] <= min(waves.values()) * _WAVE_TIE)


def _overlap(ours: int, theirs: int, offset: int) -> tuple[slice, slice]:
    first, last = max(0, -offset), min(ours, theirs - offset)
    return slice(first, last), slice(first + offset, last + offset)


def _wave_distance(reference: Marks, candidate: Marks, offset: int) -> float:
    ours, _ = _overlap(len(reference), len(candidate), offset)
    total = 0
    for top in range(ours.start, ours.stop, _CHUNK):  # what is in memory does not grow with the clips
        part = slice(top, min(top + _CHUNK, ours.stop))
        other = candidate.waves[part.start + offset : part.stop + offset]
        total += int(np.abs(np.subtract(reference.waves[part], other, dtype=np.int32)).sum())
    return float(total / ((ours.stop - ours.start) * int(candidate.waves.shape[1])))


def lag(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> tuple[int, float]:
    """The delay of ``candidate`` against ``reference`` in samples, and how sure it is.

    Args:
        reference: float32, shape (n,).
        candidate: float32, shape (m,), at the same rate.

    Returns:
        The lag with the largest correlation, positive when the candidate starts late, and that correlation of the
        overlapping parts in [-1, 1]; (0, 0) when nothing varies. Overlaps shorter than half the shorter input do
        not count. Of peaks within 0.002 of the largest (a steady tone has many) the smallest lag is taken.
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
        return 0, 0.0
    score = np.where(usable, raw / np.sqrt(np.where(usable, norm, 1.0)), -np.inf)
    padded = np.pad(score, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((score >= padded[:-2]) & (score >= padded[2:]) & (score >= score.max() - _TIE))
    at = int(peaks[np.argmin(np.abs(lags[peaks]))])
    return int(lags[at]), float(np.clip(score[at], -1, 1))
