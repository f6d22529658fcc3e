"""Character error rate, the main measure for scripts without spaces between words."""

from collections.abc import Callable

import jiwer

from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side


class Cer:
    """Edits per character of the reference (jiwer), raw and normalised; white space is not counted as characters."""

    name = "cer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, Score]:
        """Compare whole texts; an empty reference has no rate unless the candidate is empty too (0)."""
        normaliser = normaliser_for(reference.transcript, candidate.transcript)
        ours, theirs = reference.transcript.text, candidate.transcript.text
        return (
            self._score("cer.norm/1", normaliser.apply, ours, theirs, normaliser.name),
            self._score("cer.raw/1", str, ours, theirs, None),
        )

    def _score(self, name: str, prepare: Callable[[str], str], ours: str, theirs: str, variant: str | None) -> Score:
        mine, other = ("".join(prepare(text).split()) for text in (ours, theirs))
        if not mine:
            if not other:
                return Score(name, 0.0, self.unit, variant=variant)
            why = f"the reference has no characters, the candidate has {len(other):,}"
            return Score(name, None, self.unit, why, variant=variant)
        return Score(name, float(jiwer.cer(mine, other)), self.unit, variant=variant)
