"""Turned copies are recognised and not stretched; other pictures are not taken for one."""

import numpy as np
import pytest
from PIL import Image

from drift.compare import compare
from drift.fingerprints.pdq import DIHEDRAL

TURNS = {
    "rot90": lambda p: np.rot90(p),
    "rot180": lambda p: np.rot90(p, 2),
    "rot270": lambda p: np.rot90(p, 3),
    "flipx": np.flipud,
    "flipy": np.fliplr,
    "transpose": lambda p: p.transpose(1, 0, 2),
    "antitranspose": lambda p: np.rot90(p, 2).transpose(1, 0, 2),
}
SIDEWAYS = ("rot90", "rot270", "transpose", "antitranspose")
PIXELS = ("ssim", "psnr.rgb", "color.mean", "color.p95", "msssim")


def save(path, rgb, **options):
    Image.fromarray(np.ascontiguousarray(rgb)).save(path, **options)
    return path


@pytest.fixture
def textured(make):
    """A picture with something to recognise, 360x240."""
    rng = np.random.default_rng(5)
    blobs = Image.fromarray(rng.integers(0, 256, (9, 13, 3), np.uint8)).resize((360, 240), Image.Resampling.BICUBIC)
    return np.asarray(blobs)


@pytest.mark.parametrize("name", TURNS)
def test_a_turned_copy_is_told_also_where_it_was_compressed_anew(textured, tmp_path, name):
    original = save(tmp_path / "a.png", textured)
    turned = save(tmp_path / "b.jpg", TURNS[name](textured), quality=70)

    found = compare(original, turned)

    assert found.turned == name and name in DIHEDRAL
    assert found.notes[0].startswith("the candidate looks like the reference ")
    assert "looks like the reference" in found.summary
    for score in PIXELS:
        measured = found.score(score)
        assert (measured.value is None) == (name in SIDEWAYS), score
        assert name not in SIDEWAYS or "turn it back" in measured.reason


def test_words_of_a_quarter_turn_have_the_right_sense(textured, tmp_path):
    original = save(tmp_path / "a.png", textured)
    save(tmp_path / "b.png", textured)
    with Image.open(tmp_path / "b.png") as image:
        image.rotate(90, expand=True).save(tmp_path / "b.png")  # Pillow turns counter-clockwise

    assert "rotated by 90° counter-clockwise" in compare(original, tmp_path / "b.png").summary


def test_a_square_is_not_stretched_hence_measured(textured, tmp_path):
    square = textured[:, :240]
    found = compare(save(tmp_path / "a.png", square), save(tmp_path / "b.png", np.rot90(square)))

    assert found.turned == "rot90" and found.score("ssim").value is not None


def test_other_pictures_and_symmetric_ones_are_no_turn(textured, make, tmp_path):
    original = save(tmp_path / "a.png", textured)
    other = save(tmp_path / "b.png", make.picture(240, 360))
    flat = save(tmp_path / "c.png", np.full((360, 240, 3), 90, np.uint8))
    jpeg = save(tmp_path / "d.jpg", textured, quality=50)

    for candidate in (other, flat, jpeg):
        assert compare(original, candidate).turned is None
    assert compare(original, other).score("ssim").value is not None
    assert compare(flat, save(tmp_path / "e.png", np.full((240, 360, 3), 90, np.uint8))).turned is None


def test_a_portrait_against_a_landscape_is_stretched_and_said(make, tmp_path):
    found = compare(save(tmp_path / "a.png", make.picture(300, 200)), save(tmp_path / "b.png", make.picture(150, 240)))

    note = (
        "the candidate was resampled from 150x240 to 300x200 and stretched: its sides are as 0.62 to 1, the reference's"
    )
    assert any(note in one for one in found.notes)


@pytest.mark.parametrize(("first", "second"), [("a.png", "moving.gif"), ("moving.webp", "moving.gif")])
def test_animations_are_compared_by_their_first_frame_and_said(media, first, second):
    document = compare(media / first, media / second).to_json()

    said = [note for note in document["notes"] if "only the first of the 4 frames" in note]
    assert len(said) == (first == "moving.webp") + 1 and "of the candidate is compared" in said[-1]
