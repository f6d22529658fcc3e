"""Assertions on sound: silent, looping; one pass over all samples, half a minute of them held."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from drift.assertions.finding import Finding
from drift.media.audio import stream_floats
from drift.side import Side

QUIET_DB = -60.0  # dB of full scale
_BLOCK_S = 0.05  # seconds
_RATE = 8_000  # Hz, at most twice that, at which repetitions are looked for
_BAND = (60.0, 2_000.0)  # Hz: what lossy codecs keep exact
_WINDOWS_S = (4.0, 24.0)  # seconds looked at together: stuck buffers, and longer passages
_SHORTEST_S = 0.2  # of a passage; what repeats faster is heard as a tone, and may be one
TIMES = 3  # that a passage must be there
EXACT = 0.95  # correlation of repetitions
_TONAL = 0.5  # share of all shifts at which a steady tone is like itself
_MOST = 0.5  # share of the sounding windows
_HUGE = 1e6  # times full scale: what is louder (floating-point files may be) is held here, or its squares overflow


def check_sound(side: Side) -> tuple[Finding, ...]:
    """The findings of the first audio stream. Raises: MediaRefused."""
    loudest, looping, heard = _listen(side)
    level = 20 * float(np.log10(max(loudest, 1e-7)))
    said = f"its loudest {_BLOCK_S * 1000:.0f} ms reach {level:.1f} dB of full scale"
    said = said if loudest else "digital silence, every sample has the same value"
    if level >= QUIET_DB:
        silent = Finding("audio.silent/1", "ok", said, level, "dBFS", QUIET_DB, "below")
        return silent, _loop_finding(looping, heard)
    track = side.media.kind == "video"
    why = "a silent track beside a picture is a habit of encoders" if track else f"the recording is silent: {said}"
    silent = Finding("audio.silent/1", "not-applicable" if track else "failed", why, level, "dBFS", QUIET_DB, "below")
    return silent, Finding("audio.looping/1", "not-applicable", "there is nothing to hear")


def _loop_finding(looping: list[float], heard: int) -> Finding:
    name, unit = "audio.looping/1", "share of the sound"
    if not heard:
        return Finding(name, "not-applicable", "it is too short to tell")
    share = len(looping) / heard
    if share > _MOST:
        why = f"the recording loops: the same {float(np.median(looping)):.2f} s come again and again"
        return Finding(name, "failed", why, share, unit, _MOST)
    return Finding(name, "ok", "no passage is repeated over and over", share, unit, _MOST)


def _listen(side: Side) -> tuple[float, list[float], int]:
    """The loudest block's level (RMS without its mean, any channel), periods of looping windows, windows heard."""
    loudest = 0.0
    ears = [_Ear(seconds) for seconds in _WINDOWS_S]
    for samples, rate in _pieces(side):
        size = max(1, round(_BLOCK_S * rate))
        whole = len(samples) // size * size
        for part, length in ((samples[:whole], size), (samples[whole:], len(samples) - whole)):
            if len(part):
                loudest = max(loudest, _loudest(part, length))
        thin, thinned = _thinned(samples, rate)
        for ear in ears:
            ear.hear(thin, thinned)
    results = [ear.periods() for ear in ears]
    best = max(results, key=lambda found: (len([p for p in found if p]) / max(len(found), 1), len(found)))
    return loudest, [period for period in best if period], len(best)


