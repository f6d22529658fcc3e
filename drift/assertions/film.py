"""Assertions on a video's frames: black, flat, noise, frozen, looping; one pass, a few seconds of thumbnails held."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from drift.assertions.finding import Finding
from drift.assertions.picture import PLAIN, check_flat, check_noise, spread, upper_level
from drift.assertions.repeats import Repeats
from drift.assertions.stillness import Stillness
from drift.fingerprints.frames import strided
from drift.media.video import frames, luma
from drift.side import Side

MOST = 0.5  # share of frames that may be black, flat or noise
_DARK = 26  # luma: 10 levels above the black of video, 16
_NOISE_EVERY, _FLAT_EVERY = 12, 4  # frames
_THUMB = 32  # pixels a side


@dataclass
class _Seen:
    """What is kept of the frames that went by."""

    still: Stillness
    repeats: Repeats = field(default_factory=Repeats)
    frames: int = 0
    black: int = 0
    flat: list[bool] = field(default_factory=list)
    noise: list[bool] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)  # frames drawn mostly in even areas, as slides are

    def add(self, frame: VideoFrame) -> None:
        """Take in one frame, which is not kept."""
        plane = luma(frame)
        small = strided(plane)
        level = upper_level(small)
        dark = level <= _DARK
        self.black += dark
        if not dark:
            self._look(frame, small)
        self.still.add(_blocks(small), dark=dark)
        self.repeats.add(np.asarray(cv2.resize(small, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA), np.uint8))
        self.frames += 1

    def _look(self, frame: VideoFrame, small: NDArray[np.uint8]) -> None:
        """Colour is converted only where the luma asks for it, and now and then."""
        if self.frames % _FLAT_EVERY == 0:
            even = spread(small) <= PLAIN
            self.flat.append(even and check_flat(_rgb(frame)).verdict == "failed")
            self.plain.append(_drawn(small))
        if self.frames % _NOISE_EVERY == 0:
            self.noise.append(check_noise(_rgb(frame)).verdict == "failed")


def check_film(side: Side) -> tuple[Finding, ...]:
    """The findings of a video's picture, in one decoding pass. Raises: MediaRefused."""
    still = Stillness(rate=_rate(side))
    seen = _Seen(still)
    for frame in frames(side.path, limits=side.limits):
        seen.add(frame)
    black = _shared("video.black/1", seen.black / max(seen.frames, 1), "black")
    if black.verdict == "failed":
        why = "the video is mostly black"
        names = ("video.flat/1", "video.noise/1", "video.frozen/1", "video.looping/1")
        return (black, *(Finding(name, "not-applicable", why) for name in names))
    return (
        black,
        _shared("video.flat/1", _share(seen.flat), "one flat colour"),
        _shared("video.noise/1", _share(seen.noise), "noise"),
        still.finding(drawn=_share(seen.plain) > MOST, sound=bool(side.media.facts["has_audio"])),
        seen.repeats.finding(),
    )


def _rate(side: Side) -> float:
    """Frames per second, 25 where the container does not tell."""
    stated = side.media.facts["fps"]
    top, _, bottom = str(stated or "25/1").partition("/")
    return float(top) / float(bottom or 1)


def _shared(name: str, share: float, what: str) -> Finding:
    if share >= MOST:
        return Finding(name, "failed", f"{share:.0%} of the frames are {what}", share, "share of frames", MOST)
    few = f"{share:.0%} of the frames are" if share else "no frame is"
    return Finding(name, "ok", f"{few} {what}", share, "share of frames", MOST)


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _blocks(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of blocks of about 8 pixels."""
    size = max(1, small.shape[1] // 8), max(1, small.shape[0] // 8)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.float32)


def _drawn(small: NDArray[np.uint8]) -> bool:
    """Whether half of the picture has no grain at all: titles, slides, screens and drawings, not camera pictures."""
    steps = np.abs(np.diff(small.astype(np.int16), axis=1))
    return bool(steps.size) and float(np.mean(steps <= 1)) > 0.75
