"""Transcripts: empty, looping, of another language than stated; short, repetitive and mixed ones are none of it."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.assertions import check, failed
from drift.assertions.language import LANGUAGES, check_language, code_of
from drift.assertions.words import check_empty, check_looping, longest_row
from drift.media.segments import Segment, Transcript

SPEECH = Path(__file__).parents[4] / "shared" / "vectors" / "speech" / "transcription.txt"


def said(text, language=None):
    return Transcript("text/plain", language, tuple(Segment(line) for line in text.split("\n")))


@pytest.mark.parametrize("text", ["", " \n ", "...", "[BLANK_AUDIO]", "(silence)\n[no speech]", "♪ ♪", "-- ?!"])
def test_no_word_is_empty(text):
    assert check_empty(said(text)).verdict == "failed"


@pytest.mark.parametrize("text", ["Yes.", "7", "好", "[Music]", "♪ la la ♪"])
def test_one_word_is_not_empty_and_has_no_language(text):
    transcript = said(text, "de")

    assert check_empty(transcript).verdict == check_looping(transcript).verdict == "ok"
    assert check_language(transcript, None).verdict == "not-applicable"


LOOPS = [
    "so we went home and " + "thank you for watching " * 20,
    "Thank you. " * 30,
    "you " * 40,
    "the meeting begins at nine " + "I don't know what to say about that, " * 9 + "and so on",
    "das ist " * 14,
    "我不知道你在说什么 " * 9,
    "はい" * 30,
    "and " + "ha" * 300,
]


@pytest.mark.parametrize("text", LOOPS, ids=lambda text: text[:20])
def test_a_phrase_over_and_over_is_a_loop(text):
    found = check_looping(said(text))

    assert found.verdict == "failed" and "times" in found.reason


def test_a_loop_over_segments_is_named_with_its_phrase():
    found = check_looping(said("and then we left\n" + "Please like and subscribe!\n" * 12))

    assert found.verdict == "failed" and "“please like and subscribe” stands 12 times" in found.reason


SONG = """When the evening lights are low
I will find the way to go
Over hills and over sea
You are coming home to me
Coming home, coming home, coming home to me
Coming home, coming home, coming home to me
Na na na na na na na na hey hey hey
Every road that I have known
Every seed that I have sown
Coming home, coming home, coming home to me
Coming home, coming home, coming home to me
Coming home, coming home, coming home to me
Coming home, coming home, coming home to me
"""


@pytest.mark.parametrize(
    "text",
    [
        SONG,
        "No, no, no, no, no! Never, never, never.",
        "ha ha ha ha ha ha ha ha that was good",
        "let it be let it be let it be let it be whisper words of wisdom let it be",
        "one two three four " * 4,
        "very " * 9 + "well",
        "哈哈哈哈哈哈哈哈 太好笑了",
        "0 0 0 1 0 0 1 1 0 0 0 0 1",
    ],
    ids=lambda text: text[:20],
)
def test_refrains_laughter_and_emphasis_are_no_loop(text):
    assert check_looping(said(text)).verdict == "ok"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(1, 5))
def test_the_longest_row_is_what_counting_finds(tokens, size):
    best = 1
    for start in range(len(tokens)):
        phrase, times = tokens[start : start + size], 1
        if len(phrase) < size or any(size % part == 0 and phrase[part:] == phrase[:-part] for part in range(1, size)):
            continue
        while tokens[start + times * size : start + (times + 1) * size] == phrase:
            times += 1
        best = max(best, times)

    assert longest_row(tokens, size, size)[0] == best


TEXTS = json.loads((Path(__file__).parent / "one_sentence.json").read_text("utf-8"))


def test_no_text_is_alarmed_at_in_its_own_language_and_every_other_one_is_at_most_undecided():
    found = {
        (spoken, stated): check_language(said(text), stated).verdict
        for spoken, text in TEXTS.items()
        for stated in LANGUAGES
    }

    assert [pair for pair, verdict in found.items() if verdict == "failed" and pair[0] == pair[1]] == []
    assert [pair for pair, verdict in found.items() if verdict == "ok" and pair[0] != pair[1]] == []
    missed = [pair for pair, verdict in found.items() if pair[0] != pair[1] and verdict != "failed"]
    near = [set(pair) for pair in missed]
    kin = [{"da", "no"}, {"no", "sv"}, {"da", "sv"}, {"cs", "sk"}, {"sr", "hr"}, {"es", "pt"}, {"es", "it"}]
    assert len([pair for pair in near if pair not in kin]) <= 0.08 * len(found), missed


@pytest.mark.parametrize("spoken", TEXTS)
def test_english_stated_for_another_language_is_found(spoken):
    assert check_language(said(TEXTS[spoken]), "en").verdict == ("ok" if spoken == "en" else "failed")


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (
            "Mujhe lagta hai ki hum is baare mein baat karenge jab tum wapas aao, kyunki time nahi hai aur woh wait",
            "hi",
        ),
        ("Berlin Paris Madrid London Tokyo Oslo Roma Wien Praha Warszawa Lisboa Dublin Bern Kyiv Athen Ankara", "de"),
        ("OK Google play Despacito by Luis Fonsi featuring Daddy Yankee on Spotify in the living room", "de"),
        ("Das Meeting mit dem Customer Success Team war gut, das Feedback zum Release ist im Dashboard.", "de"),
        ("la la la la la la la la la la la la la la la la la la oh oh oh la la la", "en"),
        ("Oui.", "en"),
        (TEXTS["da"], "no"),
        (TEXTS["en"], "Klingon"),
        (TEXTS["zh"][:20], "ja"),
        ("ok then", "ar"),
    ],
)
def test_what_cannot_be_told_is_no_failure(text, stated):
    assert check_language(said(text), stated).verdict != "failed"


def test_long_quotations_in_another_language_are_no_failure():
    assert check_language(said(TEXTS["de"] + " " + 2 * TEXTS["en"]), "de").verdict != "failed"


def test_what_is_declared_comes_before_what_the_file_states():
    transcript = said(TEXTS["de"], "german")

    assert check_language(transcript, None).verdict == "ok"
    found = check_language(transcript, "fr-CA")
    assert found.verdict == "failed" and found.reason == "the words are German, French was stated"


@pytest.mark.parametrize(("stated", "code"), [("english", "en"), ("en-US", "en"), ("ENG", "en"), ("deu", "de"),
                                              ("zh_TW", "zh"), ("nb", "no"), ("tlh", None), ("", None)])  # fmt: skip
def test_languages_are_known_by_code_and_by_name(stated, code):
    assert code_of(stated) == code


def test_a_file_is_checked_with_its_own_language(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"language": "english", "text": TEXTS["fr"], "segments": [{"text": TEXTS["fr"]}]}))

    assert [one.base for one in failed(check(path))] == ["transcript.language"]
    assert failed(check(path, language="fr")) == ()


@pytest.mark.skipif(not SPEECH.is_file(), reason="needs ../shared/vectors beside the project")
def test_real_transcripts_pass():
    assert failed(check(SPEECH, language="en")) == ()
    assert [one.base for one in failed(check(SPEECH, language="de"))] == ["transcript.language"]
