"""How much later one recording starts than another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift.align import lag
from drift.score import Score
from drift.side import SPEECH_RATE, Side

_WAVE_S = 300  # seconds of waveform correlated; longer recordings are aligned by their envelopes
_RATE = 8_000
_HOP = 80  # samples of 16 kHz, 5 ms: one point of the envelope
_SURE = 0.5  # correlation from which a lag is believed


@dataclass(frozen=True, slots=True)
class Lagged:
    """A lag in samples at 16 kHz, positive when the candidate is late, with its correlation and what was correlated."""

    samples: int
    correlation: float
    by: str


def measured_lag(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> Lagged | None:
    """Align two mono recordings at 16 kHz, by waveform and else by loudness envelope; None where neither is sure.

    The waveform (at 8 kHz, the first five minutes) answers to half a millisecond for two takes of the same sound; the
    envelope (5 ms steps) also aligns two voices saying the same words.
    """
    most = _WAVE_S * SPEECH_RATE
    step = SPEECH_RATE // _RATE
    at, sure = lag(_halved(reference[:most]), _halved(candidate[:most]))
    if sure >= _SURE:
        return Lagged(at * step, sure, "waveform")
    at, sure = lag(_envelope(reference), _envelope(candidate))
    return Lagged(at * _HOP, sure, "envelope") if sure >= _SURE else None


def _halved(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    even = len(samples) // 2 * 2
    return samples[:even].reshape(-1, 2).mean(axis=1) if even else samples


def _envelope(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = len(samples) // _HOP * _HOP
    if not whole:
        return np.zeros(1, np.float32)
    power = np.square(samples[:whole].reshape(-1, _HOP), dtype=np.float64).mean(axis=1)
    return np.asarray(np.sqrt(power), np.float32)


class Lag:
    """Absolute lag of the candidate; the score's detail is the signed ``Lagged``."""

    name = "lag_ms"
    version = 1
    media = "audio"
    unit = "ms"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Correlate mono sound."""
        found = measured_lag(reference.sound, candidate.sound)
        if found is None:
            return Score("lag_ms/1", None, self.unit, "the recordings have no common course to align by")
        late = "late" if found.samples > 0 else "early"
        note = (
            f"the candidate is {late}; aligned by {found.by}, correlation {found.correlation:.2f}"
            if found.samples
            else None
        )
        return Score("lag_ms/1", abs(found.samples) * 1000 / SPEECH_RATE, self.unit, note=note, detail=found)
