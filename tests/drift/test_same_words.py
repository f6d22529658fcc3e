"""What is said first of two transcripts whose words are the same: not that their error rate is 0 %."""

import json

import pytest

from drift.compare import compare
from drift.evidence import telling
from drift.score import Score

SAID = [
    {"speaker": "A", "text": "Hello, World.", "start": 0, "end": 1},
    {"speaker": "B", "text": "It's 5%.", "start": 1, "end": 2},
]


def changed(**members):
    return [SAID[0] | members, SAID[1]]


@pytest.mark.parametrize(
    ("candidate", "summary"),
    [
        (changed(text="Hello World."), "the words are the same, punctuation error rate 33.33%"),
        (changed(text="hello, World."), "the words are the same, casing error rate 33.33%"),
        (changed(start=0.2, end=1.2), "the words are the same, median shift of times 100 ms"),
        (changed(text="hello world"), "punctuation error rate 66.67%, casing error rate 66.67%"),
        ([SAID[0], SAID[1] | {"speaker": "A"}], "the words are the same, speaker confusion 50.00%"),
        ([SAID[0], SAID[1] | {"text": "IT\u2019S 5%."}], "the words are the same, casing error rate 33.33%"),
        ([SAID[0], SAID[1] | {"text": "Its 5%."}], "once normalised by unicode/1, as written 25.00% of them differ"),
        ([*SAID, {"text": " "}], "what else the files say of them (markup, segments, labels, times) is not"),
        (changed(text="Hello, Moon."), "word error rate 25.00%, character error rate"),
    ],
)
def test_what_differs_beyond_the_words_is_named(tmp_path, candidate, summary):
    for name, document in (("a.json", SAID), ("b.json", candidate)):
        (tmp_path / name).write_text(json.dumps(document))

    found = compare(tmp_path / "a.json", tmp_path / "b.json")

    assert summary in found.summary and found.summary.startswith("The content differs: ")
    assert " 0.00%" not in found.summary


def test_only_the_metrics_asked_for_are_quoted():
    assert telling([Score("wer.norm/1/unicode/1", 0.0, "ratio"), Score("wer.raw/1", 0.5, "ratio")]).endswith(
        "as written 50.00% of them differ"
    )
    assert telling([Score("ssim/1", 0.5)]) == "SSIM 0.5000"


def test_speakers_are_told_beside_the_words(tmp_path):
    words = [{"speaker": "AB"[n // 10], "text": f"word{n}", "start": n, "end": n + 1} for n in range(20)]
    other = [word | {"speaker": "AB"[n % 2]} for n, word in enumerate(words)]
    other[3] |= {"text": "weird3"}
    for name, document in (("a.json", words), ("b.json", other)):
        (tmp_path / name).write_text(json.dumps(document))

    summary = compare(tmp_path / "a.json", tmp_path / "b.json").summary
    assert summary.startswith("The content differs: speaker confusion 4") and ", word error rate 5.00%" in summary


def test_words_are_never_left_out_where_they_differ():
    rates = {"wer.norm": 0.04, "cer.norm": 0.01, "punctuation": 1.0, "casing": 1.0, "speaker_confusion": 0.0}
    scores = [Score(f"{name}/1", value, "ratio") for name, value in rates.items()]

    assert telling(scores) == "punctuation error rate 100.00%, word error rate 4.00%"
    assert telling(scores[1:]) == "punctuation error rate 100.00%, character error rate 1.00%"
    small = [*scores[:2], Score("boundary_shift_ms.median/1", 100.0, "ms")]
    assert telling(small) == "word error rate 4.00%, character error rate 1.00%"
    late = [*small[:2], Score("boundary_shift_ms.median/1", 900.0, "ms")]
    assert telling(late) == "median shift of times 900 ms, word error rate 4.00%"
    stated = Score("facts.stated/1", 1.0, "facts", note="language de became en")
    assert telling([*late, stated]) == "language de became en, median shift of times 900 ms, word error rate 4.00%"


@pytest.mark.parametrize(
    ("text", "gained", "lost"),
    [
        ("Hello there, world.", "the reference has no words, the candidate has 3", "word error rate 100.00%"),
        ("今天天气很好", "the reference has no characters, the candidate has 6", "character error rate 100.00%"),
    ],
)
def test_nothing_said_beside_something(tmp_path, text, gained, lost):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_text(text)

    assert compare(tmp_path / "a.txt", tmp_path / "b.txt").summary == f"The content differs: {gained}."
    assert compare(tmp_path / "b.txt", tmp_path / "a.txt").summary.startswith(f"The content differs: {lost}")
