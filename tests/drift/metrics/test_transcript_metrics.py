"""Word and character error rates against jiwer, and what the normalisers forgive."""

import json
import random

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift import word_edits
from drift.compare import compare
from drift.media.segments import Segment, Transcript
from drift.normalising import ENGLISH, UNICODE, normaliser_for
from drift.report.page import render
from drift.word_edits import edit_distance, edits

words = st.lists(st.sampled_from(["a", "b", "c", "dd", "\u00e9t\u00e9"]), min_size=0, max_size=15)


@settings(deadline=None)
@given(ours=words.filter(bool), theirs=words)
def test_rates_are_jiwers(ours, theirs):
    found = edits(ours, theirs)
    expected = jiwer.process_words(" ".join(ours), " ".join(theirs))

    assert found.error_rate == pytest.approx(expected.wer)
    assert found.match_error_rate == pytest.approx(expected.mer)
    assert found.information_lost == pytest.approx(expected.wil)
    counts = (found.substitutions, found.deletions, found.insertions, found.hits)
    assert counts == (expected.substitutions, expected.deletions, expected.insertions, expected.hits)


@settings(deadline=None)
@given(ours=words, theirs=words)
def test_the_ranges_rebuild_both_sides(ours, theirs):
    found = edits(ours, theirs)
    rebuilt_ours = [w for kind, a, b, _, _ in found.ranges if kind != "insert" for w in found.reference[a:b]]
    rebuilt_theirs = [w for kind, _, _, a, b in found.ranges if kind != "delete" for w in found.candidate[a:b]]

    assert (rebuilt_ours, rebuilt_theirs) == (ours, theirs)
    for kind, a, b, c, d in found.ranges:
        assert (found.reference[a:b] == found.candidate[c:d]) == (kind == "equal")


@pytest.mark.parametrize("errors", [0.02, 0.3, 1.0])
def test_long_texts_are_jiwers_too(errors):
    """rapidfuzz searches long texts band by band; nothing must change by it."""
    rng = random.Random(errors)
    ours = [f"w{rng.randrange(400)}" for _ in range(3_000)]
    heard = [[word, "x"] if rng.random() < errors / 4 else [] if rng.random() < errors / 3 else [word] for word in ours]
    theirs = [word if rng.random() > errors / 2 else f"w{rng.randrange(400)}" for words in heard for word in words]

    found = edits(ours, theirs)

    expected = jiwer.process_words(" ".join(ours), " ".join(theirs))
    assert found.errors == expected.substitutions + expected.deletions + expected.insertions
    assert found.errors == edit_distance(ours, theirs)
    assert (found.error_rate, found.match_error_rate, found.information_lost) == pytest.approx(
        (expected.wer, expected.mer, expected.wil)
    )


def test_more_words_than_there_are_characters(monkeypatch):
    monkeypatch.setattr(word_edits, "_ALPHABET", 3)

    found = edits(["a", "b", "c", "d", "e"], ["a", "c", "d", "f", "e"])

    assert (found.substitutions, found.deletions, found.insertions) == (0, 1, 1)
    assert edit_distance(["a", "b", "c", "d"], ["a", "c", "d", "f"]) == 2


def test_texts_too_long_to_align_have_a_reason(pair, monkeypatch):
    monkeypatch.setattr(word_edits, "_MOST_ALIGNED", 3)
    monkeypatch.setattr(word_edits, "_MOST_COUNTED", 3)
    said = [{"speaker": "A", "text": "one two three", "start": 0, "end": 1}]

    found = pair(said, [{"speaker": "A", "text": "one two four", "start": 0, "end": 1}])

    measured = [score for score in found.scores if score.base.split(".")[0] not in {"bytes", "decoded", "facts"}]
    assert len(measured) == 12 and all("are beyond what is aligned" in score.reason for score in measured)


