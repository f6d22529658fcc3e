"""Boundary shifts: by construction, by words and by segments, and what unusable times do."""

import numpy as np
import pytest

from drift.compare import compare


def timed(words, shift=0.0, text=None, **more):
    """A document of OpenAI's form: half a second per word, lists of words without punctuation."""
    listed = [{"word": word, "start": n / 2 + shift, "end": n / 2 + 0.4 + shift} for n, word in enumerate(words)]
    text = text or " ".join(words)
    return {"text": text, "segments": [{"text": text, "start": 0, "end": len(words) / 2}], "words": listed, **more}


WORDS = [f"w{n}" for n in range(20)]


@pytest.mark.parametrize("shift", [0.0, 0.12, 1.5])
def test_a_constant_shift_is_the_shift(pair, shift):
    reference = timed(WORDS, text=" ".join(WORDS) + ".")
    found = pair(reference, timed(WORDS, shift, text=" ".join(WORDS).upper() + "!"))

    assert found.score("boundary_shift_ms.median").value == pytest.approx(shift * 1000)
    assert found.score("boundary_shift_ms.p95").value == pytest.approx(shift * 1000)
    note = found.score("boundary_shift_ms.median").note
    assert note.startswith("times of words in both, 40 starts and ends compared")
    assert ("120 ms late" in note) == (shift == 0.12)


def test_percentiles_interpolate_linearly(pair):
    rng = np.random.default_rng(4)
    shifts = rng.integers(0, 400, 20) / 1000
    candidate = timed(WORDS)
    for word, shift in zip(candidate["words"], shifts, strict=True):
        word["start"] = round(word["start"] + shift, 3)

    found = pair(timed(WORDS), candidate)

    sizes = np.rint(np.concatenate([shifts, np.zeros(20)]) * 1000)
    assert found.score("boundary_shift_ms.median").value == pytest.approx(np.median(sizes))
    assert found.score("boundary_shift_ms.p95").value == pytest.approx(np.percentile(sizes, 95))


def test_words_that_differ_are_left_out(pair):
    candidate = timed(["x", *WORDS[:9], *WORDS[10:]], shift=0.05)
    for word in candidate["words"][:10]:  # the new first word took half a second
        word["start"], word["end"] = max(0, word["start"] - 0.5), max(0, word["end"] - 0.5)

    found = pair(timed(WORDS), candidate)

    assert "38 starts and ends" in found.score("boundary_shift_ms.median").note
    assert found.score("boundary_shift_ms.p95").value == pytest.approx(50)


def test_a_listed_word_may_be_split_or_missing(pair):
    reference = timed(["it", "is", "well-known", "that", "5%"], text="It is well-known that 5%.", language="en")
    candidate = timed(["It", "is", "well", "known", "that"], text="It is well known that 5 percent.", language="en")

    found = pair(reference, candidate)

    # it and is: 0, well starts with well-known, known ends half a second later, that twice half a second.
    assert found.score("wer.norm").value == 0
    assert found.score("boundary_shift_ms.p95").detail.all == (0, 0, 0, 0, 0, 500, 500, 500)


def test_segments_stand_in_where_words_have_no_times(tmp_path, pair):
    reference = [{"text": "one two", "start": 0, "end": 1}, {"text": "three four", "start": 2, "end": 3}]
    candidate = [{"text": "one", "start": 0.1, "end": 0.5}, {"text": "two three four", "start": 0.5, "end": 3.3}]

    found = pair(reference, candidate)

    assert found.score("boundary_shift_ms.p95").detail.all == (100, 300)
    assert found.score("boundary_shift_ms.median").note.startswith("times of segments in both, 2 starts and ends")


def test_segments_and_words_can_be_compared_and_it_is_said(pair):
    segments = [{"text": "w0 w1 w2", "start": 0, "end": 1.4}]

    found = pair(segments, timed(WORDS[:3], 0.2))

    assert found.score("boundary_shift_ms.median").value == pytest.approx(200)
    assert "the reference times segments, the candidate words" in found.score("boundary_shift_ms.median").note


