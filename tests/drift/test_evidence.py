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
    assert coded.startswith("The content differs: mode RGB became L, colours ") and coded.endswith(" dE00 apart.")


@pytest.mark.parametrize("size", [64, 1])
def test_another_colour_of_the_same_lightness_is_told(tmp_path, size):
    for name, colour in (("a.png", (255, 0, 0)), ("b.png", (0, 0, 255))):
        Image.new("RGB", (size, size), colour).save(tmp_path / name)

    assert compare(tmp_path / "a.png", tmp_path / "b.png").summary.startswith(
        "The content differs: colours 52.9 dE00 apart, "
    )


def test_a_gradient_in_another_colour(tmp_path):
    ramp = np.linspace(0, 255, 128).astype(np.uint8)[None].repeat(128, 0)
    Image.fromarray(np.dstack([ramp] * 3)).save(tmp_path / "a.png")
    Image.fromarray(np.dstack([ramp, ramp * 0, ramp * 0])).save(tmp_path / "b.png")

    summary = compare(tmp_path / "a.png", tmp_path / "b.png").summary
    assert "colours 32.6 dE00 apart, SSIM 0.5" in summary


def test_a_recording_at_a_third_of_the_level(make, tmp_path):
    make.audio(tmp_path / "a.wav", make.tone(2.0))
    make.audio(tmp_path / "b.wav", make.tone(2.0) * 0.3)

    summary = compare(tmp_path / "a.wav", tmp_path / "b.wav").summary
    assert summary.startswith("The content differs: loudness difference 10.4") and "log-mel distance 0.0" in summary


def test_a_film_says_what_became_of_its_sound(make, tmp_path):
    pictures = [make.picture(shift=3 * n) for n in range(50)]
    sound = make.tone(2.0, 48_000)
    sounds = {"a": sound, "silent": sound * 0, "quiet": sound * 0.3, "silent too": np.zeros(90_000)}
    paths = {
        name: make.video(tmp_path / f"{name}.mp4", pictures, sound="aac", samples=samples)
        for name, samples in sounds.items()
    }

    def summary(reference, candidate):
        return compare(paths[reference], paths[candidate]).summary

    assert summary("a", "silent").startswith("The content differs: the candidate is silent, mean SSIM ")
    assert summary("silent", "a").startswith("The content differs: the reference is silent, mean SSIM ")
    assert summary("a", "quiet").startswith("The content differs: loudness difference 10.4")
    assert " LU, mean SSIM " in summary("a", "quiet")
    assert " silent" not in summary("silent", "silent too")


def test_a_frozen_copy_has_no_offset(make, tmp_path):
    pictures = [make.picture(shift=3 * n) for n in range(40)]
    make.video(tmp_path / "a.mp4", pictures)
    make.video(tmp_path / "b.mp4", [pictures[14]] * 40)

    frozen, moving = (
        compare(tmp_path / one, tmp_path / other) for one, other in (("a.mp4", "b.mp4"), ("b.mp4", "a.mp4"))
    )
    said = "The content differs: every frame of the {} shows the same, mean SSIM "
    assert frozen.summary.startswith(said.format("candidate")) and moving.summary.startswith(said.format("reference"))
    assert "shows the same: any offset fits" in frozen.score("timeline.offset").note
    later = make.video(tmp_path / "c.mp4", pictures[4:])
    assert "offset 4 frames" in compare(tmp_path / "a.mp4", later).summary


def test_strangers_are_called_that(make, tmp_path):
    noise = np.random.default_rng(0)
    make.audio(tmp_path / "a.wav", make.tone(3.0))
    make.audio(tmp_path / "b.wav", noise.normal(0, 0.1, 48_000).clip(-1, 1))
    for name in ("a.mp4", "b.mp4"):
        make.video(tmp_path / name, [noise.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(20)])

    sounds, films = (compare(tmp_path / f"a{end}", tmp_path / f"b{end}").summary for end in (".wav", ".mp4"))
    assert sounds.startswith("The content differs: the sounds look like different recordings, ")
    assert films.startswith("The content differs: the clips show different pictures, mean SSIM ")


def test_what_differs_most_is_quoted_first():
    alike = [Score("timeline.ssim.mean/2", 0.99), Score("timeline.phash.mean/2", 0.5, "bits")]
    sound = [Score("logmel/2", 0.4, "dB"), Score("lag_ms/2", 0.0, "ms"), Score("lufs_delta/1", 0.2, "LU")]
    usual = "mean SSIM 0.9900, mean frame hash distance 0.5 bits"

    assert telling([*alike, *sound]) == usual
    assert (
        telling([*alike, *sound[:2], Score("lufs_delta/1", 9.0, "LU")]) == "loudness difference 9.00 LU, " + usual[:16]
    )
    assert telling([*alike, Score("timeline.dropped/2", 9.0, "frames")]) == "dropped 9 frames, " + usual[:16]
    both = [Score("ssim/1", 0.9), Score("phash/1", 30.0, "bits")]
    assert telling(both) == "pHash 30 of 64, SSIM 0.9000"
    assert telling([*both, Score("color.mean/1", 7.0, "dE00")]) == "pHash 30 of 64, colours 7.0 dE00 apart"
    assert telling([*both, Score("color.mean/1", 3.0, "dE00")]) == "pHash 30 of 64, SSIM 0.9000"


def test_what_coders_add_is_not_named():
    scores = [Score("facts.duration_ms/1", 48.0, "ms"), Score("facts.frames/1", 1.0, "frames"), Score("ssim/1", 0.9)]

    assert telling([*scores, Score("color.mean/1", 1.9, "dE00")]) == "SSIM 0.9000, colours 1.9 dE00 apart"
    coded = [Score("ssim/1", 0.96), Score("phash/1", 2.0, "bits"), Score("color.mean/1", 1.9, "dE00")]
    assert telling(coded) == "SSIM 0.9600, pHash 2 of 64"
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
