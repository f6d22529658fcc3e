"""Assertions on one picture: black, flat, noise, cut off."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.assertions.finding import Finding, Verdict
from drift.media.image import grey

DARK = 10  # of 255: the brightest channel of a black picture, but for a ten-thousandth of its pixels
PLAIN = 8  # levels from the middle colour
STRAY = 1e-4  # share of pixels that may stand out of a black or flat picture
_ALIKE = 0.3  # correlation of neighbours in noise
_LOUD, _DENSE = 20.0, 10.0  # deviation and median absolute deviation, in levels, of noise
_LOOKED_AT = 1024  # pixels a side of a window
_CELLS = 32  # a side, at the coarsest scale noise is looked for
_BLOTCHES = (1, 2, 4, 8)  # pixels a side
_GREY, _NEAR = 128, 3  # what JPEG decoders fill a missing end with, and how exactly
_UNIT = 16  # rows of a JPEG's coding unit: the last one decoded may be half filled
_SHORT, _FEW = 0.02, 8  # share and number of rows of a grey fill
_LOWER = 0.2  # share of rows of a black fill: narrower bands are drawn on purpose
_EDGE = 0.2  # share of fill colour that the last good rows may hold


def check_picture(rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
    """All four findings of uint8 RGB, shape (height, width, 3)."""
    black = check_black(rgb)
    if black.verdict == "failed":
        why = "the picture is black"
        rest = [Finding(name, "not-applicable", why) for name in ("image.flat/1", "image.noise/1", "image.cut_off/1")]
        return (black, *rest)
    return black, check_flat(rgb), check_noise(rgb), check_cut_off(rgb)


def check_black(rgb: NDArray[np.uint8]) -> Finding:
    """Whether all but one in ten thousand pixels are at most 10 in every channel."""
    level = upper_level(np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2]))
    said = f"its brightest pixels reach {level} of 255"
    verdict: Verdict = "failed" if level <= DARK else "ok"
    return Finding(
        "image.black/1", verdict, _sentence("the picture is black", verdict, said), level, "levels", DARK, "below"
    )


def upper_level(plane: NDArray[np.uint8]) -> int:
    """The least level that all but a ten-thousandth of a plane's values keep to (all of them below 10,000 values).

    Args:
        plane: uint8, shape (height, width).

    Returns:
        0 to 255.
    """
    counts = _counts(plane)
    return _level(counts, int(counts.sum()))


def spread(plane: NDArray[np.uint8]) -> int:
    """As ``upper_level``, of the values' distances from their median: small for a flat plane.

    Args:
        plane: uint8, shape (height, width).

    Returns:
        0 to 255, in levels.
    """
    return _spread(_counts(plane))


def _counts(picture: NDArray[np.uint8], channel: int = 0) -> NDArray[np.int64]:
    """How often each of 256 levels occurs (NumPy's own count would take eight bytes a pixel)."""
    return np.rint(cv2.calcHist([picture], [channel], None, [256], [0, 256])).astype(np.int64).ravel()


def _level(counts: NDArray[np.int64], size: int) -> int:
    return int(np.searchsorted(np.cumsum(counts), size - int(STRAY * size)))


def _spread(counts: NDArray[np.int64]) -> int:
    size = int(counts.sum())
    middle = int(np.searchsorted(np.cumsum(counts), (size + 1) // 2))
    away = np.zeros(256, np.int64)
    np.add.at(away, np.abs(np.arange(256) - middle), counts)
    return _level(away, size)


def check_flat(rgb: NDArray[np.uint8]) -> Finding:
    """Whether all but one in ten thousand pixels lie within 8 levels of the middle colour, in every channel."""
    level = max(_spread(_counts(rgb, channel)) for channel in range(3))
    verdict: Verdict = "failed" if level <= PLAIN else "ok"
    said = f"colours reach {level} levels from the middle one"
    return Finding(
        "image.flat/1",
        verdict,
        _sentence("the picture is one flat colour", verdict, said),
        level,
        "levels",
        PLAIN,
        "below",
    )


def check_noise(rgb: NDArray[np.uint8]) -> Finding:
    """Whether pixels, or blotches of up to 8 pixels, have nothing to do with their neighbours.

    Looked at in the middle; only where that is noise in two corners as well.
    """
    name = "image.noise/1"
    if min(rgb.shape[:2]) < _CELLS:
        return Finding(name, "not-applicable", f"the picture is smaller than {_CELLS}x{_CELLS}")
    value, scale = _noise(_window(rgb, 0.5))
    if scale and all(_noise(_window(rgb, corner))[1] for corner in (0.0, 1.0)):
        what = "pixels" if scale == 1 else f"blotches of {scale} pixels"
        why = f"the picture is noise: neighbouring {what} correlate by {value:.2f}"
        return Finding(name, "failed", why, value, "", _ALIKE, "below")
    return Finding(name, "ok", f"neighbours correlate by up to {value:.2f}", value, "", _ALIKE, "below")


def _window(rgb: NDArray[np.uint8], along: float) -> NDArray[np.uint8]:
    """A window on the diagonal, from the upper left corner (0) to the lower right one (1)."""
    top, left = (round(max(0, side - _LOOKED_AT) * along) for side in rgb.shape[:2])
    return rgb[top : top + _LOOKED_AT, left : left + _LOOKED_AT]


def _noise(rgb: NDArray[np.uint8]) -> tuple[float, int]:
    """The correlation of neighbours and the scale of noise; the largest correlation and 0 where it is none."""
    scales = [scale for scale in _BLOTCHES if min(rgb.shape[:2]) // scale >= _CELLS]
    cells = {scale: _cells(rgb, scale) for scale in scales}
    lumas = {scale: grey(shown).astype(np.float32) for scale, shown in cells.items()}
    alike = {scale: neighbours(luma) for scale, luma in lumas.items()}
    for scale in scales:
        coarser = max(value for other, value in alike.items() if other >= scale)
        if coarser < _ALIKE and is_loud(lumas[scale]) and (scale == 1 or _coloured(cells[scale])):
            return alike[scale], scale
    return max(alike.values()), 0


def _cells(rgb: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    if scale == 1:
        return rgb
    size = rgb.shape[1] // scale, rgb.shape[0] // scale
    cropped = rgb[: size[1] * scale, : size[0] * scale]
    return np.asarray(cv2.resize(cropped, size, interpolation=cv2.INTER_AREA), np.uint8)


def is_loud(plane: NDArray[np.float32]) -> bool:
    """Whether most values, not only a few dots, lie far from the middle."""
    return float(plane.std()) >= _LOUD and float(np.median(np.abs(plane - np.median(plane)))) >= _DENSE


def _coloured(cells: NDArray[np.uint8]) -> bool:
    """Codes, print and halftones are made of grey blotches on purpose; blotches of noise differ in colour too."""
    signed = cells.astype(np.float32)
    red, blue = signed[..., 0] - signed[..., 1], signed[..., 2] - signed[..., 1]
    return all(float(plane.std()) >= _LOUD and neighbours(plane) < 2 * _ALIKE for plane in (red, blue))


def neighbours(plane: NDArray[np.float32]) -> float:
    """The largest absolute correlation of values one or two apart, down or across.

    Args:
        plane: float32, shape (height, width), in any unit.

    Returns:
        In [0, 1]; 1 for a plane that is constant or a single value.
    """
    centred = plane - plane.mean()
    power = float(np.mean(centred * centred))
    if power < 1e-6:
        return 1.0
    found = [float(np.mean(centred[step:] * centred[:-step]) / power) for step in (1, 2) if plane.shape[0] > step] + [
        float(np.mean(centred[:, step:] * centred[:, :-step]) / power) for step in (1, 2) if plane.shape[1] > step
    ]
    return min(max(map(abs, found), default=1.0), 1.0)


def check_cut_off(rgb: NDArray[np.uint8]) -> Finding:
    """Whether the lower part is what decoders put where data is missing: mid grey, or black from a straight edge on.

    Bars that the top or the sides have too are a frame or a letterbox.
    """
    name, height = "image.cut_off/1", rgb.shape[0]
    if height < 4 * _UNIT:
        return Finding(name, "not-applicable", f"the picture is under {4 * _UNIT} rows high")
    for level, colour, least in ((_GREY, "grey", _SHORT), (0, "black", _LOWER)):
        within = _NEAR if level else 1
        near = cv2.inRange(rgb, (level - within,) * 3, (level + within,) * 3)
        rows = cv2.reduce(near, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / 255
        fill = _run(rows[::-1] >= 0.99)
        share = fill / height
        if fill < _FEW or share < least or fill == height:
            continue
        framed = (
            _run(rows >= 0.99) >= 0.5 * fill
            or _run(cv2.reduce(near[: height - fill], 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() >= 0.9 * 255) > 0
        )
        above = rows[max(0, height - fill - 2 * _UNIT) : max(1, height - fill - _UNIT)]
        if not framed and float(above.mean()) <= _EDGE:
            why = f"the picture is cut off: its lower {share:.0%} are {colour} fill"
            return Finding(name, "failed", why, share, "share of rows", least)
    return Finding(name, "ok", "its lower edge is no fill", 0.0, "share of rows", _SHORT)


def _run(flags: NDArray[np.bool_]) -> int:
    """How many are True from the start on."""
    return int(np.argmin(flags)) if not flags.all() else len(flags)


def _sentence(what: str, verdict: str, said: str) -> str:
    return f"{what}: {said}" if verdict == "failed" else said
