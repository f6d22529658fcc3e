"""What is kept of a video's frames: a masked 64-bit hash, low frequencies, brightness and motion of coarse cells.

The hash is the DCT construction of Zauner 2010 on a strided, area-reduced 32 x 32 picture, with a mask of the bits that
say something: on smooth or periodic frames most of the 64 coefficients are codec noise, and plain hashes of two
encodings of one clip differ in 20 to 30 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from drift.fingerprints.cell_motion import CELLS, cell_motion, cell_sums

_SIDE, _KEPT = 32, 8
_DCT = np.asarray(dct(np.eye(_SIDE), axis=0)[:_KEPT], np.float32)
_SHORT_SIDE = 180  # pixels a strided picture keeps at least
_WAVE = 64.0  # a sixteenth of a grey level
_MARGIN = 256.0  # from the median, in unnormalised DCT-II units: a wave of a quarter grey level
_BATCH = 64  # frames marked at once: numpy's cost per call is shared


def strided(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every k-th row and column, k the largest step that leaves 180 pixels on the short side; C-contiguous."""
    step = max(1, min(luma.shape) // _SHORT_SIDE)
    return np.ascontiguousarray(luma[::step, ::step])


def reduced(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A strided picture area-averaged to uint8, shape (32, 32)."""
    return np.asarray(cv2.resize(small, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of n frames in order.

    Attributes:
        hashes: uint64, shape (n, 2). The signs of the 8 x 8 lowest DCT frequencies (row by row, the first is the
            highest bit) against their median; and *sure*, the bits whose frequency lies at least a quarter grey level
            from it.
        waves: int16, shape (n, 64), the frequencies themselves in sixteenths of a grey level.
        cells: uint16, shape (n, 16), brightness of 4 x 4 cells row by row, in 64ths of a grey level.
        motion: float16, shape (n, 16, 2), the displacement of each cell since the frame before as shares of width and
            height; zero for the first.
        change: float32, shape (n,), mean absolute difference to the frame before in grey levels; zero for the first.
    """

    hashes: NDArray[np.uint64]
    waves: NDArray[np.int16]
    cells: NDArray[np.uint16]
    motion: NDArray[np.float16]
    change: NDArray[np.float32]

    @staticmethod
    def joined(parts: Sequence["Marks"]) -> "Marks":
        """Marks of consecutive frames in one piece; ``parts`` is not empty."""
        return Marks(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Marks)))

    def taken(self, numbers: NDArray[np.int64]) -> "Marks":
        """The marks of some frames in this order; motion and change still refer to each frame's own predecessor."""
        return Marks(*(getattr(self, field.name)[numbers] for field in fields(Marks)))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.hashes)


def marks_of(pictures: NDArray[np.uint8], before: NDArray[np.uint8] | None = None) -> Marks:
    """Mark reduced pictures, uint8, shape (n, 32, 32), that follow the picture ``before``."""
    values = pictures.astype(np.float32)
    low = (_DCT @ values @ _DCT.T).reshape(len(values), -1)
    off = low - np.median(low, axis=1, keepdims=True)
    bits = np.packbits(np.stack([off > 0, np.abs(off) >= _MARGIN], axis=1), axis=-1)
    first = values[:1] if before is None else before.astype(np.float32)[None]
    steps = np.concatenate([first, values])
    return Marks(
        hashes=bits.view(">u8")[..., 0].astype(np.uint64),
        waves=np.rint(low / _WAVE).astype(np.int16),
        cells=cell_sums(values).reshape(-1, CELLS * CELLS).astype(np.uint16),
        motion=cell_motion(steps).reshape(-1, CELLS * CELLS, 2).astype(np.float16),
        change=np.abs(np.diff(steps, axis=0)).mean(axis=(1, 2), dtype=np.float32),
    )


class MarkedFrames:
    """Marks gathered frame by frame; only some 250 bytes of each are kept."""

    def __init__(self) -> None:
        self._done: list[Marks] = []
        self._waiting: list[NDArray[np.uint8]] = []
        self._before: NDArray[np.uint8] | None = None
        self._count = 0

    def add(self, small: NDArray[np.uint8]) -> None:
        """Take in the strided picture of the next frame, shape (height, width)."""
        self._waiting.append(reduced(small))
        self._count += 1
        if len(self._waiting) == _BATCH:
            self._mark()

    def _mark(self) -> None:
        if self._waiting:
            self._done.append(marks_of(np.stack(self._waiting), self._before))
            self._before = self._waiting[-1]
            self._waiting = []

    def marks(self) -> Marks:
        """The marks of all frames so far, of at least one."""
        self._mark()
        self._done = [Marks.joined(self._done)]
        return self._done[0]

    def __len__(self) -> int:
        """Number of frames so far."""
        return self._count


def frame_distances(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits differ that are sure in either frame.

    Args:
        a: uint64, shape (..., 2): hash and mask of each frame.
        b: a shape that broadcasts with it.

    Returns:
        uint8, shape (...), 0...64.
    """
    return np.asarray(np.bitwise_count((a[..., 0] ^ b[..., 0]) & (a[..., 1] | b[..., 1])), np.uint8)
