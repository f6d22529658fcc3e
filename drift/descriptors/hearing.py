"""Short frames of a sound in one pass: their levels, mel bands, flatness and pitch, and what is added up over all."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

BANDS = 40
_LOWEST, _HIGHEST = 40.0, 20_000.0  # Hz, of the mel bands
_HOP_S = 0.016
_SPAN = 4  # hops under a pitch window; a spectrum takes the first two of them
_HELD_S = 2.0  # seconds looked at together
FLOOR_DB = -100.0  # of full scale; as much is added to powers
_SILENCE = 10 ** (FLOOR_DB / 10)
_FLAT = (125.0, 7_500.0)  # Hz, where flatness is measured
_PITCHES = (60.0, 1_000.0)  # Hz
_VOICED = 0.5  # of the normalised autocorrelation
_OCTAVE_COST = 0.03  # so much more must a pitch an octave lower correlate
_CLIPPED = 0.9995  # of full scale

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound, frame by frame.

    Attributes:
        rate: Hz.
        channels: how many.
        samples: per channel.
        hop: samples from frame to frame.
        size: samples under a spectrum.
        levels: dB of full scale (mean square of all channels), shape (frames,).
        bands: the same in each mel band, float32, shape (frames, 40).
        flatness: dB, geometric over arithmetic mean of the power between 125 and 7,500 Hz, shape (frames,).
        pitches: Hz, 0 without one, of every second frame.
        power: sum of all frames' power spectra, shape (size // 2 + 1,).
        peak: largest absolute sample.
        clipped: samples at full scale, in all channels.
        sides: sums of squares of the first two channels, of their difference and of their sum.
    """

    rate: int
    channels: int
    samples: int
    hop: int
    size: int
    levels: Numbers
    bands: Floats
    flatness: Numbers
    pitches: Numbers
    power: Numbers
    peak: float
    clipped: int
    sides: Numbers

    def stereo(self, least: float, most: float) -> tuple[float, float]:
        """Width, the difference over the sum of the first two channels, and balance, the first over the second; dB."""
        left, right, apart, together = self.sides + 1e-12 * max(self.samples, 1)
        if self.channels < 2:
            return least, 0.0
        width, balance = 10 * np.log10(apart / together), 10 * np.log10(left / right)
        return float(np.clip(width, least, most)), float(np.clip(balance, least, most))


class Hearing:
    """Takes a sound in pieces; frames begin every 16 ms and are 32 ms long, of 64 ms for the pitch.

    A frame counts where 64 ms fit; less sound than that is filled up with silence.
    """

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.samples = 0
        self._rate = self._channels = self._hop = 0
        self._parts: list[Floats] = []
        self._waiting = 0
        self._peak, self._clipped = 0.0, 0
        self._sides = np.zeros(4)
        self._levels: list[Numbers] = []
        self._bands: list[Floats] = []
        self._flatness: list[Numbers] = []
        self._pitches: list[Numbers] = []
        self._power = np.zeros(0)

    def hear(self, samples: Floats, rate: int) -> None:
        """Take in samples of shape (n, channels) at ``rate`` Hz."""
        if not self._rate:
            self._rate, self._channels = rate, samples.shape[1]
            self._hop = max(2, round(_HOP_S * rate))
            self._power = np.zeros(self._hop + 1)
        self.samples += len(samples)
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0)))
        self._clipped += int((np.abs(samples) >= _CLIPPED).sum())
        if self._channels > 1:
            left, right = samples[:, 0].astype(np.float64), samples[:, 1].astype(np.float64)
            self._sides += [np.square(part).sum() for part in (left, right, left - right, left + right)]
        self._parts.append(samples)
        self._waiting += len(samples)
        if self._waiting >= _HELD_S * rate:
            self._look()

    def ended(self) -> Heard:
        """What was heard; call it once, after the last piece."""
        short = _SPAN * self._hop - self._waiting
        if not self._levels and short > 0:
            self._parts.append(np.zeros((short, self._channels), np.float32))
            self._waiting += short
        self._look()
        return Heard(
            rate=self._rate,
            channels=self._channels,
            samples=self.samples,
            hop=self._hop,
            size=2 * self._hop,
            levels=np.concatenate(self._levels),
            bands=np.concatenate(self._bands),
            flatness=np.concatenate(self._flatness),
            pitches=np.concatenate(self._pitches),
            power=self._power,
            peak=self._peak,
            clipped=self._clipped,
            sides=self._sides,
        )

    def _look(self) -> None:
        """Frames of what waits, an even number of them but at the end; the rest waits on."""
        hop = self._hop
        count = (self._waiting - _SPAN * hop) // hop + 1
        if count < 1:
            return
        joined = np.concatenate(self._parts)
        if self._waiting >= _HELD_S * self._rate:
            count -= count % 2
        spans = np.lib.stride_tricks.sliding_window_view(joined, _SPAN * hop, axis=0)[: count * hop : hop]
        short = spans[:, :, : 2 * hop]
        power = spectra(short)
        self._power += power.sum(0)
        level = np.square(short, dtype=np.float64).mean((1, 2))
        self._levels.append(10 * np.log10(level + _SILENCE))
        bands = power @ mel_triangles(2 * hop, self._rate) / hop
        self._bands.append(np.asarray(10 * np.log10(bands + _SILENCE), np.float32))
        self._flatness.append(_flatness(power, self._rate))
        self._pitches.append(pitches(spans[::2].mean(1, dtype=np.float64), self._rate))
        rest = joined[count * hop :]
        self._parts, self._waiting = [rest], len(rest)


