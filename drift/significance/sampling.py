"""A file becomes a sample: decoded and described once, whatever test it goes into."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import describe
from drift.descriptors.clip import STEP, describe_clip
from drift.descriptors.sound import describe_sound
from drift.descriptors.wording import describe_text
from drift.media.audio import stream_floats
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.video import frames
from drift.side import LISTENED_S, Side
from drift.significance.samples import Sample

DESCRIBED = 300  # frames of a clip at most: of long ones fewer than every third


def sample_of(source: Path | Side, *, limits: Limits = DEFAULT_LIMITS) -> Sample:
    """Describe a file as tests of samples take it.

    A picture becomes its ``Descriptor``, a transcript its ``Wording``, a video its ``Clip`` (every third frame
    described, of clips above 900 frames evenly 300), a recording its ``Sound`` (of the first 30 minutes). A probed
    ``Side`` is not probed again.

    Raises:
        MediaRefused: the file is unusable.
    """
    side = source if isinstance(source, Side) else Side(source, limits=limits)
    if side.media.kind == "image":
        return describe(side.rgb)
    if side.media.kind == "transcript":
        return describe_text(side.transcript.text)
    if side.media.kind == "video":
        count = side.media.facts["frames"]
        step = max(STEP, -(-count // DESCRIBED)) if isinstance(count, int) else STEP
        shown = (
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames(side.path, limits=side.limits)
        )
        return describe_clip(shown, step=step)
    return describe_sound(_listened(side))


def _listened(side: Side) -> Iterator[tuple[NDArray[np.float32], int, str]]:
    """The first 30 minutes, piece by piece."""
    heard = 0
    for samples, rate, layout in stream_floats(side.path, limits=side.limits, name=side.name):
        yield samples[: LISTENED_S * rate - heard], rate, layout
        heard += len(samples)
        if heard >= LISTENED_S * rate:
            return
