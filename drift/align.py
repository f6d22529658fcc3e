"""Time alignment: the constant offset of two frame sequences."""

import numpy as np

from drift.fingerprints.frames import Marks, frame_distances

_BIT_TIE = 0.5  # bits
_WAVE_TIE = 1.05
_CHUNK = 4096  # frames
FRAMES = 60  # largest offset searched, either way


def frame_offset(reference: Marks, candidate: Marks) -> int:
    """The shift that lays one sequence of frames over another best.

    Args:
        reference: marks of n frames.
        candidate: marks of m frames.

    Returns:
        ``offset`` such that candidate frame ``i + offset`` shows reference frame ``i``; positive when the candidate
        starts late. An overlap of at least half the shorter sequence is required. Hash distance decides; shifts within
        half a bit of the best (moving patterns repeat) are told apart by the mean difference of the waves, and of those
        within 5 % (still frames) the smallest shift is taken.
    """
    needed = max(1, min(len(reference), len(candidate)) // 2)
    bits: dict[int, float] = {}
    for offset in sorted(range(-FRAMES, FRAMES + 1), key=abs):
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
