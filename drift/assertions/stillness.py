"""Whether a video stands still: the longest stretch in which no part of the picture changes."""

import numpy as np
from numpy.typing import NDArray

from drift.assertions.finding import Finding

CHANGE = 2.5  # levels by which the mean of a block of pixels must differ from the stretch's first frame
_NAME = "video.frozen/1"
_MOST = 0.5  # share of the video
_FEWEST = 8  # frames a verdict needs
_LONG_S = 1.0  # a stretch that counts as a picture of its own in a slide show


class Stillness:
    """Fed with one frame after another; holds the frame a stretch began with."""

    def __init__(self, rate: float) -> None:
        """``rate``: frames per second."""
        self._rate = rate
        self._first: NDArray[np.float32] | None = None
        self._run = 0
        self._frames = 0
        self._runs: list[int] = []  # of a second and more, or the longest so far
        self._longest = 0

    def add(self, blocks: NDArray[np.float32], *, dark: bool) -> None:
        """Take in the block means of one frame; a black frame belongs to no stretch, and ends none."""
        self._frames += 1
        if dark:
            return
        same = self._first is not None and self._first.shape == blocks.shape
        if same and self._first is not None and float(np.abs(blocks - self._first).max()) < CHANGE:
            self._run += 1
        else:
            self._end()
            self._first, self._run = blocks, 1
        self._longest = max(self._longest, self._run)

    def _end(self) -> None:
        if self._run >= _LONG_S * self._rate:
            self._runs.append(self._run)

    def finding(self, *, drawn: bool, sound: bool) -> Finding:
        """``drawn``: most frames look like slides or titles; ``sound``: the video has some."""
        self._end()
        self._run = 0
        share = self._longest / max(self._frames, 1)
        seconds = self._longest / self._rate
        if self._frames < _FEWEST:
            return Finding(_NAME, "not-applicable", f"{self._frames} frames are too few to tell")
        if share < _MOST:
            why = f"it stands still for {share:.0%} of its length at most"
            return Finding(_NAME, "ok", why, share, "share of frames", _MOST)
        excuse = None
        if drawn:
            excuse = "a title, a slide or a drawing may stand still"
        elif len(self._runs) > 1:
            excuse = f"{len(self._runs)} pictures one after another are a slide show"
        elif sound and share > 1 - 1 / _FEWEST:
            excuse = "one picture with sound is a still on purpose"
        if excuse:
            return Finding(_NAME, "not-applicable", excuse, share, "share of frames", _MOST)
        why = f"the video is frozen: nothing changes for {seconds:.1f} s, {share:.0%} of its length"
        return Finding(_NAME, "failed", why, share, "share of frames", _MOST)