def spectra(frames: Floats) -> Numbers:
    """Power spectra of Hann-windowed frames of shape (frames, channels, size), the mean of the channels.

    White noise of variance v has v in every bin, whatever the size.
    """
    size = frames.shape[2]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    spectrum = rfft(frames * window, axis=2)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(power.mean(1) / np.square(window).sum(), np.float64)


@lru_cache(maxsize=8)
def mel_triangles(size: int, rate: int) -> Numbers:
    """40 triangles of peak 1, equally spaced in 1127 ln(1 + f / 700) from 40 to 20,000 Hz, shape (bins, 40)."""
    hertz = _edges()
    bins = np.arange(size // 2 + 1)[:, None] * rate / size
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float64)


def band_centres() -> Numbers:
    """Their peaks in Hz, shape (40,)."""
    return _edges()[1:-1]


def _edges() -> Numbers:
    mel = np.linspace(1127 * np.log1p(_LOWEST / 700), 1127 * np.log1p(_HIGHEST / 700), BANDS + 2)
    return np.asarray(700 * np.expm1(mel / 1127), np.float64)


def _flatness(power: Numbers, rate: int) -> Numbers:
    size = 2 * (power.shape[1] - 1)
    hertz = np.arange(power.shape[1]) * rate / size
    inside = power[:, (hertz >= _FLAT[0]) & (hertz <= _FLAT[1])] + 1e-12
    if not inside.shape[1]:
        return np.zeros(len(power))
    return np.asarray(10 * (np.log10(inside).mean(1) - np.log10(inside.mean(1))), np.float64)


def pitches(frames: Numbers, rate: int) -> Numbers:
    """Fundamental frequencies in Hz, 0 where a frame has none; frames of shape (frames, size).

    The autocorrelation of the windowed frame over that of the window (Boersma 1993), its local maxima between 60 and
    1,000 Hz, each less 0.03 for every octave below 1,000 Hz; the largest, where the correlation is at least 0.5.
    """
    size = frames.shape[1]
    first, last = max(2, int(rate / _PITCHES[1])), min(int(np.ceil(rate / _PITCHES[0])), size - 2)
    if last - first < 2:
        return np.zeros(len(frames))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
    alike = _autocorrelation((frames - frames.mean(1, keepdims=True)) * window)[:, : last + 2]
    own = _autocorrelation(window[None])[0, : last + 2]
    power = alike[:, :1]
    found = np.where(power > 1e-9 * size, alike / np.maximum(power, 1e-30), 0.0) / (own / own[0])
    lags = np.arange(first, last + 1)
    left, middle, right = found[:, first - 1 : last], found[:, first : last + 1], found[:, first + 1 : last + 2]
    peaks = (middle >= left) & (middle > right) & (middle >= _VOICED)
    worth = np.where(peaks, middle - _OCTAVE_COST * np.log2(lags * _PITCHES[1] / rate), -1.0)
    best = worth.argmax(1)
    rows = np.arange(len(frames))
    before, at, after = left[rows, best], middle[rows, best], right[rows, best]
    shift = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-12)
    return np.where(peaks[rows, best], rate / (lags[best] + np.clip(shift, -0.5, 0.5)), 0.0)


def _autocorrelation(frames: Numbers) -> Numbers:
    size = next_fast_len(2 * frames.shape[1], real=True)
    spectrum = rfft(frames, size)
    return np.asarray(irfft(np.square(spectrum.real) + np.square(spectrum.imag), size), np.float64)
