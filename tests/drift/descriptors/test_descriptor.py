"""mm-desc-2: the study's numbers, pinned numbers, and what must hold for any picture."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.descriptor import Descriptor, InvalidDescriptor, describe

BLOCKS = ("glob", "hist", "lay", "scat", "cur")
VECTORS = json.loads((Path(__file__).parent / "descriptor_vectors.json").read_text())
NAMES = ["cut-256", "square-512", "wide-512x300", "tall-201x512", "odd-511x513", "small-64", "tiny-5x7", "flat-128"]


def noisy(rgb, amount, seed=0):
    grain = np.random.default_rng(seed).normal(0, amount, rgb.shape)
    return np.clip(rgb + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("grain", [0, 12])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_studys(drawn, studied, name, grain):
    rgb = noisy(drawn(name), grain)

    found, expected = describe(rgb), studied(rgb)
    for block in BLOCKS:
        loose = 3e-4 if block == "cur" else 1e-4  # the study sums deviations in float32
        assert getattr(found, block) == pytest.approx(expected[block], rel=loose, abs=2e-5), block


@pytest.mark.parametrize("name", VECTORS)
def test_the_numbers_are_pinned(drawn, name):
    rgb, rows = drawn(name), VECTORS[name]
    assert hashlib.sha256(rgb.tobytes()).hexdigest() == rows["sha256"], "the picture is drawn otherwise than it was"

    found = describe(rgb)
    for block in BLOCKS:
        values, row = getattr(found, block).astype(float), rows[block]
        assert values.sum() == pytest.approx(row["sum"], rel=1e-4, abs=1e-3), block
        assert np.linalg.norm(values) == pytest.approx(row["norm"], rel=1e-4, abs=1e-3), block
        assert values[:: row["every"]] == pytest.approx(row["values"], rel=1e-3, abs=1e-3), block


def test_blocks_have_their_sizes(drawn):
    found = describe(drawn("small-64"))

    assert [getattr(found, block).shape for block in BLOCKS] == [(74,), (864,), (1072,), (408,), (202,)]
    assert {getattr(found, block).dtype for block in BLOCKS} == {np.dtype(np.float32)}
    assert Descriptor.version == "mm-desc-2"


@settings(deadline=None, max_examples=25)
@given(height=st.integers(1, 300), width=st.integers(1, 300), seed=st.integers(0, 99), flat=st.booleans())
def test_any_picture_has_finite_numbers(height, width, seed, flat):
    rng = np.random.default_rng(seed)
    rgb = np.full((height, width, 3), seed, np.uint8) if flat else rng.integers(0, 256, (height, width, 3), np.uint8)

    found = describe(rgb)
    assert all(np.isfinite(getattr(found, block)).all() for block in BLOCKS)


def test_the_same_pixels_give_the_same_bits_in_any_memory_order(drawn):
    rgb = drawn("odd-511x513")
    again = np.asfortranarray(rgb)

    assert all(np.array_equal(getattr(describe(rgb), block), getattr(describe(again), block)) for block in BLOCKS)


def test_coding_of_a_large_picture_is_read_from_its_own_pixels(drawn):
    """A coder's grid and grain vanish in the resized picture, and must show in the descriptor all the same."""
    rgb = noisy(drawn("large-1024"), 10)
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    coded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    shrunk = [cv2.resize(one, (256, 256), interpolation=cv2.INTER_AREA) for one in (rgb, coded)]

    def blockiness(one, other):
        return np.abs(describe(one).glob - describe(np.ascontiguousarray(other)).glob)[60:62].min()

    assert blockiness(rgb, coded) > 0.1 > 5 * blockiness(*shrunk)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((4, 4, 3), float), ((4, 4), np.uint8), ((4, 4, 4), np.uint8), ((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(shape, dtype):
    with pytest.raises(ValueError, match="uint8 of shape"):
        describe(np.zeros(shape, dtype))


def test_numbers_of_no_picture_are_refused(drawn):
    good = describe(drawn("small-64"))
    parts = {block: getattr(good, block) for block in BLOCKS}

    with pytest.raises(InvalidDescriptor, match=r"glob is unusable.*shape"):
        Descriptor(**{**parts, "glob": parts["hist"]})
    with pytest.raises(InvalidDescriptor, match=r"lay is unusable.*finite"):
        Descriptor(**{**parts, "lay": np.full(1072, np.nan, np.float32)})
    with pytest.raises(InvalidDescriptor, match="float64"):
        Descriptor(**{**parts, "cur": parts["cur"].astype(float)})
