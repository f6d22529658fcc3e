"""Two videos frame by frame: how they lie over each other, then hash distance and SSIM along the aligned frames."""

import numpy as np
from numpy.typing import NDArray

from drift.frame_alignment import Alignment, in_words, stands_still
from drift.score import Score
from drift.side import Side
from drift.timelines import Timelines, timelines

STILL = "every frame of the"  # how the note begins that says why any offset fits
_SAME_ASPECT = 0.01


class Timeline:
    """Alignment first, then every pair of frames by hash and every fifth by SSIM; each with mean, tail and worst."""

    name = "timeline"
    version = 2
    media = "video"
    unit = ""
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Measure aligned luma; the offset score's detail is the ``Timelines``."""
        found = timelines(reference, candidate)
        phash = found.phash.astype(np.float64)
        return (
            *_alignment_scores(found),
            Score("timeline.phash.mean/2", float(phash.mean()), "bits", note=_laid(found.alignment)),
            Score("timeline.phash.p95/2", float(np.percentile(phash, 95)), "bits"),
            Score("timeline.phash.worst/2", float(phash.max()), "bits"),
            *_ssim_scores(found.ssim, _resampled(found)),
        )


def _alignment_scores(found: Timelines) -> tuple[Score, ...]:
    """Offset, lost and added frames, rate; of different clips one reason instead."""
    alignment, path = found.alignment, found.path
    named = {"offset": "frames", "dropped": "frames", "duplicated": "frames", "rate_ratio": ""}
    if alignment.different is not None:
        why = f"the clips show different pictures: laid as well as can be, {alignment.different:.0%} of the bits differ"
        scores = [Score(f"timeline.{name}/2", None, unit, why) for name, unit in named.items()]
        return (Score(scores[0].name, None, "frames", why, detail=found), *scores[1:])
    rate = path.rate
    return (
        Score("timeline.offset/2", float(abs(alignment.offset)), "frames", note=_late(found), detail=found),
        Score(
            "timeline.dropped/2", float(len(alignment.dropped)), "frames", note=_listed(alignment.dropped, "reference")
        ),
        Score(
            "timeline.duplicated/2",
            float(len(alignment.duplicated)),
            "frames",
            note=_listed(alignment.duplicated, "candidate"),
        ),
        Score(
            "timeline.rate_ratio/2",
            None if rate is None else max(rate, 1 / rate),
            "",
            "a single frame is compared; a rate needs two" if rate is None else None,
            note=None if rate in {None, 1.0} else f"{rate:.4g} frames for each frame of the reference",
        ),
    )


def _late(found: Timelines) -> str | None:
    offset = found.alignment.offset
    late = f"the candidate runs {_frames(abs(offset))} {'late' if offset > 0 else 'early'}; aligned before measuring"
    still = [who for who, one in (("reference", found.reference), ("candidate", found.candidate)) if stands_still(one)]
    if len(still) == 1:
        return f"{STILL} {still[0]} shows the same: any offset fits" + (f"; {late}" if offset else "")
    return late if offset else None


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"


def _listed(frames: NDArray[np.int64], which: str) -> str | None:
    return f"{'frame' if len(frames) == 1 else 'frames'} {in_words(frames)} of the {which}" if len(frames) else None


def _laid(alignment: Alignment) -> str | None:
    if alignment.different is None:
        return None
    return "the clips show different pictures; frames are compared number by number from the start"


def _resampled(found: Timelines) -> str | None:
    (height, width), (other_height, other_width) = found.shapes
    if (height, width) == (other_height, other_width):
        return None
    aspect, other = width / height, other_width / other_height
    stretched = f" and stretched from {other:.2f}:1 to {aspect:.2f}:1" if abs(other / aspect - 1) > _SAME_ASPECT else ""
    return f"the candidate's frames were resampled to the reference's size{stretched}"


def _ssim_scores(values: NDArray[np.float64], note: str | None) -> tuple[Score, ...]:
    names = ("timeline.ssim.mean/2", "timeline.ssim.p05/2", "timeline.ssim.worst/2")
    if not len(values):
        why = "no frame of the overlap is measured: it is too short or smaller than 11x11"
        return tuple(
            Score(name, None, "", why, higher_is_better=True, note=note if name == names[0] else None) for name in names
        )
    numbers = (values.mean(), np.percentile(values, 5), values.min())
    return tuple(
        Score(name, float(number), "", higher_is_better=True, note=note if name == names[0] else None)
        for name, number in zip(names, numbers, strict=True)
    )
