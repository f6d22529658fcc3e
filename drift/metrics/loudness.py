"""Integrated loudness after ITU-R BS.1770-4, and its difference between two recordings."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from drift.media.audio import stream_floats
from drift.score import Score
from drift.side import Side

_STEP_S = 0.1  # blocks of 400 ms that overlap by 75 %
_ABSOLUTE, _RELATIVE = -70.0, -10.0  # gates, LKFS and LU
_OFFSET = -0.691
_REAR = 1.41
_LOWEST = 4_000  # Hz: at 3,364 and below the shelf lies beyond what is sampled, and its filter would run away
_FULL_BAND = frozenset({"mono", "stereo", "3.0", "4.0", "quad", "5.0", "5.1", "5.0(side)", "5.1(side)"})


def k_weighting(rate: int) -> NDArray[np.float64]:
    """The two biquads of annex 1 as second-order sections, shape (2, 6), for any sample rate in Hz.

    The standard prints 48 kHz coefficients only; these are the analogue prototypes behind them (a +4 dB shelf at
    1,682 Hz, a high-pass at 38 Hz), bilinear with prewarping, and agree with the table to 1e-9 at 48 kHz.
    """
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - band * k / q + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / q + k * k) / norm,
    ]
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]])


def _weights(channels: int, layout: str) -> NDArray[np.float64]:
    """Front channels 1, surround 1.41, LFE 0 (annex 1, table 4); layouts beyond 5.1 count every channel as front."""
    weights = np.ones(channels)
    if layout in _FULL_BAND and channels >= 4:
        weights[-2:] = _REAR
        if layout.startswith("5.1"):
            weights[3] = 0.0
    return weights


def integrated_loudness(side: Side) -> float | None:
    """Gated loudness of a file's sound in LKFS; None when silent, shorter than one block or sampled below 4 kHz.

    Samples stream through: ten numbers per second stay in memory.

    Raises: MediaRefused.
    """
    found = gated(momentary(np.asarray(list(step_powers(stream_floats(side.path, limits=side.limits))))))
    return None if found is None else found[0]


def momentary(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted mean square of blocks of 400 ms every 100 ms, from that of each 100 ms; empty below 400 ms."""
    if len(powers) < 4:
        return np.zeros(0)
    return np.asarray((powers[:-3] + powers[1:-2] + powers[2:-1] + powers[3:]) / 4, np.float64)


def gated(blocks: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]] | None:
    """Integrated loudness in LKFS and the blocks above both gates; None where no block is."""
    with np.errstate(divide="ignore"):
        loudness = _OFFSET + 10 * np.log10(blocks)
    heard = blocks[loudness > _ABSOLUTE]
    if not len(heard):
        return None
    gate = _OFFSET + 10 * math.log10(heard.mean()) + _RELATIVE
    kept = blocks[(loudness > _ABSOLUTE) & (loudness > gate)]
    return (float(_OFFSET + 10 * math.log10(kept.mean())), kept) if len(kept) else None


def step_powers(pieces: Iterable[tuple[NDArray[np.float32], int, str]]) -> Iterator[float]:
    """Weighted mean square of each 100 ms of pieces as ``stream_floats`` gives them; nothing of those below 4 kHz."""
    held: list[NDArray[np.float64]] = []
    count = 0
    state: NDArray[np.float64] | None = None
    for samples, rate, layout in pieces:
        if rate < _LOWEST:
            continue
        if state is None:
            sections = k_weighting(rate)
            weights = _weights(samples.shape[1], layout)
            state = np.zeros((2, 2, samples.shape[1]))
            step = round(rate * _STEP_S)
        filtered, state = sosfilt(sections, samples.astype(np.float64), axis=0, zi=state)
        held.append(np.square(filtered) @ weights)
        count += len(filtered)
        if count >= step:
            joined = np.concatenate(held)
            whole = count // step * step
            yield from joined[:whole].reshape(-1, step).mean(axis=1)
            held, count = [joined[whole:]], count - whole


class Loudness:
    """Absolute difference of integrated loudness."""

    name = "lufs_delta"
    version = 1
    media = "audio"
    unit = "LU"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure both whole files; silence, less than 400 ms and less than 4 kHz have no loudness."""
        ours, theirs = integrated_loudness(reference), integrated_loudness(candidate)
        for who, value in (("reference", ours), ("candidate", theirs)):
            if value is None:
                why = f"the {who} is silent, under 400 ms or sampled below 4 kHz, so it has no integrated loudness"
                return Score("lufs_delta/1", None, self.unit, why)
        assert ours is not None and theirs is not None
        return Score("lufs_delta/1", abs(theirs - ours), self.unit, note=f"{ours:.1f} became {theirs:.1f} LUFS")
