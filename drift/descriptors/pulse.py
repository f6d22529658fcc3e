"""The pulse of a sound: how its mel bands rise, how often, and in what time."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

_BEATS = (0.25, 1.5)  # seconds from beat to beat: 240 to 40 a minute
_USUAL = 0.5  # seconds: of two periods that explain the rises alike the one nearer to this is the beat
_SYLLABLES = (0.5, 16.0)  # Hz, of pace

Numbers = NDArray[np.float64]


def rising(bands: NDArray[np.float32], floor: float) -> Numbers:
    """By how many dB the bands rise from frame to frame, on average, falling ones as 0; shape (frames,), first 0.

    Args:
        bands: dB, shape (frames, bands).
        floor: dB, below which everything counts as this.
    """
    held = np.maximum(bands, np.float32(floor))
    steps = np.diff(held, axis=0)
    return np.concatenate([[0.0], np.maximum(steps, 0, out=steps).mean(1, dtype=np.float64)])


def onsets_a_second(rises: Numbers, step: float) -> float:
    """Local maxima more than a deviation above the mean, per second; ``step`` in seconds."""
    if len(rises) < 3 or rises.std() <= 0:
        return 0.0
    middle = rises[1:-1]
    peaks = (middle > rises[:-2]) & (middle >= rises[2:]) & (middle > rises.mean() + rises.std())
    return float(peaks.sum()) / (len(rises) * step)


def tempo(rises: Numbers, step: float) -> float:
    """Log2 of beats a second, 40 to 240 a minute, by the rises' autocorrelation; 0 where nothing tells it.

    The autocorrelation is weighted by exp(-log2(lag / 0.5 s)^2 / 2), its largest local maximum refined by a parabola;
    lags end at half of the frames.
    """
    first, last = max(2, int(_BEATS[0] / step)), min(int(_BEATS[1] / step), len(rises) // 2)
    centred = rises - rises.mean()
    if last < 2 * first or centred.std() <= 0:
        return 0.0
    size = next_fast_len(2 * len(centred), real=True)
    spectrum = rfft(centred, size)
    alike = irfft(np.square(spectrum.real) + np.square(spectrum.imag), size)[: last + 2]
    lags = np.arange(first, last + 1)
    left, middle, right = alike[first - 1 : last], alike[first : last + 1], alike[first + 1 : last + 2]
    weight = np.exp(-np.square(np.log2(lags * step / _USUAL)) / 2)
    worth = np.where((middle >= left) & (middle > right) & (middle > 0), middle * weight, 0.0)
    best = int(worth.argmax())
    if worth[best] <= 0:
        return 0.0
    bend = min(float(left[best] - 2 * middle[best] + right[best]), -1e-12)
    shift = float(np.clip(0.5 * (left[best] - right[best]) / bend, -0.5, 0.5))
    return -float(np.log2((lags[best] + shift) * step))


def pace(rises: Numbers, step: float) -> float:
    """Log2 of the mean rate in Hz at which the rises come and go, between 0.5 and 16 Hz; 0 where there are none."""
    power = np.square(np.abs(rfft(rises - rises.mean())))
    hertz = np.arange(len(power)) / (len(rises) * step)
    inside = (hertz >= _SYLLABLES[0]) & (hertz <= _SYLLABLES[1])
    total = float(power[inside].sum())
    return float((power[inside] * np.log2(hertz[inside])).sum()) / total if total > 0 else 0.0
