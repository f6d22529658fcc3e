"""Tone: the one documented difference between build 1 and build 2, and the rounding to 8 bits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.stage import Picture

GAMMA: Final = {1: 1.0, 2: 0.85}
"""Exponent of the tone curve by build: 2 has brighter mid-tones."""

JITTER: Final = 0.8
"""Standard deviation of ``seeded`` noise, in units of 1/255: two pictures of such runs lie about 47 dB
apart (PSNR), two films about 40 dB, as the encoder answers noise with other choices."""


def develop(picture: Picture, build: int, jitter: Dice | None) -> NDArray[np.uint8]:
    """A picture in [0, 1] as 8-bit RGB, with the build's tone curve and the run's noise."""
    toned = picture if GAMMA[build] == 1.0 else np.power(picture, np.float32(GAMMA[build]))
    levels = toned * np.float32(255.0)
    if jitter is not None:
        levels = levels + np.float32(JITTER) * jitter.gaussian(levels.shape)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
