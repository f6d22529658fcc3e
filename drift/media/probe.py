"""What a file is, decided by decoding it: kind, media type and facts; or why it is refused."""

import os
from pathlib import Path
from typing import BinaryIO

from drift.errors import MediaEmpty, MediaRefused, MediaTooLarge, MediaUnreadable
from drift.media import mpeg, structure
from drift.media.audio import audio_facts
from drift.media.image import image_facts
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.media.sniff import HEAD, Format, sniff
from drift.media.transcript import read_transcript
from drift.media.video import video_facts

__all__ = ["Media", "probe"]

_SOUND_ONLY = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/webm": "audio/webm",
    "video/matroska": "audio/matroska",
}


def probe(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Media:
    """Decode a file once, completely, and say what it is.

    Content decides the media type; a suffix that contradicts it is no error. ``name`` replaces the path's own name in
    errors and as the tie-break between kinds of text (an upload's original name, for one).

    Raises:
        MediaEmpty: no bytes, pixels, frames or samples.
        MediaTooLarge: beyond ``limits``; decided from headers before anything is unfolded where they tell.
        MediaUnreadable: no known format, damaged, or truncated (the message says how much can be read).
    """
    where = name or path.name
    try:
        return _probe(path, limits, where)
    except OSError as error:
        raise MediaUnreadable(where, error.strerror or str(error), "give a readable file") from None


def _probe(path: Path, limits: Limits, where: str) -> Media:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise MediaEmpty(where, "the file has no bytes", "give a file with content")
        if size > limits.file_bytes:
            why = f"{size:,} bytes are beyond the limit of {limits.file_bytes:,}"
            raise MediaTooLarge(where, why, "give a smaller file or raise the limit")
        file.seek(0)
        head = file.read(HEAD)
        form = sniff(head, where)
        if form is None:
            why = "its content is no image, video, audio or transcript format that is read here"
            raise MediaUnreadable(where, why, "give one of those listed in docs/formats/metrics.md")
        missing = _missing(file, form, size)
    if form.family == "transcript":
        transcript = read_transcript(path, limits=limits, name=where)
        return Media("transcript", transcript.media_type, transcript.facts())
    if form.family == "image":
        return _image(path, form, missing, limits, where)
    return _container(path, form, missing, head, limits, where)


def _missing(file: BinaryIO, form: Format, size: int) -> str | None:
    if form.decoder in {"mp3", "aac"}:
        return mpeg.shortfall(file, size, adts=form.decoder == "aac")
    return structure.shortfall(file, form.media_type)


def _image(path: Path, form: Format, missing: str | None, limits: Limits, where: str) -> Media:
    facts = image_facts(path, limits=limits, name=where)
    if missing:
        raise MediaUnreadable(where, f"the image is truncated: {missing}", "fetch it again")
    return Media("image", form.media_type, facts)


def _container(path: Path, form: Format, missing: str | None, head: bytes, limits: Limits, where: str) -> Media:
    try:
        facts = video_facts(path, missing=missing, limits=limits, name=where)
        if facts is not None:
            media_type = {"audio/ogg": "video/ogg", "audio/mp4": "video/mp4"}.get(form.media_type, form.media_type)
            return Media("video", media_type, facts)
        expected = _flac_samples(head) if form.decoder == "flac" else None
        facts = audio_facts(path, missing=missing, expected=expected, limits=limits, name=where)
        return Media("audio", _SOUND_ONLY.get(form.media_type, form.media_type), facts)
    except MediaRefused as refusal:
        if missing and missing not in refusal.why:  # the container did not even open: say what the walk found
            raise MediaUnreadable(where, f"truncated: {missing}; nothing can be decoded", "fetch it again") from None
        raise


def _flac_samples(head: bytes) -> int | None:
    """Total samples of STREAMINFO (RFC 9639 section 8.2); 0 there means unknown."""
    if len(head) < 26 or head[4] & 0x7F != 0:
        return None
    return int.from_bytes(head[21:26], "big") & (1 << 36) - 1 or None
