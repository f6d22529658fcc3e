"""Character error rate, the main measure for scripts without spaces between words."""

from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side
from drift.word_edits import Edits, edits


class Cer:
    """Edits per character of the reference (jiwer), normalised and raw; white space does not count as characters."""

    name = "cer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, Score]:
        """Compare whole texts; an empty reference has no rate unless the candidate is empty too (0)."""
        normaliser = normaliser_for(reference.transcript, candidate.transcript)
        ours, theirs = reference.transcript.text, candidate.transcript.text
        normalised = _characters(normaliser.apply(ours), normaliser.apply(theirs))
        return (
            _score(f"cer.norm/1/{normaliser.name}", normalised),
            _score("cer.raw/1", _characters(ours, theirs)),
        )


def _characters(ours: str, theirs: str) -> Edits:
    return edits([*"".join(ours.split())], [*"".join(theirs.split())])


def _score(name: str, found: Edits) -> Score:
    why = None
    if found.error_rate is None:
        why = f"the reference has no characters, the candidate has {len(found.candidate):,}"
    return Score(name, found.error_rate, "ratio", why, detail=found)
