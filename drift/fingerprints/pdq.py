"""PDQ-256: a perceptual hash of an image and of its eight dihedral forms.

Source: "PDQ hashing", Facebook 2017/2019. The reference blurs with two box passes per axis, samples 64 x 64 points and
takes a 16 x 16 corner of their DCT. Every one of those steps is linear and separable, so one 64 x n matrix per axis
replaces blur and sampling, and one 16 x 64 matrix the transform.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.media.image import load_luma
from drift.media.limits import DEFAULT_LIMITS, Limits

LONG_SIDE = 512  # of the canonical input
_FAST_SIDE = 256  # the 64 samples still average 4 pixels each
SMALLEST = 5  # the reference hashes nothing smaller
MARGIN = 1.0  # a coefficient at least this far from the median keeps its bit under rounding
DIHEDRAL = ("original", "rot90", "rot180", "rot270", "flipx", "flipy", "transpose", "antitranspose")


@dataclass(frozen=True, slots=True)
class Pdq:
    """One hash: 32 bytes as the reference prints them in hexadecimal, and how far to trust it.

    ``quality`` is 0...100 (gradients of the 64 x 64 picture), ``stable`` the number of bits, of 256, whose coefficient
    lies more than 1 from the median. Below quality 50 or 96 stable bits a hash says little (flat, periodic art).
    """

    bits: bytes
    quality: int
    stable: int

    def __str__(self) -> str:
        """The 64 hexadecimal digits."""
        return self.bits.hex()


def pdq(luma: NDArray[np.float32]) -> Pdq:
    """Hash one picture.

    Args:
        luma: float32, shape (height, width), 0...255; 0.299 R + 0.587 G + 0.114 B. Hash what ``canonical_luma``
            returns if the result is to be compared with other canonical hashes.

    Returns:
        The hash; all bits zero, quality 0 and no stable bit when a side is shorter than 5 pixels.
    """
    return _hashes(luma, 1)[0]


def pdq_dihedral(luma: NDArray[np.float32]) -> tuple[Pdq, Pdq, Pdq, Pdq, Pdq, Pdq, Pdq, Pdq]:
    """Hash a picture and its seven rotations and mirror images, from one transform.

    The order is ``DIHEDRAL``: original, rotated counter-clockwise by 90, 180 and 270 degrees, flipped about the
    horizontal axis (flipx: upside down), about the vertical axis (flipy: left and right swapped), transposed about the
    main diagonal and about the other one. Each is the hash the *turned* picture has, up to unstable bits.
    """
    first, *rest = _hashes(luma, 8)
    return (first, rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6])


def _hashes(luma: NDArray[np.float32], count: int) -> list[Pdq]:
    height, width = luma.shape
    if min(height, width) < SMALLEST:
        return [Pdq(bytes(32), 0, 0)] * count
    small: NDArray[np.float32] = np.asarray(_shrink_rows(luma) @ _axis(width).T, np.float32)
    forms = _turned(np.asarray(_DCT @ small @ _DCT.T, np.float32), count).reshape(count, 256)
    # The reference takes the 128th smallest of 256, not the mean of the middle two. Turning changes signs only.
    medians = np.partition(forms, 127, axis=1)[:, 127:128]
    packed = np.packbits((forms > medians)[:, ::-1], axis=1)
    stable = np.count_nonzero(np.abs(forms - medians) > MARGIN, axis=1)
    quality = _quality(small)
    return [Pdq(packed[at].tobytes(), quality, int(stable[at])) for at in range(count)]


def _quality(small: NDArray[np.float32]) -> int:
    """Sum of gradients in whole percent, each cut towards zero before summing, divided by 90."""
    vertical = np.trunc(np.diff(small, axis=0) * np.float32(100) / np.float32(255))
    horizontal = np.trunc(np.diff(small, axis=1) * np.float32(100) / np.float32(255))
    return min(int(np.abs(vertical).sum() + np.abs(horizontal).sum()) // 90, 100)


def _dct_matrix() -> NDArray[np.float32]:
    """Rows 1...16 of the 64-point DCT-II, shape (16, 64)."""
    row, column = np.mgrid[1:17, 0:64]
    return np.asarray(np.sqrt(2 / 64) * np.cos(np.pi / 128 * row * (2 * column + 1)), np.float32)


_DCT = _dct_matrix()
_SIGN = np.where(np.arange(16) % 2, 1.0, -1.0).astype(np.float32)  # + for odd rows: the DCT starts at frequency 1
_ROWS, _COLUMNS = _SIGN[:, None], _SIGN[None, :]


def _turned(dct: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The transforms of the turned pictures, shape (count, 16, 16), in the order of ``DIHEDRAL``."""
    if count == 1:
        return dct[None]
    swapped = dct.T
    both = _ROWS * _COLUMNS
    return np.stack(
        [
            dct,
            swapped * _ROWS,
            dct * both,
            swapped * _COLUMNS,
            dct * _ROWS,
            dct * _COLUMNS,
            swapped,
            swapped * both,
        ]
    )


