"""Video: facts counted on decoded frames, the frames' planes, and their luma without a copy."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from numpy.typing import NDArray

from drift.errors import MediaEmpty, MediaTooLarge, MediaUnreadable
from drift.media.container import check_duration, check_frame, damage, opened, picture, reason, sound
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Fact

_FULL_RANGE = ("yuvj", "gray", "ya8")  # names of 8-bit formats whose luma is full range without a flag
_STUDIO = np.asarray(np.rint(16 + np.arange(256) * (219 / 255)), np.uint8)


def video_facts(
    path: Path, *, missing: str | None = None, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> dict[str, Fact] | None:
    """Decode the whole video and return its facts; None where the container holds no moving picture.

    ``frames`` is the number that decode, ``duration_ms`` the span from the first frame's start to the last one's end
    and ``fps`` the stream's average rate as a rational string. ``missing`` is what ``structure.shortfall`` found: the
    file is then refused with the count of frames that can still be read.
    """
    where = name or path.name
    with opened(path, limits=limits, name=name) as container:
        stream = picture(container)
        if stream is None:
            return None
        context = stream.codec_context
        span = _Span()
        try:
            for frame in decoded(container, stream, limits, where):
                span.add(frame)
        except damage() as error:
            missing = missing or reason(error)
        if missing:
            why = f"truncated or damaged: {missing}; {span.frames} frames can be decoded"
            raise MediaUnreadable(where, why, "fetch it again")
        if not span.frames:
            raise MediaEmpty(where, "the video has no frame", "give a video with at least one frame")
        rate = frame_rate(stream)
        return {
            "kind": "video",
            "width": context.width,
            "height": context.height,
            "fps": None if rate is None else f"{rate.numerator}/{rate.denominator}",
            "duration_ms": span.duration_ms(rate),
            "codec": context.codec.canonical_name,
            "frames": span.frames,
            "has_audio": sound(container) is not None,
        }


def frame_rate(stream: VideoStream) -> Fraction | None:
    """The average number of frames per second the container states, else FFmpeg's guess."""
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate) if rate else None


class _Span:
    """Counts frames and the time they cover; timestamps may be missing or out of order."""

    def __init__(self) -> None:
        self.frames = 0
        self.first: Fraction | None = None
        self.end: Fraction | None = None

    def add(self, frame: VideoFrame) -> None:
        self.frames += 1
        if frame.pts is None or frame.time_base is None:
            return
        start = frame.pts * Fraction(frame.time_base)
        end = start + (frame.duration or 0) * Fraction(frame.time_base)
        self.first = start if self.first is None else min(self.first, start)
        self.end = end if self.end is None else max(self.end, end)

    def duration_ms(self, rate: Fraction | None) -> int | None:
        if self.first is not None and self.end is not None and self.end > self.first:
            return round((self.end - self.first) * 1000)
        return round(self.frames / rate * 1000) if rate else None


def decoded(container: InputContainer, stream: VideoStream, limits: Limits, where: str) -> Iterator[VideoFrame]:
    """The frames of an opened stream in order, each checked against the limits."""
    for number, frame in enumerate(container.decode(stream), 1):
        check_frame(frame.width, frame.height, limits, where)
        if frame.time is not None:
            check_duration((frame.time - (stream.start_time or 0) * float(stream.time_base or 0)) * 1000, limits, where)
        if number > limits.frames:
            why = f"it has more than the limit of {limits.frames:,} frames"
            raise MediaTooLarge(where, why, "cut it into parts or raise the limit")
        yield frame


def frames(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Iterator[VideoFrame]:
    """Decode the frames of a video one after another; only the decoder's own few are in memory.

    Raises: MediaRefused, also in the middle when a frame cannot be decoded.
    """
    where = name or path.name
    with opened(path, limits=limits, name=name) as container:
        stream = picture(container)
        if stream is None:
            raise MediaUnreadable(where, "it holds no moving picture", "give a video")
        yield from decoded(container, stream, limits, where)


def luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """The 8-bit luma plane of a frame as coded, shape (height, width), a view where the pixel format allows it.

    Valid until the frame is released. Formats without an 8-bit luma plane (RGB, 10 bits) become yuv420p by swscale,
    which keeps studio range; its grey would be stretched to full range, unlike the 8-bit planes beside it.
    """
    if not _has_luma_plane(frame):
        frame = frame.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def as_shown(picture: NDArray[np.uint8], frame: VideoFrame) -> NDArray[np.uint8]:
    """The luma of a frame, or every k-th sample of it, as a player shows it: in studio range, turned by its flag.

    Returns:
        uint8, shape (height, width), or (width, height) where the display matrix turns by a quarter; contiguous.
        Full range becomes 16 + 219 y / 255, rounded. Turns that are no multiple of 90 degrees are left out.
    """
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith(_FULL_RANGE)
    if full and _has_luma_plane(frame):
        picture = _STUDIO[picture]
    if frame.rotation and frame.rotation % 90 == 0:
        picture = np.rot90(picture, frame.rotation // 90)
    return np.ascontiguousarray(picture)


def picked(path: Path, numbers: Iterable[int], *, limits: Limits = DEFAULT_LIMITS) -> Iterator[VideoFrame]:
    """The frames with these numbers, which rise; decoding ends with the last. Raises: MediaRefused."""
    wanted = iter(numbers)
    following = next(wanted, None)
    if following is None:
        return
    for number, frame in enumerate(frames(path, limits=limits)):
        if number == following:
            yield frame
            following = next(wanted, None)
            if following is None:
                return


def _has_luma_plane(frame: VideoFrame) -> bool:
    first = frame.format.components[0]
    return first.is_luma and first.bits == 8 and sum(component.plane == 0 for component in frame.format.components) == 1


def planes(frame: VideoFrame) -> tuple[str, list[NDArray[np.uint8]]]:
    """A frame's pixel format and its planes without row padding, each shape (rows, bytes per row).

    Bit-packed, Bayer and palette formats are converted to rgb24 first.
    """
    form = frame.format
    if form.is_bit_stream or form.is_bayer or form.has_palette or any(c.bits < 8 for c in form.components):
        frame = frame.reformat(format="rgb24")
        form = frame.format
    rows = []
    for number, plane in enumerate(frame.planes):
        width = sum(c.width * -(-c.bits // 8) for c in form.components if c.plane == number)
        data = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height].reshape(
            plane.height, plane.line_size
        )
        rows.append(data[:, : min(width, plane.line_size)])
    return form.name, rows
