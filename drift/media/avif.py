"""AVIF of ten and twelve bits: its depth and coded planes, of which Pillow gives the high eight bits only."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from drift.errors import MediaUnreadable
from drift.media import video
from drift.media.container import opened_avif
from drift.media.limits import DEFAULT_LIMITS, Limits


def bits(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> int:
    """The most bits of any sample in an AVIF file: 8, 10 or 12.

    8 also where FFmpeg makes nothing of a file that Pillow reads: all that is known of it are eight bits.

    Raises: MediaTooLarge.
    """
    with suppress(MediaUnreadable), opened_avif(path, limits=limits) as container:
        return max((_bits(stream) for stream in container.streams.video), default=8)
    return 8


def deep_planes(
    path: Path, *, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[str, int, int, list[NDArray[np.uint8]]]]:
    """Every coded frame of an AVIF file with more than eight bits: pixel format, width, height, planes as bytes.

    Colour, alpha, tiles and frames come one after another, as they are coded: not turned, not put together.

    Raises: MediaRefused.
    """
    with opened_avif(path, limits=limits) as container:
        count = len(container.streams.video)
    for number in range(count):
        # Opened anew for each: reading one stream to its end leaves nothing of the others.
        with opened_avif(path, limits=limits) as container:
            stream = container.streams.video[number]
            if stream.codec_context is None:
                continue
            for frame in video.decoded(container, stream, limits, path.name):
                pixel_format, planes = video.planes(frame)
                yield pixel_format, frame.width, frame.height, planes


def _bits(stream: VideoStream) -> int:
    form = None if stream.codec_context is None else stream.codec_context.format
    return 8 if form is None else max(component.bits for component in form.components)
