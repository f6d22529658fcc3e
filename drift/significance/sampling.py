"""A file becomes a sample: decoded and described once, whatever test it goes into."""

from pathlib import Path

import numpy as np

from drift.descriptor import describe
from drift.descriptors.clip import STEP, describe_clip
from drift.descriptors.wording import describe_text
from drift.errors import DriftError
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.video import frames
from drift.side import Side
from drift.significance.samples import Sample

DESCRIBED = 300  # frames of a clip at most: of long ones fewer than every third


class UnsupportedMedium(DriftError):
    """A medium whose free samples no test here compares."""

    reason = "unsupported-medium"

    def __init__(self, where: str, kind: str) -> None:
        """Name the file and its medium."""
        super().__init__(
            f"{where}: free samples of {kind} cannot be tested for drift; compare its replays one by one against limits"
        )


def sample_of(source: Path | Side, *, limits: Limits = DEFAULT_LIMITS) -> Sample:
    """Describe a file as tests of samples take it.

    A picture becomes its ``Descriptor``, a transcript its ``Wording``, a video its ``Clip`` (every third frame
    described, of clips above 900 frames evenly 300). A probed ``Side`` is not probed again.

    Raises:
        MediaRefused: the file is unusable.
        UnsupportedMedium: there is no test of its medium.
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
    raise UnsupportedMedium(side.path.name, side.media.kind)
