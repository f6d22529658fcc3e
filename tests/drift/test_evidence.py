"""The sentence about a difference: what people see or hear at once comes before numbers that do not show it."""

import click
import numpy as np
import pytest
from PIL import Image

from drift.assertions.words import check_words
from drift.commands import existing
from drift.compare import compare
from drift.evidence import shown, telling
from drift.media.segments import Segment, Transcript
from drift.score import Score


def test_half_of_a_recording_is_called_that(make, tmp_path):
    samples = make.tone(4.0)
    make.audio(tmp_path / "a.wav", samples)
    make.audio(tmp_path / "b.wav", samples[: len(samples) // 2])

    summary = compare(tmp_path / "a.wav", tmp_path / "b.wav").summary
    assert summary.startswith("The content differs: 2.0 s longer or shorter, log-mel distance ")


def test_a_film_that_lost_its_sound(make, tmp_path):
    pictures = [make.picture(shift=3 * n) for n in range(20)]
    make.video(tmp_path / "a.mp4", pictures, sound="aac")
    make.video(tmp_path / "b.mp4", pictures)

    assert ": the sound is gone, mean SSIM " in compare(tmp_path / "a.mp4", tmp_path / "b.mp4").summary
    assert ": sound was added, mean SSIM " in compare(tmp_path / "b.mp4", tmp_path / "a.mp4").summary


def test_a_grey_copy(make, tmp_path):
    rgb = make.picture(320, 200)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    grey = Image.fromarray(rgb).convert("L")
    grey.save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([grey] * 3)).save(tmp_path / "b.png")

    plain, coded = (compare(tmp_path / "a.png", tmp_path / name).summary for name in ("b.png", "grey.png"))
    assert plain.startswith("The content differs: colours ") and " dE00 apart, SSIM 1.0000" in plain
    assert "dE00 apart, mode RGB became L, SSIM 1.0000" in coded


def test_what_coders_add_is_not_named():
    scores = [Score("facts.duration_ms/1", 48.0, "ms"), Score("facts.frames/1", 1.0, "frames"), Score("ssim/1", 0.9)]

    assert telling([*scores, Score("color.mean/1", 9.0, "dE00")]) == "SSIM 0.9000"
    assert telling([Score("facts.frames/1", 2.0, "frames"), scores[2]]) == "2 frames more or fewer, SSIM 0.9000"


@pytest.mark.parametrize(("unit", "one"), [("facts", "1 fact"), ("bits", "1 bit"), ("ms", "1 ms"), ("", "1.0000")])
def test_one_of_a_kind(unit, one):
    assert shown(Score("x/1", 1.0, unit)) == one and shown(Score("x/1", 2.0, "facts")) == "2 facts"


def test_a_hint_ends_before_what_follows(tmp_path):
    (tmp_path / "noise.png").write_bytes(b"x")

    with pytest.raises(click.UsageError, match=r"noise\.pgn \(did you mean \S*noise\.png\?\)$"):
        existing(str(tmp_path / "noise.pgn"))


def test_one_word_is_singular():
    one = Transcript("text/plain", None, (Segment("Yes."),))

    assert [finding.reason for finding in check_words(one)] == [
        "it has 1 word",
        "no phrase stands more than once in a row",
    ]
