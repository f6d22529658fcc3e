"""Punctuation and case errors: by hand, by property, and in scripts that write either in another way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.compare import compare
from drift.media.segments import Segment, Transcript
from drift.normalising import ENGLISH, UNICODE
from drift.spoken import spoken

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40)


def taken(text, normaliser=UNICODE, **options):
    return spoken(Transcript("text/plain", None, (Segment(text),)), normaliser, **options)


@settings(deadline=None)
@given(text=TEXT, english=st.booleans(), by_characters=st.booleans())
def test_words_are_those_of_the_error_rates_and_every_list_fits(text, english, by_characters):
    normaliser = ENGLISH if english else UNICODE
    transcript = Transcript("text/plain", None, (Segment(text),))
    found = spoken(transcript, normaliser, by_characters=by_characters)

    plain = normaliser.apply(transcript.text).split()
    assert found.words == ([*"".join(plain)] if by_characters else plain)
    sizes = {len(part) for part in (found.runs, found.cased, found.speakers, found.starts, found.ends)}
    assert sizes == {len(found.words)} and len(found.marks) == len(found.words) + 1


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Yes, no.", ["", ",", "."]),
        ("Yes , no .", ["", ",", "."]),
        ("\u00bfYes\uff0c \u201cno\u201d!", ["\u00bf", ',"', '"!']),
        ("yes \u2013 no\u2026", ["", "-", "\u2026"]),
        ("yes - no...", ["", "-", "\u2026"]),
        ("well-known o'clock", ["", "-", "", ""]),
        ("$5 & 3*4", ["", "", "", ""]),
    ],
)
def test_marks_stand_between_words(text, marks):
    assert taken(text).marks == marks


def test_marks_of_a_script_without_spaces():
    found = taken("\u4eca\u5929\uff0c\u597d\u3002", by_characters=True)

    assert found.marks == ["", "", ",", "\u3002"]  # a full-width comma is a comma


def test_english_keeps_one_mark_of_what_it_spells_out():
    found = taken("Um, I can't. 5%!", ENGLISH)

    assert found.words == ["i", "can", "not", "5", "percent"]
    assert found.marks == ["", "", "", ".", "", "!"]
    assert found.cased == ["I", "cant", "", "", ""]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("One, two. Three!", "One, two. Three!", 0),
        ("One, two. Three!", "one two three", 1),
        ("One, two. Three!", "One two. Three?", 2 / 3),
        ("one two", "One, two.", 1),
        ("one two", "one two", 0),
        ("One, two.", "One, zwei!", 0),  # marks at words that differ do not count
        ("Shalom, olam.", "Shalom olam.", 1 / 2),
        (
            "\u05e9\u05dc\u05d5\u05dd, \u05e2\u05d5\u05dc\u05dd.",
            "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd.",
            1 / 2,
        ),
        (
            "\u0645\u0631\u062d\u0628\u0627\u060c \u0639\u0627\u0644\u0645\u061f",
            "\u0645\u0631\u062d\u0628\u0627\u060c \u0639\u0627\u0644\u0645",
            1 / 2,
        ),
        ("\u4eca\u5929\uff0c\u597d\u3002", "\u4eca\u5929\u597d\u3002", 1 / 2),
        ("Cafe\u0301, oui.", "Caf\u00e9, oui.", 0),
        ("?!", "", 1),
    ],
)
def test_punctuation_by_hand(texts, ours, theirs, expected):
    assert texts(ours, theirs + "\n").score("punctuation").value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Anna met Bob", "Anna met Bob.", 0),
        ("Anna met Bob", "anna met bob", 2 / 3),
        ("Anna met Bob", "Anna met Eve", 0),
        ("NASA 1969", "Nasa 1969", 1),
        ("Stra\u00dfe Weg", "STRASSE weg", 1),  # spelled in another way: only Weg is compared
        ("\u00c9t\u00e9", "e\u0301te\u0301", 1),
    ],
)
def test_casing_by_hand(texts, ours, theirs, expected):
    assert texts(ours, theirs).score("casing").value == pytest.approx(expected)


def test_scripts_without_case_have_a_reason(texts):
    found = texts("\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u05e9\u05dc\u05d5\u05dd!").score("casing")

    assert found.value is None and "capital and small letters" in found.reason


def test_nothing_shared_has_a_reason(texts):
    found = texts("one.", "two.")

    assert "no words are the same" in found.score("punctuation").reason
    assert found.score("casing").value is None


@settings(deadline=None, max_examples=40)
@given(text=TEXT.filter(lambda text: text.strip()))
def test_a_text_against_itself_is_perfect(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("same") / "a.txt"
    path.write_text(text, encoding="utf-8")
    found = compare(path, path, metrics=["punctuation", "casing", "wer", "cer"])

    assert all(score.value in {0, None} for score in found.scores)
    assert found.score("punctuation").value == found.score("cer.raw").value == 0
