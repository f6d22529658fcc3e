"""Transcripts: decode the text, tell its form (text, SRT, WebVTT, JSON) and read its segments."""

import codecs
import json
import re
from collections import Counter
from pathlib import Path, PurePath

from drift.errors import MediaEmpty, MediaTooLarge, MediaUnreadable
from drift.media.cues import SRT_START, read_srt, read_vtt
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.segments import Segment, Transcript, stream_safe
from drift.media.transcript_json import transcript_of_json

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # escaped; UTF-8 and UTF-16 themselves cannot hold half a pair


def read_transcript(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Transcript:
    """Read a transcript of any accepted form; its form is decided by content, the name settles only plain text.

    Raises: MediaTooLarge above ``limits.transcript_bytes``; MediaUnreadable for text that is not UTF-8 (or UTF-16 with
        a byte order mark; the message names the byte), malformed JSON or cues; MediaEmpty for zero bytes.
    """
    where = name or path.name
    size = path.stat().st_size
    if size > limits.transcript_bytes:
        why = f"{size:,} bytes are beyond the transcript limit of {limits.transcript_bytes:,}"
        raise MediaTooLarge(where, why, "cut it into parts or raise the limit")
    text = decode_text(path.read_bytes(), where)
    return parse_transcript(text, where)


def decode_text(data: bytes, where: str) -> str:
    """Decode UTF-8 (byte order mark or not) or UTF-16 with a byte order mark; every line end becomes a newline."""
    if not data:
        raise MediaEmpty(where, "the file has no bytes", "give a file with content")
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        shown = encoding.removesuffix("-sig").upper()
        offset = error.start + (3 if encoding == "utf-8-sig" and data.startswith(codecs.BOM_UTF8) else 0)
        why = f"the text is not {shown}: byte {offset:,} ({data[offset : offset + 1].hex() or 'missing'})"
        raise MediaUnreadable(where, why, "save it as UTF-8") from None
    control = re.search("[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)
    if control:
        at = len(text[: control.start()].encode("utf-8"))
        why = f"binary data in the text: U+{ord(control.group()):04X} after {at:,} bytes of it"
        raise MediaUnreadable(where, why, "give a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_transcript(text: str, where: str) -> Transcript:
    """Parse decoded text; ``where`` names it in errors and its suffix settles whether braces must be JSON."""
    found = _parsed(text, where)
    texts = [*(part.text for part in found.segments), *(word.text for word in found.words)]
    if any(stream_safe(part) != part for part in texts):
        why = "it has more than a thousand combining marks on one letter, which would take hours to compare"
        raise MediaUnreadable(where, why, "take them out")
    return found


def _parsed(text: str, where: str) -> Transcript:
    suffix = PurePath(where).suffix.lower()
    start = text.lstrip()
    if text.startswith("WEBVTT") and text[6:7] in {"", " ", "\t", "\n"}:
        return read_vtt(text, where)
    if suffix == ".json" or start.startswith("{") or re.match(r"\[\s*[\]{]", start):
        parsed = _json_or_text(text, suffix, where)
        if parsed is not None:
            return parsed
    if suffix == ".srt" or SRT_START.match(start):
        return read_srt(text, where)
    lines = tuple(Segment(line.strip()) for line in text.split("\n") if line.strip())
    return Transcript("text/plain", None, lines)


def _json_or_text(text: str, suffix: str, where: str) -> Transcript | None:
    try:
        document = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()  # half a pair is no character: no digest can be taken
    except (ValueError, RecursionError) as error:
        if suffix == ".txt":
            return None
        why = "the JSON nests too deep" if isinstance(error, RecursionError) else f"malformed JSON: {error}"
        raise MediaUnreadable(where, why, "give the provider's JSON unchanged") from None
    return transcript_of_json(document, where)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Readers disagree on which of two members of one name counts, so there must not be two."""
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the member {twice[:60]!r} stands twice in one object")
    return members


def _no_constant(token: str) -> float:
    raise ValueError(f"{token} is not a JSON number")