def _pieces(side: Side) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Samples a second at a time (the last ones fewer), float32 (samples, channels), with their rate in Hz."""
    parts: list[NDArray[np.float32]] = []
    held, rate = 0, _RATE
    for samples, rate, _ in stream_floats(side.path, limits=side.limits):
        parts.append(samples)
        held += len(samples)
        while held >= rate:
            joined = np.concatenate(parts)
            yield joined[:rate], rate
            parts, held = [joined[rate:]], held - rate
    if held:
        yield np.concatenate(parts), rate


def _loudest(samples: NDArray[np.float32], size: int) -> float:
    blocks = samples.reshape(-1, size, samples.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        loudest = float(blocks.std(axis=1).max())
    # Floating-point files may exceed full scale by any factor, hence what single precision can square.
    return loudest if math.isfinite(loudest) else float(blocks.std(axis=1, dtype=np.float64).max())


class _Ear:
    """Looks at windows of one length, each overlapping the next by half."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._parts: list[NDArray[np.float32]] = []
        self._held = 0
        self._new = 0
        self._rate = float(_RATE)
        self._found: list[float | None] = []

    def hear(self, samples: NDArray[np.float32], rate: float) -> None:
        """Take in float32 (samples,) at ``rate`` Hz."""
        self._rate = rate
        self._parts.append(samples)
        self._held += len(samples)
        self._new += len(samples)
        wanted = int(self._seconds * rate)
        while self._held >= wanted and self._new >= wanted // 2:
            joined = np.concatenate(self._parts)
            self._judge(joined[:wanted])
            self._parts = [joined[wanted // 2 :]]
            self._held = len(self._parts[0])
            self._new = self._held - wanted // 2

    def periods(self) -> list[float | None]:
        """For each window with sound the seconds after which it repeats itself, None where it does not."""
        if self._parts and (not self._found or self._new > int(self._seconds * self._rate) // 4):
            self._judge(np.concatenate(self._parts))
        return self._found

    def _judge(self, window: NDArray[np.float32]) -> None:
        if len(window) < TIMES * _SHORTEST_S * self._rate:
            return  # a few samples may even thin out to none
        if float(np.sqrt(np.mean(np.square(window), dtype=np.float64))) >= 10 ** (QUIET_DB / 20):
            self._found.append(period_of(window, self._rate))


def _thinned(samples: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float32], float]:
    """Unequally weighted channels (opposite ones must not cancel), averaged down to about 8 kHz; and the new rate."""
    weights = 1 / (1 + 0.37 * np.arange(samples.shape[1], dtype=np.float32))
    mixed = np.clip(np.nan_to_num(samples @ weights / weights.sum()), -_HUGE, _HUGE)
    step = max(1, rate // _RATE)
    while rate % step:  # a second must hold a whole number of steps, or each would begin at another place
        step -= 1
    whole = len(mixed) // step * step
    return np.asarray(mixed[:whole].reshape(-1, step).mean(axis=1), np.float32), rate / step


def period_of(window: NDArray[np.float32], rate: float) -> float | None:
    """The seconds after which a recording repeats itself exactly, at least three times; None where it does not.

    Args:
        window: float32, shape (n,).
        rate: samples per second.

    Repetitions correlate by 0.95 between 60 and 2,000 Hz. A tone or a hum, which is like itself at every shift, is no
    loop.
    """
    first, last = int(_SHORTEST_S * rate), len(window) // TIMES
    if last - first < 3:
        return None
    size = next_fast_len(len(window) + last, real=True)
    spectrum = rfft(window, size)
    tones = np.arange(len(spectrum)) * (rate / size)
    spectrum[(tones < _BAND[0]) | (tones > _BAND[1])] = 0
    banded = irfft(spectrum, size)[: len(window)]
    spectrum = rfft(banded, size)
    power = spectrum.real**2 + spectrum.imag**2
    energy = np.concatenate([[0.0], np.cumsum(np.square(banded, dtype=np.float64))])
    lags = np.arange(first, last)
    norm = np.sqrt(energy[len(window) - lags] * (energy[-1] - energy[lags]))
    if norm.min() <= 1e-3 * energy[-1]:
        return None
    alike = irfft(power, size)[first:last] / norm
    if alike.max() < EXACT - 0.1:
        return None
    peaks = _peaks(alike)
    if peaks.max() < EXACT:
        return None
    block = max(1, int(0.05 * rate))
    padded = np.pad(alike, (0, -len(alike) % block), constant_values=-1.0).reshape(-1, block).max(axis=1)
    if float(np.mean(padded >= 0.8)) > _TONAL:
        return None
    return float(lags[int(np.argmax(peaks >= EXACT))] / rate)


def _peaks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at local maxima, by a parabola through each and its neighbours: repetitions may fall between samples."""
    left, middle, right = values[:-2], values[1:-1], values[2:]
    bend = left - 2 * middle + right
    top = np.where(bend < 0, middle - (right - left) ** 2 / (8 * np.minimum(bend, -1e-12)), middle)
    found = np.full(len(values), -1.0)
    found[1:-1] = np.where((middle >= left) & (middle >= right), np.minimum(top, 1.0), -1.0)
    return found
