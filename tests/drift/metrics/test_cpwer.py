"""Speaker-attributed word errors: equal to meeteval's, and what renaming, leaving out and adding a speaker does."""

import json
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.media.segments import Segment, Transcript
from drift.metrics.cpwer import cpwer, words_by_speaker
from drift.normalising import UNICODE
from drift.word_edits import edits

VECTORS = json.loads((Path(__file__).parent / "cpwer_vectors.json").read_text())
SPEAKERS = st.dictionaries(
    st.sampled_from("ABCD"), st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), min_size=1, max_size=4
)


def transcript(segments):
    """Of [speaker, start in seconds or None, text]."""
    made = (Segment(text, who, None if at is None else round(at * 1000), None) for who, at, text in segments)
    return Transcript("application/json", None, tuple(made))


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_errors_are_meetevals(vector):
    found = cpwer(*(words_by_speaker(transcript(vector[side]), UNICODE) for side in ("reference", "candidate")))

    assert (found.errors, found.words) == (vector["errors"], vector["length"])


def test_the_vectors_hold_what_they_should():
    """Different numbers of speakers, silent ones, timed and untimed sessions, empty references."""
    counts = [[len({who for who, _, _ in row[side]}) for side in ("reference", "candidate")] for row in VECTORS]

    assert any(a < b for a, b in counts) and any(a > b for a, b in counts)
    assert any(row["length"] == 0 for row in VECTORS)
    assert {row["reference"][0][1] is None for row in VECTORS} == {True, False}


@settings(deadline=None)
@given(reference=SPEAKERS, candidate=SPEAKERS)
def test_no_assignment_is_better(reference, candidate):
    found = cpwer(reference, candidate)

    size = max(len(reference), len(candidate))
    ours = [*reference.values(), *[[]] * (size - len(reference))]
    theirs = [*candidate.values(), *[[]] * (size - len(candidate))]
    totals = []
    for order in permutations(theirs):
        tried = [edits(a, b) for a, b in zip(ours, order, strict=True)]
        totals.append(sum(e.substitutions + e.deletions + e.insertions for e in tried))
    assert found.errors == min(totals)
    assert cpwer(reference, reference).errors == 0


def say(speaker, text):
    return {"speaker": speaker, "text": text}


def test_names_do_not_matter_and_attribution_does(pair):
    spoken = [say("Ann", "good morning everyone"), say("Bob", "hello there ann")]
    swapped = [say("0", "good morning everyone"), say("1", "hello there ann")]
    wrong = [say("0", "good morning everyone hello"), say("1", "there ann")]

    assert pair(spoken, swapped).score("cpwer").value == 0
    found = pair(spoken, wrong)
    assert found.score("wer.norm").value == 0
    assert found.score("cpwer").value == pytest.approx(2 / 6)


def test_a_speaker_nobody_is_left_for_is_named(pair):
    found = pair([say("A", "one two three")], [say("x", "one two"), say("y", "three")])

    assert found.score("cpwer").value == pytest.approx(2 / 3)
    assert "nobody in the reference is left for speaker y" in found.score("cpwer").note


def test_no_speakers_is_a_reason(pair):
    found = pair([say("A", "one two")], [{"text": "one two"}])

    for name in ("cpwer", "speaker_confusion"):
        assert found.score(name).value is None and found.score(name).reason == "the candidate names no speakers"


def test_words_without_a_speaker_are_one_more_voice(pair):
    found = pair([say("A", "one two"), {"text": "three"}], [say("x", "one two"), {"text": "three"}])

    assert found.score("cpwer").value == 0


def test_an_empty_reference(pair):
    found = pair([say("A", "...")], [say("x", "one two")])

    assert found.score("cpwer").reason == "the reference has no words, the candidate has 2"
    assert pair([say("A", "...")], [say("x", "!")]).score("cpwer").value == 0


def test_scripts_without_spaces_are_sent_to_other_measures(pair):
    found = pair([say("A", "\u4eca\u65e5\u306f")], [say("x", "\u4eca\u65e5\u304c")])

    assert "no spaces between words" in found.score("cpwer").reason
    assert found.score("speaker_confusion").value == 0
