"""How many of the words that two transcripts share are given to another speaker."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from drift.metrics.matched import matched
from drift.score import Score
from drift.side import Side
from drift.spoken import SpokenPair


@dataclass(frozen=True, slots=True)
class Speakers:
    """Which label of the candidate stands for which of the reference, and where that does not hold.

    ``confused`` is by the number of the run between white space in the reference: the candidate's label there.
    """

    mapping: dict[str, str]
    confused: dict[int, str]
    compared: int
    differing: int


def speakers(pair: SpokenPair) -> Speakers:
    """Map labels one to one so that most matched words agree; words without a label on both sides do not count."""
    ours, theirs = pair.reference.speakers, pair.candidate.speakers
    said: Counter[tuple[str, str]] = Counter()
    for mine, other in pair.edits.matches():
        before, after = ours[mine], theirs[other]
        if before is not None and after is not None:
            said[before, after] += 1
    names, others = sorted({name for name, _ in said}), sorted({name for _, name in said})
    counts = [[said[name, other] for other in others] for name in names]
    shared = np.array(counts, np.int64).reshape(len(names), len(others))
    rows, columns = linear_sum_assignment(shared, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    mapping = {others[column]: names[row] for row, column in pairs if shared[row, column]}
    confused: dict[int, str] = {}
    for mine, other in pair.edits.matches():
        before, after = ours[mine], theirs[other]
        if before is not None and after is not None and mapping.get(after) != before:
            confused.setdefault(pair.reference.runs[mine], after)
    agreed = sum(count for (name, other), count in said.items() if mapping.get(other) == name)
    return Speakers(mapping, confused, said.total(), said.total() - agreed)


class SpeakerConfusion:
    """Share of matched words whose speaker differs under the best mapping of labels; the detail is ``Speakers``."""

    name = "speaker_confusion"
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
        for who, side in (("reference", reference.transcript), ("candidate", candidate.transcript)):
            if all(segment.speaker is None for segment in side.segments):
                return Score(name, None, self.unit, f"the {who} names no speakers")
        heard = speakers(pair)
        if not heard.compared:
            return Score(name, None, self.unit, f"no {pair.unit} with a speaker are the same in both")
        note = (
            f"{heard.differing:,} of {heard.compared:,} {pair.unit} are another speaker's" if heard.differing else None
        )
        return Score(name, heard.differing / heard.compared, self.unit, note=note, detail=heard)
