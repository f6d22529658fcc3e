"""Word and character error rates against jiwer, and what the normalisers forgive."""

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.compare import compare
from drift.media.segments import Segment, Transcript
from drift.normalising import ENGLISH, UNICODE, normaliser_for
from drift.word_edits import edits

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


@pytest.fixture
def texts(tmp_path):
    def write(ours, theirs):
        (tmp_path / "a.txt").write_text(ours, encoding="utf-8")
        (tmp_path / "b.txt").write_text(theirs, encoding="utf-8")
        return compare(tmp_path / "a.txt", tmp_path / "b.txt")

    return write


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
