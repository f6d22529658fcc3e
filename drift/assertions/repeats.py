"""Whether a video shows one short passage over and over, frame for frame."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from drift.assertions.finding import Finding

_NAME = "video.looping/1"
_WINDOW = 480  # frames looked at together
_SHORTEST = 5  # frames of a passage
TIMES = 3  # that a passage must be there
_EXACT = 2.0  # mean levels by which repetitions of a thumbnail may differ: what a codec does
_STEP = 1.25  # times as much as neighbouring frames they may
_LIVELY, _LEAST = 5.0, 1.5  # times as much, and levels, must frames within the passage differ
_MOST = 0.5  # share of the windows


class Repeats:
    """Fed with thumbnails; holds those of one window."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._held: deque[NDArray[np.uint8]] = deque(maxlen=_WINDOW)
        self._since = 0
        self._periods: list[int | None] = []

    def add(self, thumbnail: NDArray[np.uint8]) -> None:
        """Take in one frame, uint8, shape (32, 32)."""
        self._held.append(thumbnail)
        self._since += 1
        if len(self._held) == _WINDOW and self._since >= _WINDOW // 2:
            self._close()

    def _close(self) -> None:
        self._periods.append(period_of(np.stack(self._held).reshape(len(self._held), -1)))
        self._since = 0

    def finding(self) -> Finding:
        """The verdict on all that was seen."""
        if not self._periods or self._since >= _WINDOW // 4:
            if len(self._held) < TIMES * _SHORTEST:
                return Finding(_NAME, "not-applicable", f"{len(self._held)} frames are too few to tell")
            self._close()
        looping = [period for period in self._periods if period]
        share = len(looping) / len(self._periods)
        if share > _MOST:
            why = f"the video loops: the same {looping[0]} frames come again and again"
            return Finding(_NAME, "failed", why, share, "share of the video", _MOST)
        return Finding(_NAME, "ok", "no passage is repeated over and over", share, "share of the video", _MOST)


def period_of(pictures: NDArray[np.uint8]) -> int | None:
    """The number of frames after which a sequence repeats itself exactly, at least three times; None where it does not.

    Args:
        pictures: uint8, shape (n, pixels).
    """
    values = pictures.astype(np.float32)
    longest = len(values) // TIMES
    if longest < _SHORTEST:
        return None
    off = np.asarray([float(np.abs(values[lag:] - values[:-lag]).mean()) for lag in range(1, longest + 1)])
    step = float(np.median(np.abs(np.diff(values, axis=0)).mean(axis=1)))
    # Frames a period apart are more alike than neighbours are (a blinking lamp's are not), and those between lie far
    # off (a still picture's do not: there differences only grow with time).
    for lag in range(_SHORTEST, longest + 1):
        between = float(off[: lag - 1].max())
        if between >= max(_LEAST, off[lag - 1] * _LIVELY) and off[lag - 1] <= min(_EXACT, _STEP * step):
            return lag
    return None
