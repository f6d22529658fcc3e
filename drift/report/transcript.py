"""Two transcripts on a page: the word diff with speakers and time shifts, long unchanged stretches folded."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drift.compare import Comparison
from drift.evidence import shown
from drift.media.segments import Segment, collapsed
from drift.metrics.boundaries import Shifts
from drift.metrics.speakers import Speakers
from drift.word_edits import Edits

_CONTEXT = 40  # words shown before and after a change
_FOLDED = 20  # words at least behind a fold
_MOST = 4_000  # changes drawn
_FIGURES = {
    "wer.norm": "words that differ",
    "cer.norm": "characters that differ",
    "punctuation": "punctuation",
    "casing": "casing",
    "speaker_confusion": "other speaker",
    "boundary_shift_ms.median": "times, median",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of words: ``kind`` is same, gone, new, fold, turn (a segment's start) or voice (another speaker).

    ``hidden`` are the words a fold stands for.
    """

    kind: str
    text: str
    hidden: str = ""


Inserted = Mapping[int, Sequence[Span]]


def transcript_section(comparison: Comparison) -> dict[str, object] | None:
    """What ``transcript.html.j2`` draws; None where no words were aligned."""
    by_words = "wer.raw/1" in comparison.details
    found = comparison.details.get("wer.raw/1") or comparison.details.get("cer.raw/1")
    if not isinstance(found, Edits):
        return None
    glue = " " if by_words else ""
    speakers = _detail(comparison, "speaker_confusion")
    changed = [spans for spans in found.ranges if spans[0] != "equal"]
    figures = [(title, score) for name, title in _FIGURES.items() if (score := comparison.score(name)) is not None]
    return {
        "figures": [(title, shown(score)) for title, score in figures if score.value is not None],
        "paragraphs": paragraphs(word_spans(found, _inserted(comparison, found, by_words=by_words), glue=glue)),
        "glue": glue,
        "changes": len(changed),
        "hidden": max(0, len(changed) - _MOST),
        "voices": _voices(speakers) if isinstance(speakers, Speakers) else [],
    }


def paragraphs(spans: Sequence[Span]) -> list[dict[str, object]]:
    """Spans by turn, each with its label ("" before the first); a fold stands alone."""
    found: list[dict[str, object]] = []
    row: list[Span] = []
    label = ""
    for span in [*spans, Span("turn", "")]:
        if span.kind not in {"turn", "fold"}:
            row.append(span)
            continue
        if row or label:
            found.append({"label": label, "spans": row, "fold": None})
        row, label = [], span.text if span.kind == "turn" else ""
        if span.kind == "fold":
            found.append({"label": "", "spans": [], "fold": span})
    return found


def word_spans(found: Edits, inserted: Inserted | None = None, *, glue: str = " ") -> list[Span]:
    """The diff as spans in reading order, at most 4,000 changes; ``inserted`` stand before words of the reference."""
    inserted = inserted or {}
    spans: list[Span] = []
    left = _MOST
    last = len(found.ranges) - 1
    for at, (kind, start, end, other, until) in enumerate(found.ranges):
        if kind == "equal":
            spans += _same(found.reference, start, end, inserted, glue, first=at == 0, last=at == last)
            continue
        if not left:
            break
        left -= 1
        spans += _run(found.reference, start, end, inserted, glue, kind="gone")
        if until > other:
            spans.append(Span("new", glue.join(found.candidate[other:until])))
    return spans


def _same(
    words: tuple[str, ...], start: int, end: int, inserted: Inserted, glue: str, *, first: bool, last: bool
) -> list[Span]:
    head = start if first else min(end, start + _CONTEXT)
    tail = end if last else max(head, end - _CONTEXT)
    if 0 < tail - head < _FOLDED:
        head = tail
    spans = _run(words, start, head, inserted, glue)
    if tail > head:
        spans.append(Span("fold", f"{tail - head:,}", glue.join(words[head:tail])))
        if not last and not any(span.kind == "turn" for span in inserted.get(tail, ())):
            folded = (span for word in range(tail - 1, head - 1, -1) for span in inserted.get(word, ()))
            spans += [Span("turn", f"{span.text}, continued") for span in folded if span.kind == "turn" and span.text][
                :1
            ]
    return spans + _run(words, tail, end, inserted, glue)


def _run(
    words: tuple[str, ...], start: int, end: int, inserted: Inserted, glue: str, *, kind: str = "same"
) -> list[Span]:
    spans: list[Span] = []
    at = start
    for word in [*(word for word in range(start, end) if word in inserted), end]:
        if word > at:
            spans.append(Span(kind, glue.join(words[at:word])))
        if word < end:
            spans += inserted[word]
        at = word
    return spans


def _detail(comparison: Comparison, name: str) -> object:
    score = comparison.score(name)
    return score.detail if score is not None else None


def _inserted(comparison: Comparison, found: Edits, *, by_words: bool) -> Inserted:
    """What is told at which word (or character) of the reference: turns, and what the candidate gives to another."""
    shifts, speakers = _detail(comparison, "boundary_shift_ms.p95"), _detail(comparison, "speaker_confusion")
    starts = shifts.starts if isinstance(shifts, Shifts) else {}
    confused = speakers.confused if isinstance(speakers, Speakers) and by_words else {}
    inserted: dict[int, list[Span]] = defaultdict(list)
    at = run = 0
    for segment in comparison.reference.transcript.segments:
        runs = collapsed(segment.text).split()
        if runs:
            inserted[at].append(Span("turn", _label(segment, starts.get(run))))
        at += len(runs) if by_words else len("".join(runs))
        run += len(runs)
    matched = {word for word, _ in found.matches()} if confused else set()
    heard = None
    for word in range(at if confused else 0):
        heard = None if word in inserted else heard  # a turn begins
        label = confused.get(word)
        if label is not None and label != heard:
            inserted[word].append(Span("voice", f"candidate: {label}"))
        elif label is None and heard is not None and word in matched:
            inserted[word].append(Span("voice", "as before"))
        if label is not None or word in matched:
            heard = label
    return inserted


def _label(segment: Segment, shift: int | None) -> str:
    parts = [segment.speaker] if segment.speaker is not None else []
    if segment.start_ms is not None:
        seconds = segment.start_ms // 1000
        parts.append(f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
    if shift:
        parts.append(f"({shift:+,} ms)".replace("-", "\u2212"))
    return " ".join(parts)


def _voices(found: Speakers) -> list[str]:
    """Which label of the candidate is whose; only where the names differ or something is confused."""
    if not found.differing and all(other == name for other, name in found.mapping.items()):
        return []
    return [f"{other} of the candidate is {name}" for other, name in sorted(found.mapping.items())]
