"""The metric ``descriptor``: its parts, its meaning, and what must hold for any pair."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from drift.compare import compare
from drift.descriptor import describe
from drift.metrics.descriptor import descriptor_distances

PARTS = ("glob", "hist", "lay", "scat")


@pytest.fixture
def saved(tmp_path):
    def write(name, rgb):
        Image.fromarray(rgb).save(tmp_path / name)
        return tmp_path / name

    return write


def test_equal_pictures_are_zero_apart(make, saved):
    rgb = make.picture(300, 200)

    found = compare(saved("a.png", rgb), saved("b.bmp", rgb), metrics=["descriptor"])
    assert [score.value for score in found.scores] == [0] * 5


def test_the_whole_is_the_root_mean_square_of_the_parts(make, saved):
    pair = saved("a.png", make.picture(300, 200)), saved("b.png", make.picture(300, 200, shift=60))

    found = compare(*pair, metrics=["descriptor"])
    parts = [found.score(f"descriptor.{name}/1").value for name in PARTS]
    assert found.score("descriptor/1").value == pytest.approx(np.sqrt(np.mean(np.square(parts))))
    assert all(part > 0 for part in parts) and found.score("descriptor.hist").value <= 1


def test_it_is_symmetric_and_keeps_the_triangle(make):
    described = [describe(make.picture(96, 64, shift=shift)) for shift in (0, 13, 40)]
    a, b, c = described

    for name, apart in descriptor_distances(a, b).items():
        assert apart == pytest.approx(descriptor_distances(b, a)[name])
        assert descriptor_distances(a, c)[name] <= apart + descriptor_distances(b, c)[name] + 1e-9


def test_units_mean_what_they_say():
    """All of a grey picture ten steps of lightness brighter: one unit in each of the Lab levels that move."""
    dark, bright = (describe(np.full((64, 64, 3), grey, np.uint8)) for grey in (119, 145))
    step = (bright.lay[0] - dark.lay[0]) / 25.5
    assert step == pytest.approx(1, abs=0.05)

    found = descriptor_distances(dark, bright)
    assert found["lay"] == pytest.approx(step * np.sqrt(336 / 1072), rel=1e-6)  # L of 336 cells, of 1,072 numbers
    assert found["glob"] == pytest.approx(step * np.sqrt(8 / 74), rel=0.05)  # seven percentiles and the mean
    # Both greys lie in one of six bins of lightness.
    assert found["hist"] == 0 and found["scat"] == pytest.approx(0, abs=1e-6)


def test_a_blur_is_seen_in_texture_and_another_palette_in_colour(make):
    grain = np.random.default_rng(0).normal(0, 20, (256, 256, 1))
    image = Image.fromarray(np.clip(make.picture(256, 256) * 0.5 + 64 + grain, 0, 255).astype(np.uint8))
    light, blue, red = image.convert("YCbCr").split()
    swapped = Image.merge("YCbCr", (light, red, blue)).convert("RGB")
    blurred = image.filter(ImageFilter.GaussianBlur(2))
    plain, *others = (describe(np.asarray(one)) for one in (image, blurred, swapped))

    blur, swap = (descriptor_distances(plain, one) for one in others)
    assert blur["scat"] > 3 * swap["scat"] and swap["hist"] > 1.5 * blur["hist"]


def test_another_size_of_one_picture_stays_close(make):
    rgb = make.picture(640, 480)
    small = np.asarray(Image.fromarray(rgb).resize((320, 240), Image.Resampling.BOX))
    other = descriptor_distances(describe(rgb), describe(make.picture(640, 480, shift=200)))

    found = descriptor_distances(describe(rgb), describe(small))
    assert found["lay"] < 0.1 < other["lay"]


@pytest.mark.parametrize(
    ("block", "number", "unit"),
    [
        ("glob", 0, 25.5),
        ("glob", 29, 25.5),
        ("glob", 30, 0.1),
        ("glob", 32, np.log(2)),
        ("glob", 73, np.log(2)),
        ("lay", 1007, 25.5),
        ("lay", 1008, np.log(2)),
        ("scat", 0, np.log(2)),
    ],
)
def test_each_number_is_measured_in_its_unit(make, block, number, unit):
    plain = describe(make.picture(96, 64))
    values = getattr(plain, block).copy()
    values[number] += unit

    found = descriptor_distances(plain, replace(plain, **{block: values}))
    assert found[block] == pytest.approx(values.size**-0.5, rel=1e-5)
    assert all(value == 0 for name, value in found.items() if name != block)
