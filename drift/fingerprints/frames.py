"""64-bit hashes of video frames, taken from their luma without converting the frame.

The DCT construction of Zauner 2010 on a strided, area-reduced 32 x 32 picture, with a mask of the bits that say
something: on smooth or periodic frames most of the 64 coefficients are codec noise, and plain hashes of two encodings
of one clip differ in 20 to 30 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

_SIDE, _KEPT = 32, 8
_DCT = np.asarray(dct(np.eye(_SIDE), axis=0)[:_KEPT], np.float32)
_SHORT_SIDE = 180  # pixels a strided picture keeps at least
_WAVE = 64.0  # a sixteenth of a grey level
_MARGIN = 256.0  # from the median, in unnormalised DCT-II units: a wave of a quarter grey level


def strided(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every k-th row and column, k the largest step that leaves 180 pixels on the short side; C-contiguous."""
    step = max(1, min(luma.shape) // _SHORT_SIDE)
    return np.ascontiguousarray(luma[::step, ::step])


@dataclass(frozen=True, slots=True)
class Mark:
    """What is kept of one frame.

    ``bits`` are the signs of its 8 x 8 lowest DCT frequencies (row by row, the first is the highest bit) against their
    median, ``sure`` has those bits set whose frequency lies at least a quarter grey level from it, and ``waves`` are
    the frequencies themselves, int16, shape (64,), in sixteenths of a grey level.
    """

    bits: int
    sure: int
    waves: NDArray[np.int16]


def frame_mark(small: NDArray[np.uint8]) -> Mark:
    """Mark a strided picture, shape (height, width)."""
    reduced = cv2.resize(small, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = (_DCT @ reduced @ _DCT.T).ravel()
    off = low - np.median(low)
    bits, sure = np.packbits(np.stack([off > 0, np.abs(off) >= _MARGIN]), axis=1)
    waves = np.rint(low / _WAVE).astype(np.int16)
    return Mark(int.from_bytes(bits.tobytes(), "big"), int.from_bytes(sure.tobytes(), "big"), waves)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of n frames: ``hashes`` uint64, shape (n, 2), bits and sure; ``waves`` int16, shape (n, 64)."""

    hashes: NDArray[np.uint64]
    waves: NDArray[np.int16]

    @staticmethod
    def of(marks: Sequence[Mark]) -> "Marks":
        """Gather single marks."""
        hashes = np.asarray([(mark.bits, mark.sure) for mark in marks], np.uint64).reshape(-1, 2)
        waves = np.asarray([mark.waves for mark in marks], np.int16).reshape(-1, 64)
        return Marks(hashes, waves)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.hashes)


def frame_distances(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits differ that are sure in either frame.

    Args:
        a: uint64, shape (n, 2): hash and mask of each frame.
        b: the same shape.

    Returns:
        uint8, shape (n,), 0...64.
    """
    return np.asarray(np.bitwise_count((a[:, 0] ^ b[:, 0]) & (a[:, 1] | b[:, 1])), np.uint8)