def test_voices_of_one_cue_share_its_outer_ends(tmp_path):
    for name, start in (("a.vtt", "00:01.000"), ("b.vtt", "00:01.250")):
        text = f"WEBVTT\n\n{start} --> 00:04.000\n<v A>one two</v>\n<v B>three four</v>\n"
        (tmp_path / name).write_text(text)

    found = compare(tmp_path / "a.vtt", tmp_path / "b.vtt")

    assert found.score("boundary_shift_ms.p95").detail.all == (250, 0)


def test_scripts_without_spaces_are_timed_by_characters(pair):
    text = "\u4eca\u5929\u5929\u6c14\u5f88\u597d"
    words = [text[:2], text[2:4], text[4:]]
    reference, candidate = timed(words, text=text + "\u3002"), timed([*text], text=text)

    found = pair(reference, candidate)

    assert found.score("boundary_shift_ms.p95").detail.all == (0, 500, 500, 1000, 1000, 1500)


def test_no_times_and_no_common_word_are_reasons(pair):
    assert (
        pair(timed(WORDS), [{"text": "w0 w1"}]).score("boundary_shift_ms.median").reason == "the candidate has no times"
    )
    assert "no word is the same" in pair(timed(WORDS), timed(["x", "y"])).score("boundary_shift_ms.p95").reason
    halves = [{"text": "a b", "start": 0}], [{"text": "x b", "start": 0}]
    assert "no time in one stands at the same word" in pair(*halves).score("boundary_shift_ms.median").reason


def test_times_that_run_backward_are_left_out_and_told(tmp_path):
    good = "1\n00:00:01,000 --> 00:00:02,000\none two\n\n2\n00:00:03,000 --> 00:00:04,000\nthree\n"
    (tmp_path / "a.srt").write_text(good)
    (tmp_path / "b.srt").write_text(good.replace("00:00:02,000", "00:00:00,500"))
    (tmp_path / "c.srt").write_text(good.replace("00:00:03,000", "00:00:00,900"))

    found = compare(tmp_path / "a.srt", tmp_path / "b.srt")
    assert found.score("boundary_shift_ms.p95").detail.all == (0, 0)  # of the second cue
    assert "1 segments of the candidate end before they start, their times are left out" in "".join(found.notes)

    found = compare(tmp_path / "a.srt", tmp_path / "c.srt")
    assert found.score("boundary_shift_ms.p95").detail.all == (0, 0, -2100, 0)
    assert "1 segments of the candidate start before the one before them" in "".join(found.notes)


def test_speakers_who_talk_at_once_are_no_error(pair):
    overlapping = [
        {"speaker": "A", "text": "one two", "start": 0, "end": 3},
        {"speaker": "B", "text": "three", "start": 1, "end": 2},
    ]

    found = pair(overlapping, [dict(segment, end=segment["end"] + 0.1) for segment in overlapping])

    assert found.score("boundary_shift_ms.p95").detail.all == (0, 100, 0, 100)
    assert found.score("cpwer").value == found.score("speaker_confusion").value == 0


def test_times_that_are_no_times_tell_nothing(pair):
    odd = timed(WORDS[:2]) | {"words": ["w0", {"word": "w1", "start": -1, "end": "x"}, {"word": 3, "start": 1}]}

    found = pair(odd, odd | {"x": 1})  # the list says nothing, the segments do

    assert found.score("boundary_shift_ms.median").note.startswith("times of segments in both")


SPOKEN = {"start": 0.5, "end": 0.9}
FORMS = {
    "OpenAI": {"text": "Hi.", "words": [{"word": "Hi", **SPOKEN}]},
    "words of segments": {"segments": [{"text": "Hi.", "start": 0, "end": 2, "words": [{"word": " Hi.", **SPOKEN}]}]},
    "a bare list": [{"text": "Hi.", "words": [{"text": "Hi", **SPOKEN}]}],
    "Deepgram": {"results": {"channels": [{"alternatives": [{"words": [{"word": "hi", **SPOKEN}]}]}]}},
    "Deepgram utterances": {
        "results": {"channels": [], "utterances": [{"transcript": "Hi.", "words": [{"word": "hi", **SPOKEN}]}]}
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_timed_words_are_read_from_every_form(pair, form):
    found = pair(FORMS[form], timed(["hi"], 0.25))

    assert found.score("boundary_shift_ms.p95").detail.all == (-250, -250)
    assert found.score("boundary_shift_ms.median").note.startswith("times of words in both")
    assert "250 ms early" in found.score("boundary_shift_ms.median").note
