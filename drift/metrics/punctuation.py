"""Punctuation errors at the words that two transcripts share, so that wrong words do not count twice."""

from collections import Counter

from rapidfuzz.distance import Levenshtein

from drift.metrics.matched import matched
from drift.score import Score
from drift.side import Side
from drift.spoken import SpokenPair


def mark_pairs(pair: SpokenPair) -> Counter[tuple[str, str]]:
    """How often which marks stand for which: after each matched word, and before the text's first if it is matched."""
    ours, theirs = pair.reference.marks, pair.candidate.marks
    found = Counter((ours[mine + 1], theirs[other + 1]) for mine, other in pair.edits.matches())
    empty = not pair.reference.words and not pair.candidate.words
    if empty or pair.edits.ranges[0][0] == "equal":
        found[ours[0], theirs[0]] += 1
    return found


class Punctuation:
    """Edits of marks per mark: sum of edit distances over the sum of the longer sides, 0 to 1."""

    name = "punctuation"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Match words by the normalised alignment."""
        found = matched(self, reference, candidate)
        if isinstance(found, Score):
            return found
        pair, name = found
        pairs = mark_pairs(pair)
        if not pairs:
            why = f"no {pair.unit} are the same in both, so there is no place to compare punctuation at"
            return Score(name, None, self.unit, why)
        errors = sum(count * Levenshtein.distance(*marks) for marks, count in pairs.items())
        marks = sum(count * max(map(len, both)) for both, count in pairs.items())
        note = f"{errors:,} of {marks:,} marks" if errors else None
        return Score(name, errors / marks if marks else 0.0, self.unit, note=note)
