"""Word errors when every speaker's words are compared with those of the speaker they fit best (cpWER).

Concatenated minimum-permutation word error rate: Watanabe et al., CHiME-6, 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from drift.media.segments import Transcript, unspaced
from drift.normalising import Normaliser, normaliser_for
from drift.score import Score
from drift.side import Side
from drift.word_edits import TooLongToAlign, check_alignable, coded

_UNNAMED = "no name"


@dataclass(frozen=True, slots=True)
class Assigned:
    """Errors over all speakers, and whom each speaker of the candidate was taken for (None: nobody was left)."""

    errors: int
    words: int
    speakers: dict[str, str | None]


def cpwer(reference: dict[str, list[str]], candidate: dict[str, list[str]]) -> Assigned:
    """Assign speakers one to one so that the sum of edit distances is least.

    Args:
        reference: the words of each speaker, in order.
        candidate: the same; the numbers of speakers may differ, whoever is left over counts word by word.

    Raises: TooLongToAlign.
    """
    check_alignable(*(sum(map(len, side.values())) for side in (reference, candidate)), counted=True)
    distances = _distances([*reference.values()], [*candidate.values()])
    rows, columns = linear_sum_assignment(distances)
    names, others = [*reference], [*candidate]
    taken = {
        others[column]: names[row] if row < len(names) else None
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if column < len(others)
    }
    return Assigned(int(distances[rows, columns].sum()), sum(map(len, reference.values())), taken)


def _distances(reference: Sequence[list[str]], candidate: Sequence[list[str]]) -> NDArray[np.int64]:
    """Edit distances of every pair, square: speakers that one side lacks are silent there."""
    size = max(len(reference), len(candidate))
    lists = [*reference, *[[]] * (size - len(reference)), *candidate, *[[]] * (size - len(candidate))]
    codes = coded(*lists)
    return np.asarray(cdist(codes[:size], codes[size:], scorer=Levenshtein.distance, dtype=np.int64), np.int64)


def words_by_speaker(transcript: Transcript, normaliser: Normaliser) -> dict[str, list[str]]:
    """Normalised words of each label, those without one together; by time where every segment has a start."""
    segments = list(transcript.segments)
    if all(segment.start_ms is not None for segment in segments):
        segments.sort(key=lambda segment: segment.start_ms or 0)
    found: dict[str, list[str]] = {}
    for segment in segments:
        words = normaliser.apply(segment.text).split()
        label = _UNNAMED if segment.speaker is None else f"speaker {segment.speaker}"
        if segment.speaker is not None or words:
            found.setdefault(label, []).extend(words)
    return found


class CpWer:
    """Errors per word of the reference under the best assignment of speakers; the detail is ``Assigned``."""

    name = "cpwer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Compare normalised words speaker by speaker."""
        ours, theirs = reference.transcript, candidate.transcript
        normaliser = normaliser_for(ours, theirs)
        name = f"cpwer/1/{normaliser.name}"
        for who, side in (("reference", ours), ("candidate", theirs)):
            if all(segment.speaker is None for segment in side.segments):
                return Score(name, None, self.unit, f"the {who} names no speakers")
        if unspaced(ours.text) or unspaced(theirs.text):
            return Score(name, None, self.unit, "the script has no spaces between words; use speaker_confusion and cer")
        try:
            found = cpwer(words_by_speaker(ours, normaliser), words_by_speaker(theirs, normaliser))
        except TooLongToAlign as error:
            return Score(name, None, self.unit, str(error))
        if not found.words and found.errors:
            return Score(name, None, self.unit, f"the reference has no words, the candidate has {found.errors:,}")
        extra = sorted(speaker for speaker, owner in found.speakers.items() if owner is None)
        note = f"nobody in the reference is left for {', '.join(extra)} of the candidate" if extra else None
        return Score(name, found.errors / max(1, found.words), self.unit, note=note, detail=found)
