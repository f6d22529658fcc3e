"""Two videos frame by frame: aligned, then hash distance and SSIM along the aligned frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from drift.align import FRAMES, frame_offset
from drift.fingerprints.frames import MarkedFrames, Marks, frame_distances, strided
from drift.frame_alignment import Alignment, aligned
from drift.frame_path import FramePath
from drift.media.video import as_shown, frames, luma, picked
from drift.metrics.ssim import ssim
from drift.resampling import resized_to
from drift.side import Side

SSIM_EVERY = 5  # frames
_AHEAD = 4 * FRAMES  # frames looked at before the offset is first estimated
_SMALLEST = 11  # pixels, the SSIM window


@dataclass(frozen=True, slots=True)
class Timelines:
    """What was measured along time.

    Attributes:
        alignment: which frames belong together.
        reference: marks of all reference frames.
        candidate: marks of all candidate frames.
        phash: uint8, shape (pairs,), distance (0...64) of each pair of frames.
        ssim_at: int64, shape (k,), the reference frames whose SSIM was measured.
        ssim: float64, shape (k,).
        shapes: height and width of the strided pictures that were compared, before resampling.
    """

    alignment: Alignment
    reference: Marks
    candidate: Marks
    phash: NDArray[np.uint8]
    ssim_at: NDArray[np.int64]
    ssim: NDArray[np.float64]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def path(self) -> FramePath:
        """The pairs of frames."""
        return self.alignment.path

    def counterpart(self, frame: int) -> int:
        """The candidate's frame for a reference frame on the path."""
        return int(self.path.theirs[np.searchsorted(self.path.ours, frame)])

    def worst(self, most: int = 3) -> list[int]:
        """Reference frames with the lowest SSIM (else the largest hash distance), worst first.

        They lie a second apart or so; in a clip too short for ``most`` such frames, as far apart as they can.
        """
        if len(self.ssim):
            ranked = self.ssim_at[np.argsort(self.ssim, kind="stable")]
        else:
            ranked = self.path.ours[np.argsort(-self.phash.astype(int), kind="stable")]
        chosen: list[int] = []
        for apart in range(5 * SSIM_EVERY, 0, -1):
            chosen = []
            for frame in map(int, ranked):
                if len(chosen) < most and all(abs(frame - other) >= apart for other in chosen):
                    chosen.append(frame)
            if len(chosen) == most:
                break
        return chosen


class _Clip:
    """A video read once: marks of all frames for good, small pictures only as long as the window needs them."""

    def __init__(self, side: Side) -> None:
        self._frames = frames(side.path, limits=side.limits)
        self.marked = MarkedFrames()
        self.shape: tuple[int, ...] = ()
        self._held: deque[tuple[int, NDArray[np.uint8]]] = deque()

    def read(self) -> bool:
        """Take in one more frame; False at the end."""
        frame = next(self._frames, None)
        if frame is None:
            return False
        small = as_shown(strided(luma(frame)), frame)
        self.shape = self.shape or small.shape
        self._held.append((len(self.marked), small))
        self.marked.add(small)
        return True

    def reach(self, number: int) -> bool:
        """Read up to a frame; False where the clip ends before it."""
        while len(self.marked) <= number:
            if not self.read():
                return False
        return True

    def picture(self, number: int) -> NDArray[np.uint8]:
        """The small picture of a frame not yet forgotten."""
        return self._held[number - self._held[0][0]][1]

    def forget(self, before: int) -> None:
        """Let go of the pictures of earlier frames."""
        while self._held and self._held[0][0] < before:
            self._held.popleft()

    def finish(self) -> None:
        """Read to the end, keeping marks only."""
        self._held.clear()
        while self.read():
            self._held.clear()


_known: "WeakKeyDictionary[Side, tuple[ref[Side], Timelines]]" = WeakKeyDictionary()


def timelines(reference: Side, candidate: Side) -> Timelines:
    """``measure`` once for each pair of sides, however many metrics ask. Raises: MediaRefused."""
    known = _known.get(reference)
    if known is None or known[0]() is not candidate:
        known = (ref(candidate), measure(reference, candidate))
        _known[reference] = known
    return known[1]


def measure(reference: Side, candidate: Side) -> Timelines:
    """Measure two videos; both are decoded once, in step.

    The offset is estimated on the first 240 frames and the alignment decided on all at the end; where that says
    otherwise, a second pass measures SSIM along it. At most a few hundred small pictures are in memory; what grows with
    the clips is some 300 bytes a frame.

    Raises: MediaRefused.
    """
    ours, theirs = _Clip(reference), _Clip(candidate)
    for clip in (ours, theirs):
        clip.reach(_AHEAD - 1)
    guess = frame_offset(ours.marked.marks(), theirs.marked.marks())
    guessed = list(_ssim_in_step(ours, theirs, guess))
    for clip in (ours, theirs):
        clip.finish()
    a, b = ours.marked.marks(), theirs.marked.marks()
    alignment = aligned(a, b, stated=_stated_rate(reference, candidate))
    path = alignment.path
    if not path.constant or int(path.theirs[0] - path.ours[0]) != guess:
        guessed = list(_ssim_along(reference, candidate, path))
    on_path = set(path.ours[path.ours % SSIM_EVERY == 0].tolist())
    kept = [(at, value) for at, value in guessed if at in on_path]
    return Timelines(
        alignment=alignment,
        reference=a,
        candidate=b,
        phash=frame_distances(a.hashes[path.ours], b.hashes[path.theirs]),
        ssim_at=np.asarray([at for at, _ in kept], np.int64),
        ssim=np.asarray([value for _, value in kept], np.float64),
        shapes=(ours.shape, theirs.shape),
    )


def _stated_rate(reference: Side, candidate: Side) -> float | None:
    """Candidate frames per reference frame as the containers state their rates; None where one does not tell."""
    rates = [side.media.facts["fps"] for side in (reference, candidate)]
    ours, theirs = (Fraction(rate) if isinstance(rate, str) else None for rate in rates)
    return float(theirs / ours) if ours and theirs else None


def _ssim_in_step(ours: _Clip, theirs: _Clip, offset: int) -> Iterator[tuple[int, float]]:
    """Frame and SSIM of every fifth overlapping reference frame at one offset, reading on as far as needed."""
    for number in count(-(-max(0, -offset) // SSIM_EVERY) * SSIM_EVERY, SSIM_EVERY):
        if not (ours.reach(number) and theirs.reach(number + offset)):
            return
        ours.forget(number)
        theirs.forget(number + offset)
        yield from _similarity(number, ours.picture(number), theirs.picture(number + offset))


def _ssim_along(reference: Side, candidate: Side, path: FramePath) -> Iterator[tuple[int, float]]:
    """The same along a path, decoding both clips again."""
    at = path.ours % SSIM_EVERY == 0
    ours, theirs = _small(reference, path.ours[at].tolist()), _small(candidate, path.theirs[at].tolist())
    for number, mine, other in zip(path.ours[at].tolist(), ours, theirs, strict=True):
        yield from _similarity(number, mine, other)


def _small(side: Side, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
    for frame in picked(side.path, numbers, limits=side.limits):
        yield as_shown(strided(luma(frame)), frame)


def _similarity(number: int, mine: NDArray[np.uint8], other: NDArray[np.uint8]) -> Iterator[tuple[int, float]]:
    if min(mine.shape) >= _SMALLEST:
        other, _ = resized_to(other, mine.shape)
        yield number, min(ssim(mine, other), 1.0)
