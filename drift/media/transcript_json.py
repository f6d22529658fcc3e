"""JSON transcripts of providers read into segments: OpenAI's, Deepgram's and any list of segments."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from drift.errors import MediaUnreadable
from drift.media.segments import Segment, TimedWord, Transcript

_LONGEST_S = 10_000_000  # seconds; a larger number is not a time within a recording


def transcript_of_json(document: object, where: str) -> Transcript:
    """Read a parsed JSON transcript.

    Accepted: ``{"segments": [{"text", "start"?, "end"?, "speaker"?}]}`` with optional ``language`` (OpenAI verbose and
    diarized JSON among them), a bare list of such segments, ``{"text": "..."}``, and Deepgram's
    ``{"results": {"utterances"?, "channels"}}``. Times are seconds. Timed words are read from ``words`` of every
    segment, else of the document.

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
        entries = document["segments"]
        segments = _segments(entries, "/segments", where)
        words = _words_within(entries) or _timed_words(document.get("words"))
        return Transcript("application/json", language, segments, words)
    if isinstance(document.get("text"), str):
        whole = (Segment(document["text"]),) if document["text"].strip() else ()
        return Transcript("application/json", language, whole, _timed_words(document.get("words")))
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
    if not 0 <= value <= _LONGEST_S:  # false of infinities, too
        raise _refused(where, pointer, f"{str(value)[:40]} seconds lie outside the recording")
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


def _words_within(entries: Sequence[Mapping[str, object]]) -> tuple[TimedWord, ...]:
    return tuple(word for entry in entries for word in _timed_words(entry.get("words")))


def _timed_words(listed: object) -> tuple[TimedWord, ...]:
    """Entries that have a text and a time; whatever else stands there (plain strings, times before 0) tells none."""
    found = []
    for entry in listed if isinstance(listed, list) else ():
        text = _word_text(entry)
        if text is not None:
            start, end = _told(entry.get("start")), _told(entry.get("end"))
            if start is not None or end is not None:
                found.append(TimedWord(text, start, end))
    return tuple(found)


def _told(value: object) -> int | None:
    """Milliseconds of a number of seconds within a recording; None of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_S:
        return None
    return round(value * 1000)


def _word_text(entry: object) -> str | None:
    if not isinstance(entry, dict):
        return None
    text = entry.get("punctuated_word", entry.get("word", entry.get("text")))
    return text if isinstance(text, str) else None


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
    words: tuple[TimedWord, ...] = ()
    for number, channel in enumerate(channels):
        at = f"/results/channels/{number}"
        alternatives = channel.get("alternatives") if isinstance(channel, dict) else None
        if not isinstance(alternatives, list) or not all(isinstance(entry, dict) for entry in alternatives):
            raise _refused(where, f"{at}/alternatives", "not a list of objects")
        language = language or _text_or_none(channel.get("detected_language"), f"{at}/detected_language", where)
        if alternatives:
            found += _alternative(alternatives[0], f"{at}/alternatives/0", where)
            words += _timed_words(alternatives[0].get("words"))
    if isinstance(results.get("utterances"), list):
        found = _segments(results["utterances"], "/results/utterances", where)
        words = _words_within(results["utterances"])
    return Transcript("application/json", language, found, words)


def _alternative(best: Mapping[str, object], at: str, where: str) -> tuple[Segment, ...]:
    """Words grouped into runs of one speaker; without words, the transcript as one segment."""
    words = best.get("words")
    if not isinstance(words, list) or not words:
        text = _text_or_none(best.get("transcript"), f"{at}/transcript", where)
        return (Segment(text),) if text else ()
    timed = []
    for number, word in enumerate(words):
        shown = _word_text(word)
        if shown is None:
            raise _refused(where, f"{at}/words/{number}", "no string 'word'")
        timed.append(_segment(shown, word, f"{at}/words/{number}", where))
    found = []
    for speaker, run in groupby(timed, key=lambda segment: segment.speaker):
        said = list(run)
        found.append(Segment(" ".join(word.text for word in said), speaker, said[0].start_ms, said[-1].end_ms))
    return tuple(found)
