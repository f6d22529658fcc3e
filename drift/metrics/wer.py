"""Word error rates: raw shows formatting, normalised shows content; with match error rate and information lost."""

from drift.media.segments import unspaced
from drift.normalising import normaliser_for
from drift.score import Score
from drift.side import Side
from drift.word_edits import Edits, edits

_RATES = ("wer.norm", "mer.norm", "wil.norm")
_COUNTS = ("wer.substitutions", "wer.deletions", "wer.insertions")
_UNSPACED = "the script has no spaces between words; use cer"


class Wer:
    """Substitutions, deletions and insertions per reference word (jiwer), and what follows from them."""

    name = "wer"
    version = 1
    media = "transcript"
    unit = "ratio"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare whole texts; the raw score's detail is the ``Edits``."""
        normaliser = normaliser_for(reference.transcript, candidate.transcript)
        ours, theirs = reference.transcript.text, candidate.transcript.text
        if unspaced(ours) or unspaced(theirs):
            names = [f"{name}/1/{normaliser.name}" for name in _RATES]
            return tuple(Score(name, None, "ratio", _UNSPACED) for name in [*names, "wer.raw/1"])
        normalised = edits(normaliser.apply(ours).split(), normaliser.apply(theirs).split())
        return (
            *_normalised(normalised, normaliser.name),
            _rate("wer.raw/1", edits(ours.split(), theirs.split())),
        )


def _normalised(found: Edits, normaliser: str) -> tuple[Score, ...]:
    why = None
    if found.error_rate is None:
        why = f"the reference has no words, the candidate has {len(found.candidate):,}"
    rates = (found.error_rate, found.match_error_rate, found.information_lost)
    counts = (found.substitutions, found.deletions, found.insertions)
    return (
        *(Score(f"{name}/1/{normaliser}", value, "ratio", why) for name, value in zip(_RATES, rates, strict=True)),
        *(Score(f"{name}/1/{normaliser}", float(n), "words") for name, n in zip(_COUNTS, counts, strict=True)),
    )


def _rate(name: str, found: Edits) -> Score:
    why = None
    if found.error_rate is None:
        why = f"the reference has no words, the candidate has {len(found.candidate):,}"
    return Score(name, found.error_rate, "ratio", why, detail=found)
