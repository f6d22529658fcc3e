"""JSON transcripts of providers read into segments: OpenAI's, Deepgram's and any list of segments."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from drift.errors import MediaUnreadable
from drift.media.segments import Segment, Transcript

_LONGEST_S = 10_000_000  # seconds; a larger number is not a time within a recording


def transcript_of_json(document: object, where: str) -> Transcript:
    """Read a parsed JSON transcript.

    Accepted: ``{"segments": [{"text", "start"?, "end"?, "speaker"?}]}`` with optional ``language`` (OpenAI verbose and
    diarized JSON among them), a bare list of such segments, ``{"text": "..."}``, and Deepgram's
    ``{"results": {"utterances"?, "channels"}}``. Times are seconds.

    Raises: MediaUnreadable: any other shape, or a member of the wrong type; the message names it by JSON pointer.
    """
    if isinstance(document, list):
        document = {"segments": document}
    if not isinstance(document, dict):
        raise _refused(where, "", "a transcript must be an object or a list")
    language = _text_or_none(document.get("language"), "/language", where)
    if "results" in document:
        return _deepgram(document, where)
    if isinstance(document.get("segments"), list):
        return Transcript("application/json", language, _segments(document["segments"], "/segments", where))
    if isinstance(document.get("text"), str):
        whole = (Segment(document["text"]),) if document["text"].strip() else ()
        return Transcript("application/json", language, whole)
    raise _refused(where, "", "no member 'segments', 'text' or 'results'")


def _refused(where: str, pointer: str, why: str) -> MediaUnreadable:
    return MediaUnreadable(
        where, f"JSON {pointer or 'document'}: {why}", "give a transcript, see docs/formats/metrics.md"
    )


def _text_or_none(value: object, pointer: str, where: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _refused(where, pointer, "not a string")
    return value or None


def _milliseconds(value: object, pointer: str, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(where, pointer, "not a number of seconds")
    if not (math.isfinite(value) and 0 <= value <= _LONGEST_S):
        raise _refused(where, pointer, f"{value} seconds lie outside the recording")
    return round(value * 1000)


def _segments(entries: Sequence[object], pointer: str, where: str) -> tuple[Segment, ...]:
    found = []
    for number, entry in enumerate(entries):
        at = f"{pointer}/{number}"
        if not isinstance(entry, dict):
            raise _refused(where, at, "not an object")
        words = entry.get("text", entry.get("transcript"))
        if not isinstance(words, str):
            raise _refused(where, at, "no string 'text'")
        found.append(_segment(words, entry, at, where))
    return tuple(found)


def _segment(words: str, entry: Mapping[str, object], at: str, where: str) -> Segment:
    speaker = entry.get("speaker")
    if speaker is not None and not isinstance(speaker, str | int):
        raise _refused(where, f"{at}/speaker", "not a string or number")
    return Segment(
        words,
        None if speaker is None else str(speaker),
        _milliseconds(entry.get("start"), f"{at}/start", where),
        _milliseconds(entry.get("end"), f"{at}/end", where),
    )


def _deepgram(document: Mapping[str, Any], where: str) -> Transcript:
    results = document["results"]
    channels = results.get("channels") if isinstance(results, dict) else None
    if not isinstance(channels, list):
        raise _refused(where, "/results/channels", "not a list")
    language: str | None = None
    found: tuple[Segment, ...] = ()
    for number, channel in enumerate(channels):
        at = f"/results/channels/{number}"
        alternatives = channel.get("alternatives") if isinstance(channel, dict) else None
        if not isinstance(alternatives, list) or not all(isinstance(entry, dict) for entry in alternatives):
            raise _refused(where, f"{at}/alternatives", "not a list of objects")
        language = language or _text_or_none(channel.get("detected_language"), f"{at}/detected_language", where)
        if alternatives:
            found += _alternative(alternatives[0], f"{at}/alternatives/0", where)
    if isinstance(results.get("utterances"), list):
        found = _segments(results["utterances"], "/results/utterances", where)
    return Transcript("application/json", language, found)


def _alternative(best: Mapping[str, object], at: str, where: str) -> tuple[Segment, ...]:
    """Words grouped into runs of one speaker; without words, the transcript as one segment."""
    words = best.get("words")
    if not isinstance(words, list) or not words:
        text = _text_or_none(best.get("transcript"), f"{at}/transcript", where)
        return (Segment(text),) if text else ()
    timed = []
    for number, word in enumerate(words):
        shown = word.get("punctuated_word", word.get("word")) if isinstance(word, dict) else None
        if not isinstance(shown, str):
            raise _refused(where, f"{at}/words/{number}", "no string 'word'")
        timed.append(_segment(shown, word, f"{at}/words/{number}", where))
    found = []
    for speaker, run in groupby(timed, key=lambda segment: segment.speaker):
        said = list(run)
        found.append(Segment(" ".join(word.text for word in said), speaker, said[0].start_ms, said[-1].end_ms))
    return tuple(found)
