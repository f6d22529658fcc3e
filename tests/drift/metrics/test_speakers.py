"""Speaker confusion: the share of shared words that the best mapping of labels gives to somebody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.media.segments import Segment, Transcript
from drift.metrics.speakers import speakers
from drift.normalising import UNICODE
from drift.spoken import SpokenPair, spoken
from drift.word_edits import edits

TURNS = st.lists(
    st.tuples(st.sampled_from(["A", "B", "C", None]), st.sampled_from(["a b", "c", "", "d a."])), max_size=8
)


def spoken_of(turns):
    return spoken(Transcript("application/json", None, tuple(Segment(text, who) for who, text in turns)), UNICODE)


def paired(ours, theirs):
    first, second = spoken_of(ours), spoken_of(theirs)
    return SpokenPair(first, second, edits(first.words, second.words), "unicode/1", by_characters=False)


@settings(deadline=None)
@given(turns=TURNS, names=st.permutations(["A", "B", "C"]))
def test_renaming_every_speaker_confuses_nobody(turns, names):
    renamed = [(who and names["ABC".index(who)], text) for who, text in turns]

    assert speakers(paired(turns, renamed)).differing == 0


@settings(deadline=None)
@given(ours=TURNS, theirs=TURNS)
def test_confusion_is_a_share(ours, theirs):
    found = speakers(paired(ours, theirs))

    assert 0 <= found.differing <= found.compared
    assert bool(found.confused) == bool(found.differing)


def test_only_words_that_both_have_count(pair):
    reference = [{"speaker": "A", "text": "one two three four"}, {"speaker": "B", "text": "five six seven eight"}]
    candidate = [{"speaker": "x", "text": "one two THREE four five"}, {"speaker": "y", "text": "six sieben eight"}]

    score = pair(reference, candidate).score("speaker_confusion")

    assert score.value == pytest.approx(1 / 7) and score.note == "1 of 7 words are another speaker's"
    assert score.detail.mapping == {"x": "A", "y": "B"} and score.detail.confused == {4: "x"}


def test_a_third_voice_for_two_speakers_is_confusion(pair):
    reference = [{"speaker": "A", "text": "one two three four"}]
    candidate = [{"speaker": "x", "text": "one two three"}, {"speaker": "y", "text": "four"}]

    assert pair(reference, candidate).score("speaker_confusion").value == pytest.approx(1 / 4)


def test_no_shared_word_is_a_reason(pair):
    found = pair([{"speaker": "A", "text": "one"}], [{"speaker": "A", "text": "two"}]).score("speaker_confusion")

    assert found.value is None and found.reason == "no words with a speaker are the same in both"
