"""Word error rates: raw shows formatting, normalised shows content; with match error rate and information lost."""

from dataclasses import dataclass

import jiwer

from drift.media.segments import unspaced
from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side

_UNSPACED = "the script has no spaces between words; use cer"


@dataclass(frozen=True, slots=True)
class Words:
    """Two word sequences and their alignment, for reports.

    ``edits`` are (kind, start, end, start, end) half-open ranges into both, kind one of equal, substitute, insert,
    delete.
    """

    reference: tuple[str, ...]
    candidate: tuple[str, ...]
    edits: tuple[tuple[str, int, int, int, int], ...]


def aligned(ours: str, theirs: str) -> jiwer.WordOutput:
    """Minimal edits between two texts' words (white space separates), by jiwer."""
    return jiwer.process_words(" ".join(ours.split()), " ".join(theirs.split()))


class Wer:
    """Substitutions, deletions and insertions per reference word (jiwer), and what follows from them."""

    name = "wer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare whole texts; the raw score's detail is ``Words``."""
        normaliser = normaliser_for(reference.transcript, candidate.transcript)
        ours, theirs = reference.transcript.text, candidate.transcript.text
        variant = normaliser.name
        names = ("wer.norm/1", "mer.norm/1", "wil.norm/1")
        counts = ("wer.substitutions/1", "wer.deletions/1", "wer.insertions/1")
        if unspaced(ours) or unspaced(theirs):
            rates = [Score(name, None, "ratio", _UNSPACED, variant=variant) for name in names]
            numbers = [Score(name, None, "words", _UNSPACED, variant=variant) for name in counts]
            return (*rates, Score("wer.raw/1", None, "ratio", _UNSPACED), *numbers)
        mine, other = normaliser.apply(ours), normaliser.apply(theirs)
        if not mine:
            return self._without_reference(len(other.split()), ours, theirs, variant)
        found = aligned(mine, other)
        values = (found.wer, found.mer, found.wil)
        edits = (found.substitutions, found.deletions, found.insertions)
        return (
            *(Score(name, float(value), "ratio", variant=variant) for name, value in zip(names, values, strict=True)),
            self._raw(ours, theirs),
            *(Score(name, float(value), "words", variant=variant) for name, value in zip(counts, edits, strict=True)),
        )

    def _raw(self, ours: str, theirs: str) -> Score:
        words = tuple(ours.split()), tuple(theirs.split())
        if not words[0]:
            value = None if words[1] else 0.0
            why = f"the reference has no words, the candidate has {len(words[1]):,}" if words[1] else None
            edits = (("insert", 0, 0, 0, len(words[1])),) if words[1] else ()
            return Score("wer.raw/1", value, "ratio", why, detail=Words(*words, edits))
        found = aligned(ours, theirs)
        chunks = found.alignments[0]
        ranges = tuple((c.type, c.ref_start_idx, c.ref_end_idx, c.hyp_start_idx, c.hyp_end_idx) for c in chunks)
        return Score("wer.raw/1", float(found.wer), "ratio", detail=Words(*words, ranges))

    def _without_reference(self, inserted: int, ours: str, theirs: str, variant: str) -> tuple[Score, ...]:
        """Nothing to relate errors to: the rates are 0 when both are empty and have a reason otherwise."""
        why = f"the reference has no words, the candidate has {inserted:,}" if inserted else None
        value = None if inserted else 0.0
        rates = (
            Score(name, value, "ratio", why, variant=variant) for name in ("wer.norm/1", "mer.norm/1", "wil.norm/1")
        )
        counts = (("substitutions", 0), ("deletions", 0), ("insertions", inserted))
        numbers = (Score(f"wer.{kind}/1", float(count), "words", variant=variant) for kind, count in counts)
        return (*rates, self._raw(ours, theirs), *numbers)
