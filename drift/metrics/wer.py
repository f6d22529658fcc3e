"""Word error rates: raw shows formatting, normalised shows content; with match error rate and information lost."""

from drift.media.segments import unspaced
from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side
from drift.spoken import spoken_pair
from drift.word_edits import Edits, TooLongToAlign, edits

_RATES = ("wer.norm", "mer.norm", "wil.norm")
_COUNTS = ("wer.substitutions", "wer.deletions", "wer.insertions")
_UNSPACED = "the script has no spaces between words; use cer"


class Wer:
    """Substitutions, deletions and insertions per reference word, and what follows from them."""

    name = "wer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare whole texts; the raw score's detail is the ``Edits``."""
        normaliser = normaliser_for(reference.transcript, candidate.transcript).name
        ours, theirs = reference.transcript.text, candidate.transcript.text
        if unspaced(ours) or unspaced(theirs):
            return _without(normaliser, _UNSPACED)
        try:
            raw = edits(ours.split(), theirs.split())
            normalised = spoken_pair(reference, candidate).edits
        except TooLongToAlign as error:
            return _without(normaliser, str(error))
        return (*_normalised(normalised, normaliser), _rate("wer.raw/1", raw))


def _without(normaliser: str, why: str) -> tuple[Score, ...]:
    return tuple(
        Score(name, None, "ratio", why) for name in (*(f"{name}/1/{normaliser}" for name in _RATES), "wer.raw/1")
    )


def _normalised(found: Edits, normaliser: str) -> tuple[Score, ...]:
    why = _why(found)
    rates = (found.error_rate, found.match_error_rate, found.information_lost)
    counts = (found.substitutions, found.deletions, found.insertions)
    return (
        *(Score(f"{name}/1/{normaliser}", value, "ratio", why) for name, value in zip(_RATES, rates, strict=True)),
        *(Score(f"{name}/1/{normaliser}", float(n), "words") for name, n in zip(_COUNTS, counts, strict=True)),
    )


def _rate(name: str, found: Edits) -> Score:
    return Score(name, found.error_rate, "ratio", _why(found), detail=found)


def _why(found: Edits) -> str | None:
    if found.error_rate is None:
        return f"the reference has no words, the candidate has {len(found.candidate):,}"
    return None
