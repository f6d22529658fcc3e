"""Sixteen bits a channel: Pillow reads the high byte of colours only, here it is made to read the low one."""

import sys
from typing import Any, cast

from PIL import Image, ImageSequence

_COLOURS = frozenset({"RGB", "RGBA", "CMYK"})  # grey is read whole, as I;16
_RAW = {
    "LA;16B": "RGBA",  # four bytes a pixel: high and low of grey, high and low of alpha
    "RGBa;16L": "RGBA;16B",  # alpha stays as stored, no division by it
    "RGBa;16B": "RGBA;16L",
}
_NATIVE = "L" if sys.byteorder == "little" else "B"
_OTHER_BYTE = str.maketrans("LB", "BL")


def is_deep(image: Image.Image) -> bool:
    """Whether the current frame stores 16 bits of each colour; told before the frame is loaded."""
    return image.mode in _COLOURS and any(";16" in _raw_mode(tile.args) for tile in _tiles(image))


def has_deep_frames(image: Image.Image, most: int) -> bool:
    """Whether any of the first ``most`` frames is deep; leaves the image at the frame looked at last."""
    if image.format == "PNG":
        return is_deep(image)  # all frames of an animation share the header
    if image.format != "TIFF":
        return False
    return any(is_deep(frame) for _, frame in zip(range(most), ImageSequence.Iterator(image), strict=False))


def turn_to_low_bytes(image: Image.Image) -> None:
    """Make the frame's ``load`` give the low bytes where it is deep: what comes first is swapped with what is next."""
    if is_deep(image):
        image.tile = [tile._replace(args=_swapped(tile.args)) for tile in _tiles(image)]  # type: ignore[attr-defined]


def _tiles(image: Image.Image) -> list[Any]:
    return cast("list[Any]", getattr(image, "tile", []))


def _raw_mode(args: object) -> str:
    """The raw mode of a tile's arguments: these are that text alone, or begin with it."""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _swapped(args: object) -> object:
    raw = _raw_mode(args)
    if raw.endswith(";16N"):
        raw = raw[:-1] + _NATIVE
    turned = _RAW.get(raw) or raw[:-1] + raw[-1].translate(_OTHER_BYTE)
    return (turned, *args[1:]) if isinstance(args, tuple) else turned
