"""Spectral distance of two recordings: mean difference of log-mel pictures, aligned in time and level.

40-band and finer mel pictures are what recognisers hear by; 64 bands of O'Shaughnessy's mel scale are used here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.metrics.lag import lag_of, tamed
from drift.score import Score
from drift.side import LISTENED_S, SPEECH_RATE, Side

_WINDOW, _HOP, _FFT, _BANDS = 400, 160, 512, 64  # 25 ms and 10 ms at 16 kHz
_LOWEST, _HIGHEST = 20.0, 8_000.0  # Hz
FLOOR_DB = -60.0  # below the louder picture's loudest cell
_ROWS = 4096  # frames transformed at a time


@dataclass(frozen=True, slots=True)
class MelPictures:
    """Two log-mel pictures in dB, shape (frames, 64), floored alike; ``aligned`` in time or merely begun together."""

    reference: NDArray[np.float32]
    candidate: NDArray[np.float32]
    aligned: bool


def _filters() -> NDArray[np.float32]:
    """Triangles of equal width in mel = 1127 ln(1 + f / 700), shape (257, 64), peak 1."""
    edges = np.linspace(1127 * np.log1p(_LOWEST / 700), 1127 * np.log1p(_HIGHEST / 700), _BANDS + 2)
    hertz = 700 * np.expm1(edges / 1127)
    bins = np.arange(_FFT // 2 + 1)[:, None] * SPEECH_RATE / _FFT
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)


_FILTERS = _filters()
_HANN = np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW), np.float32)


def mel_power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel power of mono 16 kHz samples, shape (frames, 64); frames that do not fit are left out, short input padded."""
    if len(samples) < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    parts = []
    for top in range(0, len(windows), _ROWS):
        spectrum = np.fft.rfft(windows[top : top + _ROWS] * _HANN, _FFT)
        parts.append(np.asarray(np.square(np.abs(spectrum)), np.float32) @ _FILTERS)
    return np.concatenate(parts)


def mel_pictures(reference: NDArray[np.float32], candidate: NDArray[np.float32], lag: int | None = None) -> MelPictures:
    """Align two mono recordings by ``lag`` samples, give both the same power, and take log-mel pictures.

    Without a ``lag`` their beginnings are laid together. The floor is 60 dB below the loudest cell of the two; a
    recording without any power stays at the floor.
    """
    shift, aligned = lag or 0, lag is not None
    ours, theirs = (tamed(part) for part in (reference[max(0, -shift) :], candidate[max(0, shift) :]))
    both = min(len(ours), len(theirs))
    x, y = mel_power(ours[:both]), mel_power(theirs[:both])
    total_x, total_y = x.sum(dtype=np.float64), y.sum(dtype=np.float64)
    if total_x > 0 and total_y > 0:
        y *= np.float32(total_x / total_y)
    peak = max(float(x.max()), float(y.max()))
    if peak <= 0:
        return MelPictures(np.full_like(x, FLOOR_DB), np.full_like(y, FLOOR_DB), aligned)
    floor = 10 ** (FLOOR_DB / 10)
    decibels = [np.asarray(10 * np.log10(np.maximum(part / peak, floor)), np.float32) for part in (x, y)]
    return MelPictures(decibels[0], decibels[1], aligned)


class LogMel:
    """Mean absolute difference, in dB, of the two log-mel pictures; 0 when they are equal."""

    name = "logmel"
    version = 2
    media = "audio"
    unit = "dB"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure the overlap; the score's detail is the ``MelPictures``."""
        found = lag_of(reference, candidate)
        pictures = mel_pictures(reference.sound, candidate.sound, found.samples)
        value = float(np.abs(pictures.reference - pictures.candidate).mean(dtype=np.float64))
        notes = [] if found.samples is not None else [f"not aligned: {found.reason}"]
        if max(len(reference.sound), len(candidate.sound)) >= LISTENED_S * SPEECH_RATE:
            notes.append(f"only the first {LISTENED_S // 60} minutes were measured")
        return Score("logmel/2", value, self.unit, note="; ".join(notes) or None, detail=pictures)
