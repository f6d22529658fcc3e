"""PDQ against vectors of the reference implementation (made by tests/drift/oracles/make_pdq_vectors.py)."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drift.fingerprints import pdq as module
from drift.fingerprints.pdq import DIHEDRAL, Pdq, canonical_luma, distance, distances, pdq, pdq_dihedral, pdq_of_file

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "pdq_vectors.json").read_text())
PUBLIC = HERE.parents[3] / "shared" / "vectors" / "pdq"
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="needs the conformance data at ../shared/vectors")

_spec = importlib.util.spec_from_file_location("pdq_pictures", HERE / "pictures.py")
pictures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pictures)


def luma_of(rgb):
    return (rgb[..., 0] * 0.299 + rgb[..., 1] * 0.587 + rgb[..., 2] * 0.114).astype(np.float32)


def unstable(luma, count=8):
    """Masks of the bits that rounding may decide, for each form, from the module's own coefficients."""
    small = module._shrink_rows(luma) @ module._axis(luma.shape[1]).T
    forms = module._turned(module._DCT @ small @ module._DCT.T, count).reshape(count, 256)
    medians = np.partition(forms, 127, axis=1)[:, 127:128]
    return [
        np.packbits((np.abs(form - median) <= 1)[::-1]).tobytes() for form, median in zip(forms, medians, strict=True)
    ]


@pytest.mark.parametrize("name", VECTORS["drawn"])
def test_drawn_pictures_hash_as_the_reference_does(name):
    rgb = pictures.drawn(name)
    row = VECTORS["drawn"][name]
    assert hashlib.sha256(rgb.tobytes()).hexdigest() == row["sha256"], "the picture is drawn otherwise than it was"

    found = pdq_dihedral(luma_of(rgb))

    assert found[0].quality == row["quality"]
    if found[0].stable >= 96:
        assert [str(form) for form in found] == row["hashes"]
    else:  # flat and periodic art: only stable bits must agree
        for form, expected, loose in zip(found, row["hashes"], unstable(luma_of(rgb)), strict=True):
            differing = int(str(form), 16) ^ int(expected, 16)
            assert differing & ~int.from_bytes(loose, "big") == 0


@needs_public
@pytest.mark.parametrize("name", VECTORS["files"])
def test_public_files_hash_as_the_reference_does_in_every_stable_bit(name):
    found = pdq_of_file(PUBLIC / name)
    row = VECTORS["files"][name]

    grey = canonical_luma(module.load_luma(PUBLIC / name))
    for form, expected, loose in zip(found, row["hashes"], unstable(grey), strict=True):
        differing = int(str(form), 16) ^ int(expected, 16)
        assert differing & ~int.from_bytes(loose, "big") == 0
    assert abs(found[0].quality - row["quality"]) <= 1


@needs_public
def test_fast_decoding_stays_near():
    for path in sorted(PUBLIC.glob("bridge-*.jpg")):
        fast, full = pdq_of_file(path, fast=True)[0], pdq_of_file(path)[0]
        assert distance(fast.bits, full.bits) <= 4


TURNS = {
    "original": lambda a: a,
    "rot90": lambda a: np.rot90(a, 1),
    "rot180": lambda a: np.rot90(a, 2),
    "rot270": lambda a: np.rot90(a, 3),
    "flipx": np.flipud,
    "flipy": np.fliplr,
    "transpose": np.transpose,
    "antitranspose": lambda a: np.rot90(a.T, 2),
}


@pytest.mark.parametrize("name", DIHEDRAL)
def test_each_form_is_the_hash_of_the_picture_turned_so(name):
    luma = luma_of(pictures.drawn("square-512"))

    form = pdq_dihedral(luma)[DIHEDRAL.index(name)]
    turned = pdq(np.ascontiguousarray(TURNS[name](luma)))

    # The reference samples at floor(8 (i + 0.5)) with an even window: a turned grid lies half a pixel off.
    assert distance(form.bits, turned.bits) <= 30
    others = [pdq_dihedral(luma)[DIHEDRAL.index(other)] for other in DIHEDRAL if other != name]
    assert all(distance(other.bits, turned.bits) > 80 for other in others)


def test_pictures_too_small_to_hash_match_nothing():
    assert pdq(np.zeros((4, 100), np.float32)) == Pdq(bytes(32), 0, 0)


def test_flat_art_says_that_it_is_not_to_be_trusted():
    found = pdq(np.full((128, 128), 77, np.float32))

    assert found.quality == 0 and found.stable == 0


def test_canonical_luma_has_a_long_side_of_512_at_most():
    assert canonical_luma(np.zeros((2000, 1000, 3), np.uint8)).shape == (512, 256)
    assert canonical_luma(np.zeros((300, 200), np.uint8)).shape == (300, 200)
    assert canonical_luma(np.zeros((3, 5000, 3), np.uint8)).shape == (1, 512)


def test_a_file_is_hashed_upright(tmp_path):
    rgb = pictures.drawn("wide-512x300")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(rgb, 1)).save(tmp_path / "a.png", exif=exif)

    assert pdq_of_file(tmp_path / "a.png")[0] == pdq(canonical_luma(rgb))


hashes = st.binary(min_size=32, max_size=32)


@settings(deadline=None)
@given(a=hashes, b=hashes, c=hashes)
def test_distance_is_a_metric(a, b, c):
    assert distance(a, a) == 0 and distance(a, b) == distance(b, a) <= 256
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@settings(deadline=None)
@given(query=hashes, many=st.lists(hashes, min_size=0, max_size=9))
def test_many_distances_are_the_single_ones(query, many):
    rows = np.frombuffer(b"".join(many), np.uint8).reshape(-1, 32)

    assert distances(query, rows).tolist() == [distance(query, other) for other in many]
