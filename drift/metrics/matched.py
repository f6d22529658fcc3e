"""The head of every metric on matched words: align two transcripts and name the score, or say why it cannot be."""

from drift.metric import Metric
from drift.score import Score
from drift.side import Side
from drift.spoken import SpokenPair, spoken_pair
from drift.word_edits import TooLongToAlign


def matched(metric: Metric, reference: Side, candidate: Side) -> tuple[SpokenPair, str] | Score:
    """Two transcripts aligned by their normalised words, and the score's name with the normaliser's.

    Of transcripts too long to align the metric's score with that as its reason. Raises: MediaRefused.
    """
    name = f"{metric.name}/{metric.version}"
    try:
        pair = spoken_pair(reference, candidate)
    except TooLongToAlign as error:
        return Score(name, None, metric.unit, str(error))
    return pair, f"{name}/{pair.normaliser}"
