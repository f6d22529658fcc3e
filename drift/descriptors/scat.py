"""Block ``scat``: 408 numbers on a picture's texture by scale, direction and place."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = 408
SIDE = 128
_SCALES, _TURNS = 4, 6


def scat(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Log mean moduli of 24 Gabor filters: first-order scattering (Bruna, Mallat 2013) without its low-pass.

    Args:
        grey: 8-bit luma, shape (128, 128).

    Returns:
        float32, shape (408,): 24 means over the picture, scale by scale from the finest, then those of 4x4 cells.
    """
    centred = grey.astype(np.float32) - np.float32(grey.mean())
    waves = np.asarray(cv2.dft(centred, flags=cv2.DFT_COMPLEX_OUTPUT), np.float32)
    found = np.empty((_SCALES * _TURNS, 4, 4), np.float32)
    for number, response in enumerate(_bank()):
        answer = cv2.dft(waves * response, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
        modulus = cv2.magnitude(answer[..., 0], answer[..., 1])
        found[number] = cv2.resize(modulus, (4, 4), interpolation=cv2.INTER_AREA)
    whole = found.mean((1, 2))
    return np.log(np.concatenate([whole, found.ravel()]) + np.float32(0.3))


@cache
def _bank() -> NDArray[np.float32]:
    """The filters as gains per frequency, shape (24, 128, 128, 1): each answers to one side of the spectrum only.

    Scale j centres on 0.35 / 2^j cycles per pixel, its Gaussian is 0.28 of that wide, and 1.5 times narrower across.
    """
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None]
    gains = []
    for scale in range(_SCALES):
        centre = 0.35 / 2**scale
        for turn in range(_TURNS):
            angle = np.pi * turn / _TURNS
            along = down * np.cos(angle) + across * np.sin(angle)
            beside = across * np.cos(angle) - down * np.sin(angle)
            gains.append(np.exp(-((along - centre) ** 2 + (1.5 * beside) ** 2) / (2 * (0.28 * centre) ** 2)))
    return np.array(gains, np.float32)[..., None]
