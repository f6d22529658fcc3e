"""Minimal edits between two word or character sequences, by rapidfuzz, in the form metrics and reports use."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from drift.errors import DriftError

_HINT = 31  # rapidfuzz starts with a band of this distance and doubles it; most transcripts are alike
_ALPHABET = 0x10FFFF  # distinct items that can be coded as characters
# Cells of the edit matrix; either takes some fifteen seconds where nothing is alike.
_MOST_ALIGNED = 40_000_000_000
_MOST_COUNTED = 400_000_000_000
_KINDS = {"equal": "equal", "replace": "substitute", "insert": "insert", "delete": "delete"}


class TooLongToAlign(DriftError):
    """Two sequences whose edit matrix is beyond what is computed; metrics turn it into their reason."""

    def __init__(self, reference: int, candidate: int) -> None:
        """Name both lengths."""
        super().__init__(
            f"{reference:,} by {candidate:,} items are beyond what is aligned; compare the transcripts in parts"
        )


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
    def errors(self) -> int:
        """S + D + I."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def error_rate(self) -> float | None:
        """(S + D + I) / N of the reference: WER or CER."""
        return self._per(self.errors, len(self.reference))

    @property
    def match_error_rate(self) -> float | None:
        """(S + D + I) / (H + S + D + I) (Morris, Maier, Green 2004)."""
        return self._per(self.errors, self.hits + self.errors)

    @property
    def information_lost(self) -> float | None:
        """1 - H^2 / (N P), N and P the lengths of reference and candidate (same source)."""
        if not self.candidate and self.reference:
            return 1.0
        kept = self._per(self.hits * self.hits, len(self.reference) * len(self.candidate))
        return None if kept is None else (1 - kept if self.reference or self.candidate else 0.0)

    def matches(self) -> Iterator[tuple[int, int]]:
        """Positions of every item that is the same, in both sequences."""
        for kind, start, end, other, until in self.ranges:
            if kind == "equal":
                yield from zip(range(start, end), range(other, until), strict=True)

    def _per(self, errors: int, size: int) -> float | None:
        if not self.reference:
            return None if self.candidate else 0.0
        return errors / size


def edits(reference: Sequence[str], candidate: Sequence[str]) -> Edits:
    """Align two sequences of words (or of characters, given one by one) with the fewest edits.

    Raises: TooLongToAlign.
    """
    ours, theirs = tuple(reference), tuple(candidate)
    check_alignable(len(ours), len(theirs))
    first, second = coded(ours, theirs)
    ranges = []
    counts = dict.fromkeys(_KINDS.values(), 0)
    for step in Levenshtein.opcodes(first, second, score_hint=_HINT):
        kind = _KINDS[step.tag]
        ranges.append((kind, step.src_start, step.src_end, step.dest_start, step.dest_end))
        counts[kind] += max(step.src_end - step.src_start, step.dest_end - step.dest_start)
    return Edits(ours, theirs, tuple(ranges), counts["substitute"], counts["delete"], counts["insert"])


def edit_distance(reference: Sequence[str], candidate: Sequence[str]) -> int:
    """How many edits ``edits`` would find, several times faster than finding them. Raises: TooLongToAlign."""
    check_alignable(len(reference), len(candidate), counted=True)
    both = isinstance(reference, str) and isinstance(candidate, str)
    first, second = (reference, candidate) if both else coded(reference, candidate)
    return Levenshtein.distance(first, second, score_hint=_HINT)


def coded(*sequences: Sequence[str]) -> list[Sequence[Hashable]]:
    """The sequences with one character per distinct item, which is what rapidfuzz compares fastest.

    More than 1,114,111 distinct items become integers instead.
    """
    codes: dict[str, int] = {}
    numbers = [[codes.setdefault(item, len(codes)) for item in sequence] for sequence in sequences]
    if len(codes) > _ALPHABET:
        return [*numbers]
    return ["".join(map(chr, row)) for row in numbers]


def check_alignable(ours: int, theirs: int, *, counted: bool = False) -> None:
    """Refuse lengths that take minutes to align (or to count edits of, ``counted``). Raises: TooLongToAlign."""
    if ours * theirs > (_MOST_COUNTED if counted else _MOST_ALIGNED):
        raise TooLongToAlign(ours, theirs)
