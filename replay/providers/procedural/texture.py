"""Textures: fractal noise and the few curves that pictures are shaped with.

Every field is float32 of shape (height, width). Sizes of features are given in parts of the height, so a scene keeps
its composition at any resolution. Pixels are computed one by one, never summed across threads: the number of threads
changes nothing.
"""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from replay.providers.procedural.dice import Dice

Field: TypeAlias = NDArray[np.floating[Any]]


def smooth(low: float, high: float, x: Field) -> Field:
    """0 below ``low``, 1 above ``high``, a cubic between (Hermite, 3t² - 2t³); with low > high it falls."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def lattice(dice: Dice, height: int, width: int, cells: float, stretch: float = 1.0) -> Field:
    """Value noise in [0, 1]: random values ``cells`` to the height, wider by ``stretch``, joined by cubics."""
    across = cells * width / height / stretch
    rows, columns = int(np.ceil(cells)) + 4, int(np.ceil(across)) + 4
    values = dice.array((rows, columns))
    size = (round(columns * width / across), round(rows * height / cells))
    large = cv2.resize(values, size, interpolation=cv2.INTER_CUBIC)
    top, left = round(1.5 * height / cells), round(1.5 * width / across)
    return np.asarray(large[top : top + height, left : left + width], np.float32)


def fractal(
    dice: Dice,
    height: int,
    width: int,
    *,
    cells: float,
    octaves: int,
    gain: float = 0.5,
    stretch: float = 1.0,
    ridged: bool = False,
) -> Field:
    """Fractal noise, about [0, 1]: octaves of ``lattice``, each twice as fine and ``gain`` times as strong.

    With ``ridged`` each octave is folded at its middle, which gives crests (Musgrave's ridged multifractal, without
    its feedback). Octaves finer than two pixels are left out.
    """
    half = (height + 1) // 2, (width + 1) // 2
    coarse, total = np.zeros(half, np.float32), np.zeros((height, width), np.float32)
    weight = 0.0
    for octave in range(octaves):
        fine = cells * 2.0**octave
        if octave and fine > height / 2:
            break
        # Features of eight pixels and more lose nothing at half the size, and cost a quarter.
        sheet = coarse if fine <= height / 8 else total
        layer = lattice(dice, *sheet.shape, fine, stretch)
        if ridged:
            layer = 1.0 - np.abs(2.0 * layer - 1.0)
        sheet += np.float32(gain**octave) * layer
        weight += gain**octave
    total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return total / np.float32(weight)


def profile(dice: Dice, width: int, *, cells: float, octaves: int, gain: float = 0.5, ridged: bool = False) -> Field:
    """One line of fractal noise, shape (width,): ``cells`` to the whole width."""
    rows = 4
    field = np.zeros(width, np.float32)
    weight = 0.0
    for octave in range(octaves):
        fine = cells * 2.0**octave
        if octave and fine > width / 2:
            break
        columns = int(np.ceil(fine)) + 4
        values = np.repeat(dice.array((1, columns)), rows, axis=0)
        large = cv2.resize(values, (round(columns * width / fine), rows), interpolation=cv2.INTER_CUBIC)[0]
        left = round(1.5 * width / fine)
        layer = large[left : left + width]
        if ridged:
            layer = 1.0 - np.abs(2.0 * layer - 1.0)
        field += gain**octave * layer
        weight += gain**octave
    return field / np.float32(weight)


def bend(field: Field, dx: Field, dy: Field) -> Field:
    """``field`` read at places moved by (dx, dy) pixels; mirrored at the edges."""
    height, width = field.shape
    x = np.arange(width, dtype=np.float32)[None, :] + dx
    y = np.arange(height, dtype=np.float32)[:, None] + dy
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def slopes(field: Field) -> tuple[Field, Field]:
    """Change of ``field`` to the right and downward, for each height of the picture (not for each pixel)."""
    height = field.shape[0]
    dx = cv2.Sobel(field, cv2.CV_32F, 1, 0, ksize=3) * (height / 8.0)
    dy = cv2.Sobel(field, cv2.CV_32F, 0, 1, ksize=3) * (height / 8.0)
    return np.asarray(dx, np.float32), np.asarray(dy, np.float32)
