"""Two videos frame by frame: the constant offset, then perceptual hash and SSIM along the aligned timeline."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drift.align import FRAMES, frame_offset
from drift.fingerprints.frames import Mark, Marks, frame_distances, frame_mark, strided
from drift.media.video import frames, luma
from drift.metrics.ssim import ssim
from drift.resampling import resized_to
from drift.score import Score
from drift.side import Side

SSIM_EVERY = 5  # frames
_AHEAD = 4 * FRAMES  # frames looked at before the offset is first estimated
_SMALLEST = 11  # pixels, the SSIM window


@dataclass(frozen=True, slots=True)
class Timelines:
    """What was measured along time, for reports.

    ``phash[i]`` is the distance (0...64) of reference frame ``first + i`` to the candidate frame ``offset`` later;
    ``ssim`` has the values of the reference frames ``ssim_at``.
    """

    offset: int
    first: int
    phash: NDArray[np.uint8]
    ssim_at: NDArray[np.int64]
    ssim: NDArray[np.float64]
    reference_frames: int
    candidate_frames: int

    def worst(self, count: int = 3) -> list[int]:
        """Reference frames with the lowest SSIM (else the largest hash distance), worst first, a second apart or so."""
        if len(self.ssim):
            ranked = self.ssim_at[np.argsort(self.ssim, kind="stable")]
        else:
            ranked = self.first + np.argsort(-self.phash.astype(int), kind="stable")
        chosen: list[int] = []
        for frame in map(int, ranked):
            if all(abs(frame - other) >= 5 * SSIM_EVERY for other in chosen):
                chosen.append(frame)
            if len(chosen) == count:
                break
        return chosen


class _Clip:
    """A video read once: a hash of each frame for good, the small pictures only as long as the window needs them."""

    def __init__(self, side: Side) -> None:
        self._frames = _small(side.path, side)
        self.marks: list[Mark] = []
        self._held: deque[tuple[int, NDArray[np.uint8]]] = deque()

    def read(self) -> bool:
        """Take in one more frame; False at the end."""
        small = next(self._frames, None)
        if small is None:
            return False
        self._held.append((len(self.marks), small))
        self.marks.append(frame_mark(small))
        return True

    def picture(self, number: int) -> NDArray[np.uint8]:
        """The small picture of a frame not yet forgotten."""
        return self._held[number - self._held[0][0]][1]

    def forget(self, before: int) -> None:
        """Let go of the pictures of earlier frames."""
        while self._held and self._held[0][0] < before:
            self._held.popleft()


def _small(path: Path, side: Side) -> Iterator[NDArray[np.uint8]]:
    for frame in frames(path, limits=side.limits):
        yield strided(luma(frame))


def timelines(reference: Side, candidate: Side) -> Timelines:
    """Measure two videos; both are decoded once, in step.

    The offset is estimated on the first 240 frames and checked on all at the end; where the whole clip says otherwise,
    a second pass measures SSIM at the right offset. At most a few hundred small pictures are in memory.

    Raises: MediaRefused.
    """
    ours, theirs = _Clip(reference), _Clip(candidate)
    for clip in (ours, theirs):
        for _ in range(_AHEAD):
            if not clip.read():
                break
    guess = frame_offset(Marks.of(ours.marks), Marks.of(theirs.marks))
    at, values = _walk(ours, theirs, guess)
    offset = frame_offset(Marks.of(ours.marks), Marks.of(theirs.marks))
    if offset != guess:
        at, values = _walk(_Clip(reference), _Clip(candidate), offset)
    a, b = Marks.of(ours.marks), Marks.of(theirs.marks)
    first, last = max(0, -offset), min(len(a), len(b) - offset)
    return Timelines(
        offset=offset,
        first=first,
        phash=frame_distances(a.hashes[first:last], b.hashes[first + offset : last + offset]),
        ssim_at=np.asarray(at, np.int64),
        ssim=np.asarray(values, np.float64),
        reference_frames=len(a),
        candidate_frames=len(b),
    )


def _walk(ours: _Clip, theirs: _Clip, offset: int) -> tuple[list[int], list[float]]:
    """SSIM of every fifth overlapping frame at one offset; reads both clips to their ends."""
    at: list[int] = []
    values: list[float] = []
    number = max(0, -offset)
    more = True
    while more:
        more = _reach(ours, number) and _reach(theirs, number + offset)
        if more and number % SSIM_EVERY == 0:
            mine = ours.picture(number)
            other, _ = resized_to(theirs.picture(number + offset), mine.shape)
            if min(mine.shape) >= _SMALLEST:
                at.append(number)
                values.append(min(ssim(mine, other), 1.0))
        ours.forget(number)
        theirs.forget(number + offset)
        number += 1
    for clip in (ours, theirs):
        while clip.read():
            clip.forget(len(clip.marks))
    return at, values


def _reach(clip: _Clip, number: int) -> bool:
    while len(clip.marks) <= number:
        if not clip.read():
            return False
    return True


class Timeline:
    """Offset first, then all frames by hash and every fifth by SSIM; each with mean, tail and worst value."""

    name = "timeline"
    version = 1
    media = "video"
    unit = ""
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Measure aligned luma; the offset score's detail is the ``Timelines``."""
        found = timelines(reference, candidate)
        ours, theirs = reference.media.facts, candidate.media.facts
        note = None
        if (ours["width"], ours["height"]) != (theirs["width"], theirs["height"]):
            note = "the candidate's frames were resampled to the reference's size"
        phash = found.phash.astype(np.float64)
        return (
            Score("timeline.offset/1", float(abs(found.offset)), "frames", note=_late(found), detail=found),
            Score("timeline.phash.mean/1", float(phash.mean()), "bits"),
            Score("timeline.phash.p95/1", float(np.percentile(phash, 95)), "bits"),
            Score("timeline.phash.worst/1", float(phash.max()), "bits"),
            *_ssim_scores(found.ssim, note),
        )


def _late(found: Timelines) -> str | None:
    if not found.offset:
        return None
    side = "late" if found.offset > 0 else "early"
    return f"the candidate runs {abs(found.offset)} frames {side}; aligned before measuring"


def _ssim_scores(values: NDArray[np.float64], note: str | None) -> tuple[Score, ...]:
    names = ("timeline.ssim.mean/1", "timeline.ssim.p05/1", "timeline.ssim.worst/1")
    if not len(values):
        why = "no frame of the overlap is measured: it is too short or smaller than 11x11"
        return tuple(Score(name, None, "", why, higher_is_better=True) for name in names)
    numbers = (values.mean(), np.percentile(values, 5), values.min())
    return tuple(
        Score(name, float(number), "", higher_is_better=True, note=note if name == names[0] else None)
        for name, number in zip(names, numbers, strict=True)
    )
