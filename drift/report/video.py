"""A pair of videos on a page: SSIM and hash distance along the timeline, and the three worst frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drift.compare import Comparison
from drift.media.video import frames
from drift.metrics.timeline import Timelines
from drift.report.picture import data_uri
from drift.resampling import resized_to
from drift.side import Side

_WIDTH, _HEIGHT = 800, 120  # of each chart, in SVG units
_POINTS = 400


def video_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``video.html.j2`` draws; None where no timeline was measured."""
    found = comparison.details.get("timeline.offset/1")
    if not isinstance(found, Timelines):
        return None
    worst = found.worst()
    ours = _pictures(comparison.reference, worst)
    theirs = _pictures(comparison.candidate, [frame + found.offset for frame in worst])
    pairs = []
    for frame in worst:
        reference, candidate = ours.get(frame), theirs.get(frame + found.offset)
        if reference is None or candidate is None:
            continue
        candidate, _ = resized_to(candidate, reference.shape)
        pairs.append(
            {
                "frame": frame,
                "ssim": _at(found, frame),
                "phash": int(found.phash[frame - found.first]),
                "reference": data_uri(reference, most=480),
                "candidate": data_uri(candidate, most=480),
            }
        )
    count = max(found.reference_frames, 1)
    return {
        "timelines": found,
        "last": found.reference_frames - 1,
        "width": _WIDTH,
        "height": _HEIGHT,
        "ssim": _line(found.ssim_at, found.ssim, count),
        "bars": _bars(found, count),
        "worst": pairs,
    }


def _at(found: Timelines, frame: int) -> float | None:
    at = np.flatnonzero(found.ssim_at == frame)
    return float(found.ssim[at[0]]) if len(at) else None


def _line(at: NDArray[np.int64], values: NDArray[np.float64], count: int) -> str:
    """SVG points of SSIM, 1 at the top and 0 (or less) at the bottom; of many frames the lowest is kept."""
    if not len(values):
        return ""
    step = -(-len(values) // _POINTS)
    points = []
    for top in range(0, len(values), step):
        low = top + int(np.argmin(values[top : top + step]))
        points.append(f"{at[low] / count * _WIDTH:.1f},{(1 - max(0.0, values[low])) * _HEIGHT:.1f}")
    return " ".join(points)


def _bars(found: Timelines, count: int) -> list[dict[str, str]]:
    """Bars of hash distance, full height at 64 bits; of many frames the largest is kept."""
    step = max(1, -(-len(found.phash) // _POINTS))
    bars = []
    for top in range(0, len(found.phash), step):
        high = int(found.phash[top : top + step].max())
        if high:
            height = max(2.0, high / 64 * _HEIGHT)
            bars.append(
                {
                    "x": f"{(found.first + top) / count * _WIDTH:.1f}",
                    "y": f"{_HEIGHT - height:.1f}",
                    "width": f"{max(1.0, step / count * _WIDTH):.1f}",
                    "height": f"{height:.1f}",
                }
            )
    return bars


def _pictures(side: Side, wanted: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    found: dict[int, NDArray[np.uint8]] = {}
    last = max(wanted, default=-1)
    for number, frame in enumerate(frames(side.path, limits=side.limits)):
        if number > last:
            break
        if number in wanted:
            found[number] = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return found
