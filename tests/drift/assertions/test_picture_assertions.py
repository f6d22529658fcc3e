"""Pictures: every failure is found, and what honest pictures look like is none."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from drift.assertions import check, failed
from drift.assertions.picture import check_picture


def names(findings):
    return [finding.base.partition(".")[2] for finding in failed(findings)]


def natural(width=512, height=384, seed=0):
    """A picture with the 1/f spectrum of photographs, uint8 RGB."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    planes = []
    for _ in range(3):
        spectrum = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
        planes.append(np.fft.irfft2(spectrum / frequency, (height, width)))
    picture = np.stack(planes, -1)
    return np.clip(128 + 50 * picture / picture.std(), 0, 255).astype(np.uint8)


def jpeg(rgb, quality=90, **options):
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, "JPEG", quality=quality, **options)
    return packed.getvalue()


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def noise(width=512, height=384, block=1, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // block, width // block, 3), np.uint8)
    return np.repeat(np.repeat(small, block, 0), block, 1)


@pytest.mark.parametrize("level", [0, 3, 10])
def test_black_is_found_however_it_is_coded(level):
    black = np.full((200, 300, 3), level, np.uint8)

    assert names(check_picture(black)) == ["black"]
    assert names(check_picture(decoded(jpeg(black, 30)))) == ["black"]


@pytest.mark.parametrize("colour", [(255, 255, 255), (128, 128, 128), (200, 30, 40), (40, 40, 40)])
def test_one_colour_is_flat_also_with_a_little_grain(colour):
    flat = np.full((200, 300, 3), colour, np.uint8)
    grain = np.clip(flat + np.random.default_rng(1).normal(0, 1.5, flat.shape), 0, 255).astype(np.uint8)

    assert names(check_picture(flat)) == ["flat"]
    assert names(check_picture(decoded(jpeg(grain, 60)))) == ["flat"]


@pytest.mark.parametrize("block", [1, 2, 4, 8])
def test_noise_of_pixels_and_of_blotches(block):
    assert names(check_picture(noise(block=block))) == ["noise"]


def test_noise_survives_a_codec():
    assert names(check_picture(decoded(jpeg(noise(), 75)))) == ["noise"]
    smooth = cv2.GaussianBlur(noise(block=8, seed=3), (0, 0), 2)
    assert names(check_picture(smooth)) == ["noise"]


@pytest.mark.parametrize("kept", [0.35, 0.6, 0.9])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_whose_data_ends_early_is_cut_off(tmp_path, kept, subsampling):
    whole = jpeg(natural(), subsampling=subsampling)
    path = tmp_path / "half.jpg"
    path.write_bytes(whole[: int(len(whole) * kept)] + b"\xff\xd9")  # a reader that patches the end mark in

    findings = check(path)

    assert names(findings) == ["cut_off"]
    share = failed(findings)[0].value
    assert abs(share - (1 - kept)) < 0.15 and f"{share:.0%}" in failed(findings)[0].reason


def test_a_cut_picture_saved_again_is_still_cut_off():
    rgb = natural()
    rgb[250:] = 128
    assert names(check_picture(decoded(jpeg(rgb, 70)))) == ["cut_off"]
    rgb[250:] = 0
    assert names(check_picture(decoded(jpeg(rgb, 95)))) == ["cut_off"]


def honest():
    """Pictures that come near a failure without being one."""
    rng = np.random.default_rng(7)
    night = np.clip(rng.normal(3, 1.5, (400, 600, 3)), 0, 12).astype(np.uint8)
    for _ in range(25):
        x, y = rng.integers(0, 600), rng.integers(0, 200)
        cv2.circle(night, (int(x), int(y)), 1, (230, 230, 210), -1)
    yield "night", night
    dim = (natural(seed=2) // 12).astype(np.uint8)
    yield "underexposed", dim
    white = Image.new("RGB", (600, 600), "white")
    ImageDraw.Draw(white).ellipse((260, 260, 340, 340), fill=(240, 240, 238))
    yield "white product on white", np.asarray(white)
    logo = Image.new("RGB", (1024, 1024), "white")
    ImageDraw.Draw(logo).rectangle((500, 500, 520, 520), fill="black")
    yield "minimalist logo", np.asarray(logo)
    yield "gradient", np.repeat(np.linspace(100, 160, 400).astype(np.uint8)[:, None], 600, 1)[..., None].repeat(3, 2)
    fog = np.clip(200 + (natural(seed=3).astype(float) - 128) / 8, 0, 255).astype(np.uint8)
    yield "fog", fog
    boxed = natural(seed=4)
    boxed[:48], boxed[-48:] = 0, 0
    yield "letterbox", boxed
    grey = natural(seed=4)
    grey[:48], grey[-48:] = 128, 128
    yield "grey letterbox", grey
    mat = np.full((400, 600, 3), 128, np.uint8)
    mat[30:330, 50:550] = natural(500, 300, seed=5)
    yield "on a grey mat", mat
    polaroid = np.full((500, 440, 3), 250, np.uint8)
    polaroid[20:400, 20:420] = natural(400, 380, seed=6)
    yield "instant photo", polaroid
    silhouette = natural(seed=8)
    for x in range(silhouette.shape[1]):
        silhouette[int(250 + 40 * np.sin(x / 40)) :, x] = 0
    yield "black hills", silhouette
    caption = natural(seed=9)
    caption[-60:] = 255
    yield "white caption bar", caption
    subtitle = natural(seed=9)
    subtitle[-40:] = 0
    yield "black caption bar", subtitle
    stars = np.zeros((400, 600, 3), np.uint8)
    at = rng.integers(0, 400, 3000), rng.integers(0, 600, 3000)
    stars[at] = 255
    yield "stars", stars
    yield (
        "sand",
        np.clip(natural(seed=10) * 0.4 + cv2.GaussianBlur(noise(seed=2), (0, 0), 1.2) * 0.6, 0, 255).astype(np.uint8),
    )
    yield "film grain", np.clip(natural(seed=11) + rng.normal(0, 25, (384, 512, 1)), 0, 255).astype(np.uint8)
    code = np.kron(rng.integers(0, 2, (41, 41)), np.ones((8, 8))).astype(np.uint8) * 255
    yield "code", np.pad(code, 32, constant_values=255)[..., None].repeat(3, 2)
    checker = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    yield "checker", checker[..., None].repeat(3, 2)
    page = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(page)
    for row in range(30):
        draw.text((40, 30 + 24 * row), "the quick brown fox jumps over the lazy dog 0123456789 " * 2, fill="black")
    yield "page of text", np.asarray(page)


@pytest.mark.parametrize(("name", "rgb"), list(honest()), ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("coding", ["png", "jpeg"])
def test_honest_pictures_raise_no_alarm(name, rgb, coding):
    shown = decoded(jpeg(rgb, 80)) if coding == "jpeg" else rgb

    assert failed(check_picture(shown)) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (31, 31), (64, 33)])
def test_tiny_pictures_have_answers(size):
    findings = check_picture(natural(*size) if min(size) > 1 else noise(*size))

    assert len(findings) == 4 and not [one for one in failed(findings) if one.base in ("image.noise", "image.cut_off")]


def test_an_animation_that_begins_black_is_none(tmp_path):
    pages = [Image.new("RGB", (96, 64)), *(Image.fromarray(natural(96, 64, seed)) for seed in range(3))]
    pages[0].save(tmp_path / "fade.webp", save_all=True, append_images=pages[1:], duration=80, lossless=True)
    pages[0].save(tmp_path / "dark.webp", save_all=True, append_images=[pages[0]] * 3, duration=80)

    assert failed(check(tmp_path / "fade.webp")) == ()
    assert names(check(tmp_path / "dark.webp")) == ["black"]
