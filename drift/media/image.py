"""Images: facts, canonical frames, and RGB pixels as a viewer shows them."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, repeat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, ImageSequence, UnidentifiedImageError

from drift.errors import MediaEmpty, MediaRefused, MediaTooLarge, MediaUnreadable
from drift.media import avif
from drift.media.depth import has_deep_frames, is_deep, turn_to_low_bytes
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Fact

# Pillow's own bomb guard warns on standard error and knows no limits of ours; every image here passes ``_check_size``.
Image.MAX_IMAGE_PIXELS = None
# Nor may odd metadata speak there. Once and for the process: per-call filters are not safe among threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_READERS = ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"]  # by content; Pillow's other readers stay shut
_COARSE = frozenset({"1", "P", "PA", "YCbCr", "LAB", "HSV", "RGBX", "La", "RGBa"})


def image_facts(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> dict[str, Fact]:
    """Decode every frame and return ``kind``, ``width``, ``height`` (after EXIF orientation) and ``mode``.

    The mode is Pillow's, with ``;16`` behind it for colours of 16 bits a channel, which Pillow calls RGB as well, and
    ``;10`` or ``;12`` for AVIF of that depth.

    Raises: MediaRefused: damaged, truncated, without pixels, or larger than ``limits.pixels`` over all frames.
    """
    with opened(path, limits=limits, name=name) as image:
        depth = 16 if is_deep(image) else avif.bits(path, limits=limits) if image.format == "AVIF" else 8
        mode = f"{image.mode};{depth}" if depth > 8 else image.mode
        first: tuple[int, int] | None = None
        for frame in _frames(image, limits, name or path.name):
            if first is None:
                first = _upright(frame).size
        width, height = first or image.size
    return {"kind": "image", "width": width, "height": height, "mode": mode}


@contextmanager
def opened(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Iterator[Image.Image]:
    """Open an image for reading, its header checked against ``limits``; whatever fails inside becomes MediaRefused."""
    where = name or path.name
    try:
        with Image.open(path, formats=_READERS) as image:
            _check_size(image.size, 1, limits, where)
            yield image
    except MediaRefused:
        raise
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # damaged input makes Pillow's readers raise nearly every built-in exception
        raise _refusal(error, where) from None


def _refusal(error: Exception, where: str) -> MediaUnreadable:
    text = str(error) or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return MediaUnreadable(where, f"the image is truncated ({text})", "fetch it again")
    if isinstance(error, UnidentifiedImageError):
        text = "its header makes no sense"
    return MediaUnreadable(where, f"the image cannot be decoded ({text})", "give an undamaged image")


def _check_size(size: tuple[int, int], frames: int, limits: Limits, where: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise MediaEmpty(where, f"the image is {width}x{height}", "give an image with at least one pixel")
    if width * height * frames > limits.pixels:
        shown = f"{width:,}x{height:,} pixels" + (f" in at least {frames:,} frames" if frames > 1 else "")
        raise MediaTooLarge(
            where, f"{shown} is beyond the limit of {limits.pixels:,} pixels", "give a smaller image or raise the limit"
        )


def _frames(image: Image.Image, limits: Limits, where: str, *, low: bool = False) -> Iterator[Image.Image]:
    for number, frame in enumerate(ImageSequence.Iterator(image), 1):
        _check_size(frame.size, number, limits, where)
        if number > limits.frames:
            why = f"it has more than the limit of {limits.frames:,} frames"
            raise MediaTooLarge(where, why, "give fewer frames or raise the limit")
        if low:
            turn_to_low_bytes(frame)
        frame.load()
        yield frame
    declared = getattr(image, "n_frames", 1)
    if number < declared:
        raise MediaUnreadable(where, f"truncated: {number} of {declared} frames can be decoded", "fetch it again")


def canonical_frames(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> Iterator[tuple[Image.Image, Image.Image | None, int]]:
    """Every frame, its low bytes, its duration in milliseconds (0 for a still), as the content digest is taken of them.

    EXIF orientation is applied; palettes and coarse modes become RGB (L for bilevel), with alpha where they have it;
    an alpha channel that is opaque everywhere is dropped. Colour profiles are ignored. Of colours with 16 bits a
    channel the frame holds the high bytes; low bytes are None in files without any such frame.
    """
    where = name or path.name
    with opened(path, limits=limits, name=name) as image, opened(path, limits=limits, name=name) as again:
        deep = has_deep_frames(again, limits.frames)
        lows = _frames(again, limits, where, low=True) if deep else repeat(None)
        for frame, low in zip(_frames(image, limits, where), lows, strict=False):
            duration = int(frame.info.get("duration") or 0) if getattr(image, "is_animated", False) else 0
            yield _canonical(_upright(frame)), None if low is None else _opaque_dropped(_upright(low)), duration


def _canonical(image: Image.Image) -> Image.Image:
    transparent = "transparency" in image.info
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in _COARSE or transparent:
        alpha = transparent or image.mode in {"PA", "La", "RGBa"}
        image = image.convert("RGBA" if alpha else "RGB")
    return _opaque_dropped(image)


def _opaque_dropped(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA"} and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert(image.mode[:-1])
    return image


def load_rgb(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> NDArray[np.uint8]:
    """The first frame as uint8 RGB, shape (height, width, 3), as shown on a white page.

    EXIF orientation is applied and transparency composited onto white. 16-bit grey is divided by 257, floating-point
    grey is clipped to 0...255; colour profiles are ignored.

    Raises: MediaRefused.
    """
    with opened(path, limits=limits, name=name) as image:
        image.load()
        return _rgb(image)


def frame_count(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> int:
    """How many frames an image file states; 1 for a still. Raises: MediaRefused."""
    with opened(path, limits=limits, name=name) as image:
        return int(getattr(image, "n_frames", 1)) if getattr(image, "is_animated", False) else 1


def frames_rgb(
    path: Path, *, most: int, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> Iterator[NDArray[np.uint8]]:
    """The first ``most`` frames of an animation as ``load_rgb`` shows one, one after another. Raises: MediaRefused."""
    with opened(path, limits=limits, name=name) as image:
        for frame in islice(_frames(image, limits, name or path.name), most):
            yield _rgb(frame)


def _rgb(frame: Image.Image) -> NDArray[np.uint8]:
    shown = _on_white(_upright(frame))
    return np.asarray(shown if shown.mode == "RGB" else shown.convert("RGB"))


def load_luma(
    path: Path, *, at_least: int | None = None, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> NDArray[np.uint8]:
    """The first frame's 8-bit luma, shape (height, width): 0.299 R + 0.587 G + 0.114 B of what ``load_rgb`` shows.

    Of a colour JPEG it is the coded Y component itself, at a quarter of the time. ``at_least`` lets the JPEG decoder
    skip detail and return a picture halved up to three times, whose sides are no shorter than that (or as stored).

    Raises: MediaRefused.
    """
    with opened(path, limits=limits, name=name) as image:
        if image.format == "JPEG" and image.mode in {"RGB", "L"}:
            image.draft("L", (at_least, at_least) if at_least else image.size)
        image.load()
        shown = _on_white(_upright(image))
        return np.asarray(shown) if shown.mode == "L" else grey(np.asarray(shown))


def grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """8-bit luma of uint8 RGB, shape (height, width, 3) to (height, width): 0.299 R + 0.587 G + 0.114 B, rounded."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _upright(image: Image.Image) -> Image.Image:
    return image if image.getexif().get(ExifTags.Base.Orientation, 1) == 1 else ImageOps.exif_transpose(image)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=255.0)
        if image.mode != "F" and (";16" in image.mode or grey.max() > 255):
            grey = grey / 257
        image = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    image = _canonical(image)
    if image.mode in {"RGBA", "LA"}:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image if image.mode in {"RGB", "L"} else image.convert("RGB")
