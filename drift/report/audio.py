"""Two recordings on a page: their aligned mel pictures and the difference, with lag and loudness."""

import numpy as np
from numpy.typing import NDArray

from drift.compare import Comparison
from drift.evidence import shown
from drift.metrics.logmel import FLOOR_DB, MelPictures
from drift.report.picture import data_uri, heat
from drift.side import SPEECH_RATE

_COLUMNS, _TALL = 1_000, 3  # columns at most; pixels per mel band
_FRAME_S = 160 / SPEECH_RATE
_LOUD_DB = 30.0  # a difference from which the picture is brightest
_QUIETER, _SAME, _LOUDER = (np.array(rgb, np.float32) for rgb in ((79, 157, 255), (16, 19, 26), (255, 178, 77)))
_TICKS = 5
_FIGURES = {"lag_ms": "lag", "lufs_delta": "loudness", "logmel": "log-mel distance"}


def audio_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``audio.html.j2`` draws; None where no mel pictures were taken."""
    found = comparison.details.get("logmel/2")
    if not isinstance(found, MelPictures):
        return None
    difference = _pooled(found.candidate - found.reference)
    seconds = len(found.reference) * _FRAME_S
    figures = []
    for name, title in _FIGURES.items():
        score = comparison.score(name)
        if score is not None:
            value = shown(score) if score.value is not None else "none"
            aside = score.reason or (score.note if name != "logmel" else None)
            figures.append((title, value, aside))
    return {
        "figures": figures,
        "reference": data_uri(mel_picture(found.reference), most=_COLUMNS),
        "candidate": data_uri(mel_picture(found.candidate), most=_COLUMNS),
        "difference": data_uri(_two_sided(difference), most=_COLUMNS),
        "aligned": found.aligned,
        "ticks": [f"{seconds * tick / (_TICKS - 1):.1f} s" for tick in range(_TICKS)],
        "loud": f"{_LOUD_DB:.0f}",
    }


def mel_picture(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A mel picture in colours: time to the right, low tones at the bottom, at most 1,000 columns; uint8 RGB."""
    return heat(_pooled(values), FLOOR_DB, 0.0)


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Time to the right, low tones at the bottom, at most 1,000 columns."""
    step = -(-len(values) // _COLUMNS)
    padded = np.pad(values, ((0, -len(values) % step), (0, 0)), mode="edge")
    pooled = padded.reshape(-1, step, values.shape[1]).mean(axis=1)
    return np.asarray(np.repeat(pooled.T[::-1], _TALL, axis=0), np.float32)


def _two_sided(decibels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blue where the candidate is quieter, orange where it is louder, dark where nothing differs; uint8 RGB."""
    share = np.clip(decibels / _LOUD_DB, -1, 1)[..., None]
    coloured = _SAME + np.maximum(share, 0) * (_LOUDER - _SAME) + np.maximum(-share, 0) * (_QUIETER - _SAME)
    return np.asarray(np.rint(coloured), np.uint8)