@lru_cache(maxsize=256)
def _axis(length: int) -> NDArray[np.float32]:
    """Blur and sampling along one axis as a matrix, shape (64, length), float32.

    Two passes of a box ceil(length / 128) wide, cut off at the edges and divided by what remains, then the samples at
    floor((i + 0.5) * length / 64).
    """
    window = (length + 127) // 128
    ahead = (window + 2) // 2  # an even window reaches one further ahead than behind
    at = np.arange(length)
    first, last = np.maximum(at - (window - ahead), 0), np.minimum(at + ahead, length)
    inside = (at[None, :] >= first[:, None]) & (at[None, :] < last[:, None])
    box = inside / inside.sum(axis=1, keepdims=True)
    samples = ((np.arange(64) + 0.5) * length / 64).astype(int)
    return np.ascontiguousarray((box[samples] @ box).astype(np.float32))


@lru_cache(maxsize=256)
def _bands(length: int) -> tuple[tuple[slice, slice, NDArray[np.float32]], ...]:
    """``_axis`` cut into eight bands of rows with the columns they touch: a sixth of the multiplications."""
    matrix = _axis(length)
    found = []
    for top in range(0, 64, 8):
        columns = np.flatnonzero(matrix[top : top + 8].any(axis=0))
        span = slice(int(columns[0]), int(columns[-1]) + 1)
        found.append((slice(top, top + 8), span, np.ascontiguousarray(matrix[top : top + 8, span])))
    return tuple(found)


def _shrink_rows(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """``_axis(height) @ luma``, shape (64, width)."""
    out = np.empty((64, luma.shape[1]), np.float32)
    for rows, columns, band in _bands(luma.shape[0]):
        np.matmul(band, luma[columns], out=out[rows])
    return out


def canonical_luma(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The canonical input of a hash: 8-bit luma, area-resized so that the long side is 512 pixels.

    Args:
        rgb: uint8, shape (height, width, 3), or (height, width) for grey.

    Returns:
        float32, shape (height', width'); pictures whose long side is 512 or less keep their size. Luma is rounded to
        8 bits before and after resizing.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.ndim == 3 else rgb
    height, width = grey.shape
    scale = LONG_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return grey.astype(np.float32)


def pdq_of_file(
    path: Path, *, fast: bool = False, limits: Limits = DEFAULT_LIMITS
) -> tuple[Pdq, Pdq, Pdq, Pdq, Pdq, Pdq, Pdq, Pdq]:
    """The eight hashes of an image file's first frame: full decode, EXIF orientation, transparency on white.

    ``fast`` decodes a JPEG at a reduced scale (not below 256 pixels): unstable bits may differ, so it is for queries,
    never for hashes that are stored.

    Raises: MediaRefused.
    """
    grey = load_luma(path, at_least=_FAST_SIDE if fast else None, limits=limits)
    return pdq_dihedral(canonical_luma(grey))


def distance(a: bytes, b: bytes) -> int:
    """How many of the 256 bits of two hashes differ."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def distances(query: bytes, many: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Distance of one hash to each of many.

    Args:
        query: 32 bytes.
        many: uint8, shape (n, 32), C-contiguous rows as ``Pdq.bits`` has them.

    Returns:
        uint16, shape (n,), 0...256.
    """
    rows = np.ascontiguousarray(many).view(np.uint64)
    differing = np.bitwise_count(rows ^ np.frombuffer(query, np.uint64))
    return np.asarray(differing.sum(axis=1, dtype=np.uint16))
