"""A pair of videos on a page: both clips along time, hash distance and SSIM of each frame, the three worst frames."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.compare import Comparison
from drift.frame_alignment import in_words
from drift.media.video import picked
from drift.metrics.cuts import Cuts, cuts_along
from drift.report.picture import data_uri, heat
from drift.resampling import resized_to
from drift.side import Side
from drift.timelines import Timelines

WIDTH, HEIGHT = 800, 120  # of each chart, in SVG units
_POINTS = 400
_LOUD = 64.0  # grey levels from which the picture of a difference is brightest


def video_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``video.html.j2`` draws; None where no timeline was measured."""
    found = next((d for d in comparison.details.values() if isinstance(d, Timelines)), None)
    if found is None:
        return None
    axis = Axis(found)
    cuts = cuts_along(found)
    worst = found.worst()
    return {
        "different": found.alignment.different,
        "offset": found.alignment.offset,
        "rate": found.path.rate,
        "pairs": len(found.path.ours),
        "counts": (len(found.reference), len(found.candidate)),
        "odd": [
            {"name": name, "count": len(frames), "where": f"{in_words(frames)} of the {whose}"}
            for name, frames, whose in (
                ("dropped", found.alignment.dropped, "reference"),
                ("duplicated", found.alignment.duplicated, "candidate"),
            )
        ],
        "cuts": cuts,
        "gone": in_words(cuts.gone),
        "new": in_words(cuts.new),
        "width": WIDTH,
        "height": HEIGHT,
        "first": axis.first,
        "last": axis.last,
        "lanes": _lanes(found, axis, cuts),
        "ssim": _line(found.ssim, axis.of_reference(found.ssim_at)),
        "bars": _bars(found.phash, axis.of_reference(found.path.ours), axis),
        "marks": [
            {"number": n, "x": float(axis.of_reference(np.asarray([frame]))[0])} for n, frame in enumerate(worst, 1)
        ],
        "worst": _worst_pairs(comparison, found, worst),
    }


class Axis:
    """Places on the charts: both clips on the reference's frame numbers, as far as either reaches."""

    def __init__(self, found: Timelines) -> None:
        """Lay the axis over both clips."""
        self._path = found.path
        self._rate = found.path.rate or 1.0
        ends = self._places(np.asarray([0, len(found.candidate) - 1]))
        self.first = min(0, round(float(ends[0])))
        self.last = max(len(found.reference) - 1, round(float(ends[1])))
        self.step = WIDTH / (self.last - self.first + 1)

    def _places(self, theirs: NDArray[np.int64]) -> NDArray[np.float64]:
        path = self._path
        inside = np.interp(theirs, path.theirs, path.ours)
        before, after = theirs - path.theirs[0], theirs - path.theirs[-1]
        return np.asarray(inside + (np.minimum(before, 0) + np.maximum(after, 0)) / self._rate, np.float64)

    def of_reference(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Left edges of reference frames, in SVG units."""
        return np.asarray((frames - self.first) * self.step, np.float64)

    def of_candidate(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Left edges of candidate frames, where the reference shows the same."""
        return np.asarray((self._places(frames) - self.first) * self.step, np.float64)


def _lanes(found: Timelines, axis: Axis, cuts: Cuts) -> list[dict[str, object]]:
    """A bar from the first to the last frame of each clip, its cuts, and the frames the other does not have."""
    ends = [np.asarray([0, len(marks) - 1]) for marks in (found.reference, found.candidate)]
    sides = (
        ("reference", axis.of_reference, ends[0], cuts.reference, cuts.gone, found.alignment.dropped),
        ("candidate", axis.of_candidate, ends[1], cuts.candidate, cuts.new, found.alignment.duplicated),
    )
    lanes: list[dict[str, object]] = []
    for name, place, (first, last), all_cuts, odd_cuts, odd_frames in sides:
        edges = place(np.asarray([first, last]))
        lanes.append(
            {
                "name": name,
                "x": f"{edges[0]:.1f}",
                "width": f"{edges[1] - edges[0] + axis.step:.1f}",
                "cuts": [f"{x:.1f}" for x in place(np.setdiff1d(all_cuts, odd_cuts))],
                "odd_cuts": [f"{x:.1f}" for x in place(odd_cuts)],
                "odd": [{"x": f"{x:.1f}", "width": f"{w:.1f}"} for x, w in _merged(place(odd_frames), axis.step)],
            }
        )
    return lanes


def _merged(edges: NDArray[np.float64], step: float) -> list[tuple[float, float]]:
    """Bars of one frame each, joined where they touch and at least three units wide."""
    bars: list[tuple[float, float]] = []
    for left in map(float, edges):
        if bars and left <= bars[-1][0] + bars[-1][1] + 0.5:
            bars[-1] = (bars[-1][0], max(left + step - bars[-1][0], bars[-1][1]))
        else:
            bars.append((left, max(step, 3.0)))
    return bars


def _line(values: NDArray[np.float64], places: NDArray[np.float64]) -> str:
    """SVG points of SSIM, 1 at the top and 0 (or less) at the bottom; of many frames the lowest is kept."""
    if not len(values):
        return ""
    step = -(-len(values) // _POINTS)
    points = []
    for top in range(0, len(values), step):
        low = top + int(np.argmin(values[top : top + step]))
        points.append(f"{places[low]:.1f},{(1 - max(0.0, values[low])) * HEIGHT:.1f}")
    return " ".join(points)


def _bars(phash: NDArray[np.uint8], places: NDArray[np.float64], axis: Axis) -> list[dict[str, str]]:
    """Bars of hash distance, full height at 64 bits; of many frames the largest is kept."""
    step = max(1, -(-len(phash) // _POINTS))
    bars = []
    for top in range(0, len(phash), step):
        high = int(phash[top : top + step].max())
        if high:
            height = max(2.0, high / 64 * HEIGHT)
            bars.append(
                {
                    "x": f"{places[top]:.1f}",
                    "y": f"{HEIGHT - height:.1f}",
                    "width": f"{max(1.0, step * axis.step):.1f}",
                    "height": f"{height:.1f}",
                }
            )
    return bars


def _worst_pairs(comparison: Comparison, found: Timelines, worst: Sequence[int]) -> list[dict[str, object]]:
    ours = _pictures(comparison.reference, worst)
    theirs = _pictures(comparison.candidate, [found.counterpart(frame) for frame in worst])
    pairs: list[dict[str, object]] = []
    for frame in worst:
        other = found.counterpart(frame)
        reference, (candidate, _) = ours[frame], resized_to(theirs[other], ours[frame].shape)
        grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (reference, candidate)]
        at = np.flatnonzero(found.ssim_at == frame)
        pairs.append(
            {
                "frame": frame,
                "other": other,
                "ssim": float(found.ssim[at[0]]) if len(at) else None,
                "phash": int(found.phash[np.searchsorted(found.path.ours, frame)]),
                "reference": data_uri(reference, most=480),
                "candidate": data_uri(candidate, most=480),
                "difference": data_uri(heat(np.asarray(np.abs(grey[0] - grey[1]), np.float32), 0.0, _LOUD), most=480),
            }
        )
    return pairs


def _pictures(side: Side, wanted: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    """RGB of these frames, turned as a player turns them."""
    numbers = sorted(set(wanted))
    found: dict[int, NDArray[np.uint8]] = {}
    for number, frame in zip(numbers, picked(side.path, numbers, limits=side.limits), strict=True):
        rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        turns = frame.rotation // 90 if frame.rotation % 90 == 0 else 0
        found[number] = np.ascontiguousarray(np.rot90(rgb, turns))
    return found
