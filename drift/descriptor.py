"""The image descriptor ``mm-desc-2``: a picture as 2,418 numbers in four blocks, the input of unseeded drift."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.descriptors import cur, glob, hist, lay, scat
from drift.errors import DriftError

Block = NDArray[np.float32]
_SIZES = {"glob": glob.SIZE, "hist": hist.SIZE, "lay": lay.SIZE, "scat": scat.SIZE, "cur": cur.SIZE}
_SIDE = glob.SIDE


class InvalidDescriptor(DriftError):
    """Numbers that no picture can have."""

    def __init__(self, block: str, why: str) -> None:
        """Name the block and what is wrong with it."""
        super().__init__(f"descriptor block {block} is unusable: {why}; describe the picture again")


@dataclass(frozen=True, slots=True, eq=False)
class Descriptor:
    """One picture in numbers, all float32.

    Attributes:
        glob: tone, colour, sharpness, grain and coding, shape (74,).
        hist: which colours there are, shape (864,).
        lay: what is where, shape (1072,).
        scat: texture by scale, direction and place, shape (408,).
        cur: a small summary, shape (202,), beside the four.
    """

    version: ClassVar[str] = "mm-desc-2"  # rises whenever any number changes

    glob: Block
    hist: Block
    lay: Block
    scat: Block
    cur: Block

    def __post_init__(self) -> None:
        """Raises: InvalidDescriptor."""
        for name, size in _SIZES.items():
            block = getattr(self, name)
            if block.shape != (size,) or block.dtype != np.float32:
                raise InvalidDescriptor(name, f"{block.dtype} of shape {block.shape} instead of float32 of ({size},)")
            if not np.isfinite(block).all():
                raise InvalidDescriptor(name, "it holds a number that is not finite")


def describe(rgb: NDArray[np.uint8]) -> Descriptor:
    """Describe a picture of any size.

    It is area-resized to 256x256, whatever its shape, and taken to OpenCV's 8-bit Lab (Lab of sRGB under D65, L scaled
    to 255, a and b offset by 128). What resizing would destroy (grain, sharpness, the coder's 8-pixel grid) is read
    from the picture's own central 256x256 pixels, aligned to multiples of 8; where a side is shorter than 256, from
    the resized picture.

    Args:
        rgb: uint8, shape (height, width, 3), at least one pixel.

    Raises:
        ValueError: another dtype or shape.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a picture is uint8 of shape (height, width, 3), not {rgb.dtype} of {rgb.shape}")
    work = _resized(rgb, _SIDE)
    lab = _lab(work)
    small = _resized(work, _SIDE // 2)
    small_lab = _lab(small)
    return Descriptor(
        glob=glob.glob(lab, lab if rgb.shape == work.shape else _native(rgb, lab)),
        hist=hist.hist(small_lab),
        lay=lay.lay(small_lab),
        scat=scat.scat(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)),
        cur=cur.cur(lab, np.asarray(cv2.cvtColor(work, cv2.COLOR_RGB2GRAY), np.uint8)),
    )


def _resized(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)


def _native(rgb: NDArray[np.uint8], otherwise: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The central pixels as stored, cut on the grid of 8 on which coders work."""
    height, width = rgb.shape[:2]
    if min(height, width) < _SIDE:
        return otherwise
    top, left = ((length - _SIDE) // 2 // 8 * 8 for length in (height, width))
    return _lab(np.ascontiguousarray(rgb[top : top + _SIDE, left : left + _SIDE]))
