"""Two transcripts on a page: the word diff with speakers and times, long unchanged stretches folded."""

from dataclasses import dataclass

from drift.compare import Comparison
from drift.media.segments import Transcript
from drift.word_edits import Edits

_CONTEXT = 40  # words shown before and after a change
_MOST = 4_000  # changes drawn


@dataclass(frozen=True, slots=True)
class Span:
    """A run of words: ``kind`` is same, gone, new, fold or turn (a speaker's or segment's start)."""

    kind: str
    text: str


def transcript_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``transcript.html.j2`` draws; None where no words were aligned."""
    found = comparison.details.get("wer.raw/1") or comparison.details.get("cer.raw/1")
    if not isinstance(found, Edits):
        return None
    by_words = "wer.raw/1" in comparison.details
    turns = _turns(comparison.reference.transcript) if by_words else {}
    changed = [spans for spans in found.ranges if spans[0] != "equal"]
    return {
        "spans": word_spans(found, turns, glue=" " if by_words else ""),
        "changes": len(changed),
        "hidden": max(0, len(changed) - _MOST),
    }


def word_spans(found: Edits, turns: dict[int, str] | None = None, *, glue: str = " ") -> list[Span]:
    """The diff as spans in reading order, at most 4,000 changes; ``turns`` labels reference word positions."""
    spans: list[Span] = []
    left = _MOST
    last = len(found.ranges) - 1
    for at, (kind, start, end, other, until) in enumerate(found.ranges):
        if kind == "equal":
            spans += _same(found.reference, start, end, turns or {}, glue, first=at == 0, last=at == last)
            continue
        if not left:
            break
        left -= 1
        gone, new = glue.join(found.reference[start:end]), glue.join(found.candidate[other:until])
        spans += [Span("turn", label) for word, label in sorted((turns or {}).items()) if start <= word < end]
        spans += [Span(mark, text) for mark, text in (("gone", gone), ("new", new)) if text]
    return spans


def _same(
    words: tuple[str, ...], start: int, end: int, turns: dict[int, str], glue: str, *, first: bool, last: bool
) -> list[Span]:
    head = start if first else min(end, start + _CONTEXT)
    tail = end if last else max(head, end - _CONTEXT)
    spans = _run(words, start, head, turns, glue)
    if tail > head:
        spans.append(Span("fold", f"{tail - head:,}"))
    return spans + _run(words, tail, end, turns, glue)


def _run(words: tuple[str, ...], start: int, end: int, turns: dict[int, str], glue: str) -> list[Span]:
    spans: list[Span] = []
    at = start
    for word in [*(word for word in range(start, end) if word in turns), end]:
        if word > at:
            spans.append(Span("same", glue.join(words[at:word])))
        if word < end:
            spans.append(Span("turn", turns[word]))
        at = word
    return spans


def _turns(transcript: Transcript) -> dict[int, str]:
    """Labels of the words at which a segment with a speaker or a time begins."""
    turns: dict[int, str] = {}
    word = 0
    for segment in transcript.segments:
        label = [segment.speaker] if segment.speaker is not None else []
        if segment.start_ms is not None:
            seconds = segment.start_ms // 1000
            label.append(f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
        count = len(segment.text.split())
        if label and count:
            turns[word] = " ".join(label)
        word += count
    return turns
