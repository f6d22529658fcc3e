"""Sound files: 16-bit PCM WAV, written and levelled; and what both builds of sound share."""

import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from replay.provider import Output
from replay.providers.body import Body
from replay.providers.procedural.dice import Dice

SAMPLE_RATES: Final = (16000, 22050, 24000, 44100, 48000)
PEAK: Final = 0.7
TREBLE_HZ: Final = 2000.0
TREBLE_DB: Final = {1: 0.0, 2: 4.0}
LEVEL_DB: Final = {1: 0.0, 2: -1.5}
"""What build 2 changes: treble above 2 kHz lifted by 4 dB (a shelf), the level lowered by 1.5 dB."""

JITTER: Final = 1.5
"""Standard deviation of ``seeded`` noise, in steps of 16 bits."""

Sound = NDArray[np.float64]
"""Mono samples in [-1, 1], shape (samples,)."""


def read_length(body: Body) -> tuple[int, int]:
    """Duration in milliseconds and sample rate in Hz, taken out of ``body``."""
    return body.whole("duration_ms", 4000, 250, 60000), int(body.choice("sample_rate", 24000, SAMPLE_RATES))


def write_wav(path: Path, sound: Sound, rate: int, build: int, jitter: Dice | None) -> Output:
    """Master ``sound`` for its build and write it, one channel of 16 bits."""
    loudest = max(float(np.max(np.abs(sound))), 1e-9)
    mastered = _shelf(sound * (PEAK / loudest), rate, TREBLE_DB[build]) * 10.0 ** (LEVEL_DB[build] / 20.0)
    steps = mastered * 32767.0
    if jitter is not None:
        steps = steps + JITTER * jitter.gaussian(steps.shape)
    samples = np.clip(np.rint(steps), -32768, 32767).astype("<i2")
    with path.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return Output("audio", "audio/wav", path)


def _shelf(sound: Sound, rate: int, decibels: float) -> Sound:
    """A high shelf at ``TREBLE_HZ`` (biquad of R. Bristow-Johnson's Audio EQ Cookbook, slope 1)."""
    if not decibels:
        return sound
    gain = 10.0 ** (decibels / 40.0)
    angle = 2.0 * np.pi * TREBLE_HZ / rate
    cosine, alpha = np.cos(angle), np.sin(angle) / np.sqrt(2.0)
    root = 2.0 * np.sqrt(gain) * alpha
    b = gain * np.array(
        [
            (gain + 1) + (gain - 1) * cosine + root,
            -2 * ((gain - 1) + (gain + 1) * cosine),
            (gain + 1) + (gain - 1) * cosine - root,
        ]
    )
    a = np.array(
        [
            (gain + 1) - (gain - 1) * cosine + root,
            2 * ((gain - 1) - (gain + 1) * cosine),
            (gain + 1) - (gain - 1) * cosine - root,
        ]
    )
    return np.asarray(signal.lfilter(b / a[0], a / a[0], sound), np.float64)
