"""Character error rate, the main measure for scripts without spaces between words."""

from drift.media.segments import unspaced
from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side
from drift.word_edits import TooLongToAlign, edit_distance, edits


class Cer:
    """Edits per character of the reference, normalised and raw; white space does not count as characters."""

    name = "cer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, Score]:
        """Compare whole texts; an empty reference has no rate unless the candidate is empty too (0).

        The raw score's detail is the ``Edits`` where the script has no spaces between words.
        """
        normaliser = normaliser_for(reference.transcript, candidate.transcript)
        ours, theirs = reference.transcript.text, candidate.transcript.text
        draw = unspaced(ours) or unspaced(theirs)
        return (
            _score(f"cer.norm/1/{normaliser.name}", normaliser.apply(ours), normaliser.apply(theirs)),
            _score("cer.raw/1", ours, theirs, draw=draw),
        )


def _score(name: str, ours: str, theirs: str, *, draw: bool = False) -> Score:
    before, after = "".join(ours.split()), "".join(theirs.split())
    try:
        detail = edits(before, after) if draw else None
        errors = detail.errors if detail else edit_distance(before, after)
    except TooLongToAlign as error:
        return Score(name, None, "ratio", str(error))
    if errors and not before:
        return Score(name, None, "ratio", f"the reference has no characters, the candidate has {len(after):,}")
    return Score(name, errors / max(1, len(before)), "ratio", detail=detail)
