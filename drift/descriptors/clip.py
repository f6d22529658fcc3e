"""A video clip as a sample ``mm-clip-1``: what its frames look like on average, how they vary, how they move."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.descriptor import describe

STEP = 3  # every third frame is described; all are looked at for motion
_SIDE = 64

Block = NDArray[np.float32]
Small = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip in numbers, all float32.

    Attributes:
        glob: mean of the described frames' block ``glob``, shape (74,).
        flux: log (0.01 + standard deviation) of the same over frames, shape (74,).
        time: nine facts of the frames' order, shape (9,); see ``motion``.
        hist: mean of block ``hist``, shape (864,).
        cur: mean of block ``cur``, shape (202,).
    """

    version: ClassVar[str] = "mm-clip-1"  # rises whenever any number changes

    glob: Block
    flux: Block
    time: Block
    hist: Block
    cur: Block


def describe_clip(frames: Iterable[NDArray[np.uint8]], *, step: int = STEP) -> Clip:
    """Describe a clip; one frame is held at a time.

    Args:
        frames: uint8 RGB, shape (height, width, 3), in order; at least one.
        step: the distance of described frames, 1 for every one, from the first on.

    Raises:
        ValueError: no frame, or one of another form.
    """
    globs, hists, curs = [], [], []

    def passing() -> Iterator[Small]:
        for number, frame in enumerate(frames):
            if number % step == 0:
                one = describe(frame)
                globs.append(one.glob)
                hists.append(one.hist)
                curs.append(one.cur)
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            yield np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)

    time = motion(passing())
    if not globs:
        raise ValueError("a clip has at least one frame")
    every = np.array(globs, np.float64)
    return Clip(
        glob=every.mean(0).astype(np.float32),
        flux=np.log(every.std(0) + 1e-2).astype(np.float32),
        time=time,
        hist=np.array(hists, np.float64).mean(0).astype(np.float32),
        cur=np.array(curs, np.float64).mean(0).astype(np.float32),
    )


def motion(small: Iterable[Small]) -> Block:
    """Nine facts of the order of frames, given as float32 luma of 64x64.

    With d the mean absolute difference of neighbours: log (0.05 + x) of its mean, deviation, smallest and largest;
    flicker, log (0.02 + mean absolute second difference of the frames' mean luma); the share of neighbours with d below
    0.35 of its median (repeated frames); log (0.02 + x) of the mean and the deviation of the speed, in small pixels per
    frame, by phase correlation (Kuglin, Hines 1975); mean change of d over 0.1 + mean d. Of a single frame all but
    logarithms of the offsets is 0.
    """
    steps: list[float] = []
    speeds: list[float] = []
    means: list[float] = []
    for before, after in _neighbours(small, means):
        steps.append(float(np.abs(after - before).mean()))
        (across, down), peak = cv2.phaseCorrelate(before, after)
        speeds.append(float(np.hypot(across, down)) if peak > 0 else 0.0)  # flat frames have no phase
    if not steps:
        steps, speeds = [0.0], [0.0]
    d, v = np.array(steps), np.array(speeds)
    bend = np.abs(np.diff(np.array(means), 2))
    jerk = np.abs(np.diff(d))
    facts = [
        *np.log(np.array([d.mean(), d.std(), d.min(), d.max()]) + 0.05),
        np.log((bend.mean() if len(bend) else 0.0) + 0.02),
        (d < 0.35 * np.median(d)).mean(),
        *np.log(np.array([v.mean(), v.std()]) + 0.02),
        (jerk.mean() if len(jerk) else 0.0) / (d.mean() + 0.1),
    ]
    return np.array(facts, np.float32)


def _neighbours(small: Iterable[Small], means: list[float]) -> Iterator[tuple[Small, Small]]:
    def noted() -> Iterator[Small]:
        for frame in small:
            means.append(float(frame.mean()))
            yield frame

    return pairwise(noted())
