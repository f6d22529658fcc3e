"""Minimal edits between two word or character sequences, by jiwer, in the form reports draw."""

from dataclasses import dataclass

import jiwer


@dataclass(frozen=True, slots=True)
class Edits:
    """Two sequences and their alignment.

    ``ranges`` are (kind, start, end, start, end): half-open ranges into both, kind one of equal, substitute, insert,
    delete. Rates are per item of the reference and None where that is empty and the candidate is not.
    """

    reference: tuple[str, ...]
    candidate: tuple[str, ...]
    ranges: tuple[tuple[str, int, int, int, int], ...]
    substitutions: int
    deletions: int
    insertions: int

    @property
    def hits(self) -> int:
        """Items that are the same."""
        return len(self.reference) - self.substitutions - self.deletions

    @property
    def error_rate(self) -> float | None:
        """(S + D + I) / N of the reference: WER or CER."""
        errors = self.substitutions + self.deletions + self.insertions
        return self._per(errors, len(self.reference))

    @property
    def match_error_rate(self) -> float | None:
        """(S + D + I) / (H + S + D + I) (Morris, Maier, Green 2004)."""
        errors = self.substitutions + self.deletions + self.insertions
        return self._per(errors, self.hits + errors)

    @property
    def information_lost(self) -> float | None:
        """1 - H^2 / (N P), N and P the lengths of reference and candidate (same source)."""
        if not self.candidate and self.reference:
            return 1.0
        kept = self._per(self.hits * self.hits, len(self.reference) * len(self.candidate))
        return None if kept is None else (1 - kept if self.reference or self.candidate else 0.0)

    def _per(self, errors: int, size: int) -> float | None:
        if not self.reference:
            return None if self.candidate else 0.0
        return errors / size


def edits(reference: list[str], candidate: list[str]) -> Edits:
    """Align two sequences of words (or of characters, given one by one) with the fewest edits."""
    ours, theirs = tuple(reference), tuple(candidate)
    if not ours:
        inserted = (("insert", 0, 0, 0, len(theirs)),) if theirs else ()
        return Edits(ours, theirs, inserted, 0, 0, len(theirs))
    found = jiwer.process_words(" ".join(ours), " ".join(theirs))
    ranges = tuple(
        (chunk.type, chunk.ref_start_idx, chunk.ref_end_idx, chunk.hyp_start_idx, chunk.hyp_end_idx)
        for chunk in found.alignments[0]
    )
    return Edits(ours, theirs, ranges, found.substitutions, found.deletions, found.insertions)