@pytest.mark.parametrize(
    ("ours", "theirs", "wer", "cer"),
    [
        ("word", "word ", 0, 0),
        ("word", "wort", 1, 1 / 4),
        ("\u0645\u0631\u062d\u0628\u0627 \u0628\u0643", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0647", 1 / 2, 1 / 7),
        ("\u05e9\u05dc\u05d5\u05dd \u05dc\u05da", "\u200f\u05e9\u05dc\u05d5\u05dd\u200f \u05dc\u05da.", 0, 0),
        ("caf\u00e9 na\u00efve", "cafe\u0301 nai\u0308ve\n", 0, 0),
        ("\ud55c\uad6d\uc5b4 \ub9d0", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \ub9d0", 0, 0),
        (
            "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
            "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e48\u0e30",
            None,
            3 / 10,
        ),
        ("\u4eca\u5929", "\u4eca\u65e5", None, 1 / 2),
    ],
    ids=["one word", "one wrong word", "Arabic", "Hebrew", "NFD", "Korean NFD", "Thai", "Chinese"],
)
def test_every_script_has_a_defined_answer(texts, ours, theirs, wer, cer):
    found = texts(ours, theirs)

    assert found.score("cer.norm").value == pytest.approx(cer)
    assert found.score("wer.norm").value == (wer if wer is None else pytest.approx(wer))
    for score in found.scores:
        assert (score.value is None) == (score.reason is not None)


def test_formatting_counts_raw_and_not_normalised(texts):
    found = texts("Hello, World. It is five o'clock.", "hello world it is five oclock")

    assert found.score("wer.norm").value == found.score("cer.norm").value == 0
    assert found.score("wer.raw").value == pytest.approx(4 / 6)


def test_counts_add_up(texts):
    found = texts("one two three four", "one 2 three four five")

    assert [found.score(f"wer.{edit}").value for edit in ("substitutions", "deletions", "insertions")] == [1, 0, 1]
    assert found.score("wer.norm").value == pytest.approx(2 / 4)


def test_characters_are_jiwers(texts):
    found = texts("kitten sat", "sitting sat")

    assert found.score("cer.raw").value == pytest.approx(jiwer.cer("kittensat", "sittingsat"))


def test_scripts_without_spaces_are_measured_by_characters(texts):
    found = texts(
        "\u4eca\u65e5\u306f\u5929\u6c17\u304c\u3044\u3044\u3067\u3059\u306d\u3002",
        "\u4eca\u65e5\u306f\u5929\u6c17\u304c\u60aa\u3044\u3067\u3059\u306d",
    )

    assert found.score("cer.norm").value == pytest.approx(1 / 11)
    assert found.score("wer.norm").value is None and "use cer" in found.score("wer.norm").reason


def test_an_empty_reference_has_a_defined_answer(texts, tmp_path):
    found = texts("...", "hello there")
    for name in ("wer.norm", "mer.norm", "wil.norm", "cer.norm"):
        assert found.score(name).value is None and "no " in found.score(name).reason
    assert found.score("wer.insertions").value == 2

    (tmp_path / "c.json").write_text('{"text": ""}')
    (tmp_path / "d.json").write_text('{"text": " "}')
    both = compare(tmp_path / "c.json", tmp_path / "d.json")
    assert {score.base: score.value for score in both.scores if score.unit in {"ratio", "words"}} == {
        **dict.fromkeys(["wer.norm", "mer.norm", "wil.norm", "wer.raw", "cer.norm", "cer.raw"], 0),
        **dict.fromkeys(["wer.substitutions", "wer.deletions", "wer.insertions", "punctuation", "casing"], 0),
        **dict.fromkeys(["cpwer", "speaker_confusion"], None),
    }


def test_an_empty_candidate_loses_everything(texts):
    found = texts("hello there", "...")

    assert found.score("wer.norm").value == found.score("wil.norm").value == 1
    assert found.score("wer.deletions").value == 2


def spoken(language):
    return Transcript("application/json", language, (Segment("x"),))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("en", "en", ENGLISH),
        ("english", None, ENGLISH),
        (None, "en-GB", ENGLISH),
        (None, None, UNICODE),
        ("de", "de", UNICODE),
        ("en", "de", UNICODE),
    ],
)
def test_english_rules_need_english(ours, theirs, expected):
    assert normaliser_for(spoken(ours), spoken(theirs)) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I can't, won't and shan't.", "I cannot will not and shall not"),
        ("They\u2019re here & we've won 5%", "they are here and we have won 5 percent"),
        ("Um, well, uh yes", "well yes"),
        ("Dr. Smith's dog", "dr smiths dog"),
    ],
)
def test_english_forgives_spelling_of_the_same_words(one, other):
    assert ENGLISH.apply(one) == ENGLISH.apply(other)


def test_other_languages_keep_what_english_would_drop():
    assert UNICODE.apply("Er sagte: \u00abUm vier\u00bb & ging") == "er sagte um vier ging"
    assert UNICODE.apply("\ufb01ne STRASSE") == UNICODE.apply("FINE stra\u00dfe")
    assert UNICODE.apply("caf\u00e9") == UNICODE.apply("cafe\u0301")


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_normalising_twice_is_once(text):
    assert UNICODE.apply(UNICODE.apply(text)) == UNICODE.apply(text)


def test_the_normaliser_is_in_the_name(texts):
    names = [score.name for score in texts("a b", "a c").scores]

    assert "wer.norm/1/unicode/1" in names and "wer.raw/1" in names


TIME = st.none() | st.floats(0, 50)
SEGMENTS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=25)},
        optional={
            "speaker": st.sampled_from(["A", "B", "\u05d0"]),
            "start": TIME,
            "end": TIME,
            "words": st.lists(
                st.fixed_dictionaries({"word": st.sampled_from(["a", "b c", "", "\u4eca"]), "start": TIME})
            ),
        },
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(ours=SEGMENTS, theirs=SEGMENTS, language=st.sampled_from(["en", "de", None]))
def test_whatever_is_said_every_score_has_a_value_or_a_reason(tmp_path_factory, ours, theirs, language):
    folder = tmp_path_factory.mktemp("said")
    for name, segments in (("a.json", ours), ("b.json", theirs)):
        (folder / name).write_text(json.dumps({"segments": segments, "language": language}))

    found = compare(folder / "a.json", folder / "b.json", metrics=METRICS)  # a score that is not finite cannot be made
    itself = compare(folder / "a.json", folder / "a.json", metrics=METRICS)

    render(found)
    assert len(found.scores) >= 12
    assert {score.value for score in itself.scores} <= {0, None}
    assert all(0 <= score.value <= 1 for name in BOUNDED if (score := found.score(name)) and score.value is not None)


METRICS = ["wer", "cer", "cpwer", "speaker_confusion", "boundary_shift_ms", "punctuation", "casing"]
BOUNDED = ["mer.norm", "wil.norm", "speaker_confusion", "punctuation", "casing"]
