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
