"""Words that two transcripts share but write with other capitals."""

from drift.metrics.matched import matched
from drift.score import Score
from drift.side import Side


class Casing:
    """Share of the matched words with cased letters whose letters differ in case alone."""

    name = "casing"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Match words by the normalised alignment; words spelled in another way do not count."""
        found = matched(self, reference, candidate)
        if isinstance(found, Score):
            return found
        pair, name = found
        ours, theirs = pair.reference.cased, pair.candidate.cased
        compared = differing = 0
        for mine, other in pair.edits.matches():
            before, after = ours[mine], theirs[other]
            if before.lower() == after.lower() and before.lower() != before.upper():
                compared += 1
                differing += before != after
        if not compared and (ours or theirs):
            return Score(name, None, self.unit, f"no {pair.unit} with capital and small letters are the same in both")
        note = f"{differing:,} of {compared:,} {pair.unit}" if differing else None
        return Score(name, differing / max(1, compared), self.unit, note=note)
