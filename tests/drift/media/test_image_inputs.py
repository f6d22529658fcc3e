"""Colour modes, depths, orientations and odd sizes: each has one answer, and no score is ever not a number."""

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageCms

from drift.assertions import check
from drift.compare import compare
from drift.media.image import load_rgb


def write(path, image, **options):
    image.save(path, **options)
    return path


def ramp(width=120, height=90):
    """A grey ramp with texture, uint8 (height, width)."""
    y, x = np.mgrid[0:height, 0:width]
    return ((x * 1.7 + 40 * np.sin(y / 7)) % 256).astype(np.uint8)


def variants(rgb):
    """One picture in every colour mode and depth an image file may have: name, image, suffix, save options."""
    image = Image.fromarray(rgb)
    yield "rgb", image, "png", {}
    yield "opaque alpha", image.convert("RGBA"), "png", {}
    yield "palette", image.quantize(256), "png", {}
    yield "cmyk", image.convert("CMYK"), "jpg", {"quality": 95}
    yield "cmyk tiff", image.convert("CMYK"), "tiff", {}
    yield "ycbcr", image.convert("YCbCr"), "tiff", {}
    yield "grey", image.convert("L"), "png", {}
    yield "grey alpha", image.convert("LA"), "png", {}
    yield "bilevel", image.convert("1"), "png", {}
    grey = np.asarray(image.convert("L"))
    yield "16-bit grey", Image.fromarray(grey.astype(np.uint16) * 257), "png", {}
    yield "16-bit grey tiff", Image.fromarray(grey.astype(np.uint16) * 257), "tiff", {}
    yield "32-bit grey", Image.fromarray(grey.astype(np.int32)), "tiff", {}
    yield "float grey", Image.fromarray(grey.astype(np.float32)), "tiff", {}
    palette = image.quantize(255)
    palette.info["transparency"] = 0
    yield "palette with transparency", palette, "gif", {"transparency": 0}
    half = image.convert("RGBA")
    half.putalpha(128)
    yield "half transparent", half, "webp", {"lossless": True}


NAMES = [name for name, *_ in variants(np.zeros((32, 32, 3), np.uint8)) if name != "rgb"]


@pytest.fixture
def files(make, tmp_path):
    rgb = make.picture(240, 170)
    return {
        name: write(tmp_path / f"{name}.{suffix}", image, **options) for name, image, suffix, options in variants(rgb)
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_mode_compares_with_plain_rgb_in_finite_numbers(files, name):
    for pair in ((files["rgb"], files[name]), (files[name], files["rgb"])):
        found = compare(*pair, assertions=True)

        for score in found.scores:
            assert (score.value is None) == bool(score.reason)
            assert score.value is None or math.isfinite(score.value)
        assert found.score("ssim").value is not None
        assert [one for side in found.findings for one in side if one.verdict == "failed"] == []


def test_modes_that_can_hold_the_picture_show_the_same_one(files):
    for name in ("opaque alpha",):
        assert np.array_equal(load_rgb(files[name]), load_rgb(files["rgb"]))
    for name, least in (("cmyk tiff", 0.9), ("ycbcr", 0.9), ("palette", 0.75)):
        assert compare(files["rgb"], files[name]).score("ssim").value > least
    for name in ("grey", "grey alpha", "16-bit grey", "16-bit grey tiff", "32-bit grey", "float grey"):
        assert np.abs(load_rgb(files[name]).astype(int) - load_rgb(files["grey"])).max() <= 1, name


def test_the_mode_that_changed_is_named(files):
    notes = " ".join(compare(files["rgb"], files["cmyk"]).notes)

    assert "mode RGB became CMYK" in notes


def test_transparency_lies_on_white(tmp_path):
    clear = Image.new("RGBA", (40, 30), (10, 20, 30, 0))
    clear.paste((200, 0, 0, 255), (10, 10, 20, 20))
    white = Image.new("RGB", (40, 30), "white")
    white.paste((200, 0, 0), (10, 10, 20, 20))
    found = compare(write(tmp_path / "a.png", clear), write(tmp_path / "b.png", white))

    assert found.score("ssim").value == pytest.approx(1, abs=1e-6) and found.score("decoded").value == 0
    assert found.score("psnr.rgb").reason.startswith("no pixel differs")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_before_measuring(make, tmp_path, orientation):
    rgb = make.picture(240, 160)
    undo = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    stored = Image.fromarray(rgb)
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / "turned.png", stored, exif=exif)

    found = compare(write(tmp_path / "upright.png", Image.fromarray(rgb)), path)

    assert found.score("decoded").value == 1 and found.turned is None


def test_colour_profiles_are_ignored(make, tmp_path):
    image = Image.fromarray(make.picture())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    found = compare(write(tmp_path / "a.png", image), write(tmp_path / "b.png", image, icc_profile=profile))

    assert found.score("decoded").value == 1


def test_floating_point_pictures_may_hold_what_is_no_number(tmp_path):
    wild = ramp().astype(np.float32)
    wild[3, 4], wild[5, 6], wild[7, 8], wild[9, 9] = np.nan, np.inf, -np.inf, 1e30
    path = write(tmp_path / "a.tiff", Image.fromarray(wild))

    found = compare(path, write(tmp_path / "b.png", Image.fromarray(ramp())))

    assert all(score.value is None or math.isfinite(score.value) for score in found.scores)
    assert found.score("ssim").value > 0.95


SIZES = [(1, 1), (2, 1), (1, 300), (300, 1), (5, 7), (10, 10), (11, 11), (64, 48), (257, 255)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_any_size_against_any_other_has_numbers_or_reasons(make, tmp_path, size):
    path = write(tmp_path / "a.png", Image.fromarray(make.picture(*size)))
    for other in ((1, 1), (7, 90), (64, 48)):
        second = write(tmp_path / "b.png", Image.fromarray(255 - make.picture(*other)))
        found = compare(path, second, assertions=True)

        for score in found.scores:
            assert score.reason or math.isfinite(score.value)
        resampled = any("resampled" in note for note in found.notes)
        assert resampled == (size != other and min(size) >= 1 and found.score("psnr.rgb") is not None)


def test_lab_tiffs_have_an_answer(tmp_path, make):
    packed = io.BytesIO()
    lab = ImageCms.profileToProfile(
        Image.fromarray(make.picture()), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    lab.save(packed, "TIFF")
    path = tmp_path / "lab.tiff"
    path.write_bytes(packed.getvalue())

    assert check(path) and compare(path, write(tmp_path / "b.png", Image.fromarray(make.picture()))).scores
