"""The stage: what a scene is painted on, and how its layers become one frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from replay.providers.procedural.palette import Colour
from replay.providers.procedural.texture import Field, smooth

Picture: TypeAlias = NDArray[np.floating[Any]]
"""RGB in [0, 1], shape (height, width, 3)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Sizes in pixels: ``width`` is what a frame shows, ``painted`` what layers cover, the camera's way included."""

    height: int
    width: int
    painted: int

    def grid(self) -> tuple[Field, Field]:
        """Coordinates: x of shape (1, painted) and y of shape (height, 1), both in heights of the picture."""
        x = (np.arange(self.painted, dtype=np.float32)[None, :] + 0.5) / self.height
        y = (np.arange(self.height, dtype=np.float32)[:, None] + 0.5) / self.height
        return x, y

    @property
    def aspect(self) -> float:
        """Width of a frame in heights."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class Layer:
    """One sheet of a scene.

    ``colour`` is (height, painted, 3), ``cover`` how much of what lies behind it hides, (height, painted), None for all
    of it. ``speed`` is how far the layer moves for the camera's way of 1: 0 for the sky, 1 for what stands nearest.
    ``move``, where given, makes colour and cover of a moment (seconds) instead.
    """

    colour: Picture
    cover: Field | None
    speed: float
    move: Callable[[float], tuple[Picture, Field | None]] | None = None


def mix(a: Colour | Picture, b: Colour | Picture, share: Field | float) -> Picture:
    """``a`` where ``share`` is 0, ``b`` where it is 1; a field, (height, width), is spread over the three channels."""
    if not isinstance(share, np.ndarray):
        return np.asarray(a + (b - a) * np.float32(share), np.float32)
    weight = share.astype(np.float32, copy=False)
    if a.ndim == 1 and b.ndim == 1:
        return _affine(weight, b - a, a)
    # NumPy is slow where the last axis has three elements to broadcast over; spreading the field first is not.
    spread = cv2.merge((weight, weight, weight))
    if b.ndim == 1:
        return np.asarray(a + (_affine(weight, b) - a * spread), np.float32)
    return np.asarray(a + (b - a) * spread, np.float32)


def screen(picture: Picture, light: Colour, amount: Field) -> Picture:
    """Add light without overshooting: 1 - (1 - picture)(1 - light · amount)."""
    glow = _affine(np.clip(amount, 0.0, 1.0).astype(np.float32, copy=False), light)
    return np.asarray(picture + (1.0 - picture) * glow, np.float32)


def _affine(field: Field, factor: Colour, offset: Colour | None = None) -> Picture:
    """The field times ``factor`` plus ``offset``, for each channel."""
    added = (0.0, 0.0, 0.0) if offset is None else offset
    channels = [field * np.float32(f) + np.float32(o) for f, o in zip(factor, added, strict=True)]
    return np.asarray(cv2.merge(channels), np.float32)


def frame(layers: Sequence[Layer], stage: Stage, way: float = 0.0, time: float = 0.0) -> Picture:
    """The layers, far to near, seen after the camera went ``way`` pixels to the right and ``time`` seconds passed."""
    picture: Picture = np.zeros((stage.height, stage.width, 3), np.float32)
    for layer in layers:
        colour, cover = layer.move(time) if layer.move else (layer.colour, layer.cover)
        offset = way * layer.speed
        seen = _window(colour, stage, offset)
        picture = seen if cover is None else mix(picture, seen, _window(cover, stage, offset))
    return picture


def finish(picture: Picture, grain: Field) -> Picture:
    """What a lens and a film add: glow around highlights, darker corners, grain (in units of 1/255)."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(width // 4, 8), max(height // 4, 8)), interpolation=cv2.INTER_AREA)
    bright = np.clip(small - 0.72, 0.0, None)
    halo = cv2.resize(cv2.GaussianBlur(bright, (0, 0), height / 60.0), (width, height), interpolation=cv2.INTER_LINEAR)
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    corners = 1.0 - 0.26 * smooth(0.55, 2.1, x * x + y * y)
    finished = (picture + 0.8 * halo) * corners[..., None] + grain[..., None] / np.float32(255.0)
    return np.asarray(np.clip(finished, 0.0, 1.0), np.float32)


def _window(sheet: NDArray[np.floating[Any]], stage: Stage, offset: float) -> NDArray[np.floating[Any]]:
    left = int(offset)
    part = sheet[:, left : left + stage.width]
    share = np.float32(offset - left)
    if share:
        part = part + (sheet[:, left + 1 : left + 1 + stage.width] - part) * share
    return part
