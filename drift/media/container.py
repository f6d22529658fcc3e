"""Opening video and audio with FFmpeg, quietly and without reaching for anything but the file itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from drift.errors import MediaRefused, MediaTooLarge, MediaUnreadable
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.sniff import HEAD, sniff

_DAMAGE = (av.FFmpegError, ValueError, OverflowError)


@contextmanager
def opened(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Iterator[InputContainer]:
    """Open a container with the demuxer its content names; damage met inside the block becomes MediaUnreadable.

    Playlists and external references are not followed: the demuxer is fixed and only local files may be opened.
    """
    where = name or path.name
    with path.open("rb") as file:
        form = sniff(file.read(HEAD), where)
    if form is None or form.family != "container":
        raise MediaUnreadable(where, "not video or audio", "give a video or audio file")
    with _demuxed(path, form.decoder, limits, where) as container:
        yield container


@contextmanager
def opened_avif(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[InputContainer]:
    """Open an AVIF picture, which is ISO media too: its streams are colour, alpha, tiles and frames, in any order."""
    with _demuxed(path, "mov", limits, path.name) as container:
        yield container


@contextmanager
def _demuxed(path: Path, demuxer: str, limits: Limits, where: str) -> Iterator[InputContainer]:
    try:
        with av.open(
            str(path.resolve()), format=demuxer, metadata_errors="replace", options={"protocol_whitelist": "file"}
        ) as container:
            for stream in container.streams.video:
                if stream.codec_context is None:  # a codec this build does not know
                    continue
                stream.thread_type = "AUTO"
                stream.codec_context.options = {"max_pixels": str(limits.pixels)}
                check_frame(stream.codec_context.width, stream.codec_context.height, limits, where)
            yield container
    except MediaRefused:
        raise
    except _DAMAGE as error:
        raise MediaUnreadable(where, f"it cannot be decoded ({reason(error)})", "give an undamaged file") from None


def reason(error: BaseException) -> str:
    """FFmpeg's own words for an error, without number or path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def damage() -> tuple[type[Exception], ...]:
    """The exceptions by which PyAV reports damaged input."""
    return _DAMAGE


def picture(container: InputContainer) -> VideoStream | None:
    """The first moving picture; cover art is not one."""
    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def sound(container: InputContainer) -> AudioStream | None:
    """The first audio stream."""
    return next((s for s in container.streams.audio if s.codec_context is not None), None)


def check_frame(width: int, height: int, limits: Limits, where: str) -> None:
    """Refuse a frame beyond ``limits.pixels``."""
    if width * height > limits.pixels:
        raise MediaTooLarge(
            where,
            f"frames of {width:,}x{height:,} are beyond the limit of {limits.pixels:,} pixels",
            "give a smaller video or raise the limit",
        )


def check_duration(milliseconds: float, limits: Limits, where: str) -> None:
    """Refuse what plays longer than ``limits.duration_ms``."""
    if milliseconds > limits.duration_ms:
        raise MediaTooLarge(
            where,
            f"it plays longer than the limit of {limits.duration_ms:,} ms",
            "cut it into parts or raise the limit",
        )
