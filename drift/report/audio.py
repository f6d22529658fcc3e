"""Two recordings on a page: their aligned mel pictures and the difference."""

import numpy as np
from numpy.typing import NDArray

from drift.compare import Comparison
from drift.metrics.logmel import FLOOR_DB, MelPictures
from drift.report.picture import data_uri, heat
from drift.side import SPEECH_RATE

_COLUMNS, _TALL = 1_000, 3  # columns at most; pixels per mel band
_FRAME_S = 160 / SPEECH_RATE
_LOUD_DB = 30.0  # a difference from which the picture is brightest


def audio_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``audio.html.j2`` draws; None where no mel pictures were taken."""
    found = comparison.details.get("logmel/2")
    if not isinstance(found, MelPictures):
        return None
    difference = np.abs(found.candidate - found.reference)
    return {
        "reference": _picture(found.reference, FLOOR_DB, 0.0),
        "candidate": _picture(found.candidate, FLOOR_DB, 0.0),
        "difference": _picture(difference, 0.0, _LOUD_DB),
        "aligned": found.aligned,
        "seconds": f"{len(found.reference) * _FRAME_S:.1f}",
        "loud": f"{_LOUD_DB:.0f}",
    }


def _picture(values: NDArray[np.float32], low: float, high: float) -> str:
    """Time to the right, low tones at the bottom."""
    step = -(-len(values) // _COLUMNS)
    padded = np.pad(values, ((0, -len(values) % step), (0, 0)), mode="edge")
    pooled = padded.reshape(-1, step, values.shape[1]).mean(axis=1)
    upright = np.repeat(pooled.T[::-1], _TALL, axis=0)
    return data_uri(heat(np.asarray(upright, np.float32), low, high), most=_COLUMNS)
