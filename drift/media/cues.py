"""Subtitle cues, SRT and WebVTT, read into segments."""

import re

from drift.errors import MediaUnreadable
from drift.media.segments import Segment, Transcript

SRT_START = re.compile(r"\d+[ \t]*\n[ \t]*\d+:\d\d:\d\d[,.]\d{1,3}[ \t]*-->")
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[,.](\d{1,3})$")  # a year of hours
# Tags are looked for up to the last ">" only: each "<" without one would be followed to the end of the text.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^>]*)>")
_TAG = re.compile(r"</?[a-zA-Z0-9:.][^>]*>")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}


def _clock(text: str, where: str, line: int) -> int:
    found = _CLOCK.match(text.strip())
    if not found:
        raise MediaUnreadable(where, f"line {line}: {text.strip()[:40]!r} is no time", "write it as HH:MM:SS.mmm")
    hours, minutes, seconds, fraction = found.groups()
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _timing(line: str, where: str, number: int) -> tuple[int, int]:
    start, _, rest = line.partition("-->")
    end = rest.split()
    return _clock(start, where, number), _clock(end[0] if end else "", where, number)


def _blocks(text: str) -> list[list[tuple[int, str]]]:
    found: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found[-1].append((number, line))
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def read_srt(text: str, where: str) -> Transcript:
    """Read SubRip cues; markup is dropped. Raises: MediaUnreadable: names the line."""
    segments = []
    for block in _blocks(text):
        timing = next((at for at, (_, line) in enumerate(block[:2]) if "-->" in line), None)
        if timing is None:
            number = block[0][0]
            raise MediaUnreadable(where, f"line {number}: a cue without a time line", "give a complete SRT file")
        start, end = _timing(block[timing][1], where, block[timing][0])
        words = _untagged("\n".join(line for _, line in block[timing + 1 :]))
        segments.append(Segment(words, None, start, end))
    return Transcript("application/x-subrip", None, tuple(segments))


def read_vtt(text: str, where: str) -> Transcript:
    """Read WebVTT cues (W3C WebVTT section 4); voice spans become speakers. Raises: MediaUnreadable: names the line."""
    blocks = _blocks(text)
    header = "\n".join(line for _, line in blocks[0])
    language = re.search(r"^Language:\s*(\S+)", header, re.MULTILINE)
    segments: list[Segment] = []
    for block in blocks[1:]:
        if re.match(r"(NOTE|STYLE|REGION)(\s|$)", block[0][1]):
            continue
        timing = next((at for at, (_, line) in enumerate(block[:2]) if "-->" in line), None)
        if timing is None:
            number = block[0][0]
            raise MediaUnreadable(where, f"line {number}: a cue without a time line", "give a complete WebVTT file")
        start, end = _timing(block[timing][1], where, block[timing][0])
        segments += _voices("\n".join(line for _, line in block[timing + 1 :]), start, end)
    return Transcript("text/vtt", language.group(1) if language else None, tuple(segments))


def _voices(payload: str, start: int, end: int) -> list[Segment]:
    """One segment per ``<v Name>`` span of a cue (W3C WebVTT section 3.3)."""
    end_of_tags = payload.rfind(">") + 1
    parts = _VOICE.split(payload[:end_of_tags])
    parts[-1] += payload[end_of_tags:]
    spans = [(None, parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    found = []
    for speaker, words in spans:
        plain = _untagged(words)
        for entity, character in _ENTITIES.items():
            plain = plain.replace(entity, character)
        if plain.strip() or len(spans) == 1:
            found.append(Segment(plain, speaker.strip() if speaker else None, start, end))
    return found


def _untagged(text: str) -> str:
    end = text.rfind(">") + 1
    return _TAG.sub("", text[:end]) + text[end:]
