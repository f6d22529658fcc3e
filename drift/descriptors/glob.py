"""Block ``glob``: 74 numbers on tone, colour, sharpness, grain and coding of a whole picture.

In this order: of L, a and b seven percentiles, mean and standard deviation (27); mean, deviation and 95th percentile of
chroma (3); square root of the share of clipped lights, and of darks (2); a pyramid of L with five levels, each giving
its log band energy and its log peakedness, the first three also four log gradient energies (22); three log band
energies of a, and of b (6); 8-pixel blockiness along rows and along columns (2); the radial spectrum of L (12).
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 74
SIDE = 256  # of both pictures that are looked at
_PERCENTS = (1, 5, 25, 50, 75, 95, 99)
_BLOCK = 8  # of JPEG and most video codecs
_RINGS = 12

Plane = NDArray[np.float32]


def glob(work: NDArray[np.uint8], native: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describe a picture given as 8-bit OpenCV Lab, both of shape (256, 256, 3).

    Args:
        work: the picture area-resized, which carries tone, colour and the coarse bands.
        native: its centre as stored, pixel for pixel, which carries what resizing destroys: the pyramids' finest
            level, blockiness and the spectrum. The same array as ``work`` where the picture is 256x256.

    Returns:
        float32, shape (74,). Levels 0...255, logarithms natural.
    """
    lightness, green_red, blue_yellow = cv2.split(work)
    fine = cv2.split(native)
    found: list[float] = []
    for channel in (lightness, green_red, blue_yellow):
        found += _spread_of(np.asarray(channel))
    found += _chroma(np.asarray(green_red), np.asarray(blue_yellow))
    found += [float(np.sqrt((lightness >= 254).mean())), float(np.sqrt((lightness <= 1).mean()))]
    found += _bands(np.asarray(lightness), np.asarray(fine[0]), levels=5, detailed=True)
    found += _bands(np.asarray(green_red), np.asarray(fine[1]), levels=3, detailed=False)
    found += _bands(np.asarray(blue_yellow), np.asarray(fine[2]), levels=3, detailed=False)
    exact = np.asarray(fine[0], np.float32)
    found += [_blockiness(np.abs(np.diff(exact, axis=1)).mean(0)), _blockiness(np.abs(np.diff(exact, axis=0)).mean(1))]
    return np.concatenate([np.array(found), _spectrum(exact)]).astype(np.float32)


def _spread_of(channel: NDArray[np.uint8]) -> list[float]:
    counts = np.bincount(channel.ravel(), minlength=256).cumsum()
    ranks = [int(np.searchsorted(counts * 100, percent * channel.size)) for percent in _PERCENTS]
    mean, deviation = cv2.meanStdDev(channel)
    return [*ranks, float(mean[0, 0]), float(deviation[0, 0])]


def _chroma(green_red: NDArray[np.uint8], blue_yellow: NDArray[np.uint8]) -> list[float]:
    chroma = cv2.magnitude(green_red.astype(np.float32) - 128, blue_yellow.astype(np.float32) - 128)
    return [float(chroma.mean()), float(chroma.std()), float(np.percentile(chroma[::4, ::4], 95))]


def _bands(work: NDArray[np.uint8], native: NDArray[np.uint8], *, levels: int, detailed: bool) -> list[float]:
    """Per level the energy between a picture and its blur; the finest level is the native picture's."""
    found: list[float] = []
    plane = work.astype(np.float32)
    for level in range(levels):
        blurred = _blurred(plane)
        if level == 0 and native is not work:
            exact = native.astype(np.float32)
            found += _band(exact, _blurred(exact), detailed=detailed, edges=detailed)
        else:
            found += _band(plane, blurred, detailed=detailed, edges=detailed and level < 3)
        plane = np.asarray(cv2.resize(blurred, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return found


def _blurred(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (5, 5), 1.0), np.float32)


def _band(plane: Plane, blurred: Plane, *, detailed: bool, edges: bool) -> list[float]:
    detail = cv2.absdiff(plane, blurred)
    mean, square = float(detail.mean()), float(cv2.multiply(detail, detail).mean())
    found = [float(np.log(square + 0.02))]
    if detailed:  # near 0 where detail is everywhere alike, far below where it sits in few places
        found.append(float(np.log((mean * mean + 0.01) / (square + 0.01))))
    if edges:
        across, down = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
        for slope in (across, down, across + down, across - down):
            found.append(float(np.log(cv2.multiply(slope, slope).mean() + 1)))
    return found


def _blockiness(steps: NDArray[np.float32]) -> float:
    """How much stronger steps are across the edges of the 8-pixel grid than elsewhere, as a logarithm."""
    on_edge = np.arange(len(steps)) % _BLOCK == _BLOCK - 1
    return float(np.log((steps[on_edge].mean() + 0.1) / (steps[~on_edge].mean() + 0.1)))


@cache
def _rings() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """A Hann window, the ring of every cell of a real transform's half plane, and how many cells each ring has."""
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    ring = np.minimum((radius / 0.5 * _RINGS).astype(np.intp), _RINGS - 1).ravel()  # corners join the last
    return window, ring, np.bincount(ring, minlength=_RINGS)


def _spectrum(plane: Plane) -> NDArray[np.float64]:
    window, ring, cells = _rings()
    power = np.abs(np.fft.rfft2((plane - plane.mean()) * window)) ** 2
    return np.asarray(np.log(np.bincount(ring, power.ravel(), _RINGS) / cells + 1), np.float64)
