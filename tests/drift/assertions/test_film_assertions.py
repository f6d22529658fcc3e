"""Videos: every failure is found, and what honest clips do is none."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from drift.assertions import check, failed
from drift.assertions.repeats import period_of

SIZE = 192, 128


def scene(number, speed=2.0, seed=0):
    """A frame of a camera panning over a landscape that never repeats, with a moving object."""
    rng = np.random.default_rng(seed)
    wide = cv2.GaussianBlur(rng.integers(0, 256, (SIZE[1], 1400, 3), np.uint8), (0, 0), 6).astype(float)
    wide = np.clip((wide - wide.mean()) * 5 + 120, 0, 255)
    at = number * speed
    shift = np.float32([[1, 0, -at], [0, 1, 0]])
    shown = cv2.warpAffine(wide, shift, SIZE, borderMode=cv2.BORDER_WRAP).astype(np.uint8)
    cv2.circle(shown, (int(20 + number * 1.5) % SIZE[0], int(60 + 30 * np.sin(number / 9))), 9, (250, 240, 60), -1)
    return shown


def clip(count, **options):
    return [scene(number, **options) for number in range(count)]


def slide(text="Results of the third quarter"):
    page = Image.new("RGB", SIZE, (245, 246, 250))
    draw = ImageDraw.Draw(page)
    draw.text((12, 20), text, fill=(20, 30, 80))
    for row in range(4):
        draw.text((20, 50 + 16 * row), f"- point {row} of the talk", fill=(60, 60, 60))
    return np.asarray(page)


def names(findings):
    return [finding.base for finding in failed(findings)]


@pytest.fixture
def checked(make, tmp_path):
    def run(pictures, **options):
        return check(make.video(tmp_path / "clip.mp4", pictures, **options))

    return run


BLACK = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def test_black_frozen_flat_noise(checked):
    grain = np.random.default_rng(0)
    assert names(checked([BLACK] * 40)) == ["video.black"]
    assert names(checked([*clip(15), *[BLACK] * 25])) == ["video.black"]
    assert names(checked([np.full_like(BLACK, (90, 140, 200))] * 40)) == ["video.flat"]
    assert names(checked([scene(3)] * 40)) == ["video.frozen"]
    static = [grain.integers(0, 256, BLACK.shape, np.uint8) for _ in range(36)]
    assert names(checked(static, quality=20)) == ["video.noise"]


@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_clip_that_stops_moving_is_frozen_also_where_the_sound_goes_on(checked, sound):
    found = checked([*clip(30), *[scene(29)] * 45], sound=sound, quality=30)

    assert names(found) == ["video.frozen"]
    assert "for 1.8 s, 6" in failed(found)[0].reason


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9"])
def test_the_same_second_again_and_again_is_a_loop(make, tmp_path, codec):
    path = tmp_path / ("clip.webm" if "vp9" in codec else "clip.mp4")
    found = check(make.video(path, clip(25) * 5, codec=codec))

    assert names(found) == ["video.looping"]
    assert "same 25 frames" in failed(found)[0].reason


def test_three_rounds_are_enough_and_two_are_not(checked):
    assert names(checked(clip(24) * 3)) == ["video.looping"]
    assert names(checked(clip(36) * 2)) == []


def fade(pictures, first, last):
    """Fade in from black and out to it."""
    shown = []
    for number, rgb in enumerate(pictures):
        share = min(1.0, number / first, (len(pictures) - 1 - number) / last)
        shown.append((rgb * share).astype(np.uint8))
    return shown


def honest():
    yield "panning", clip(60), {}
    yield "slow panning", clip(75, speed=0.15), {}
    yield "fade in and out", fade(clip(75), 15, 20), {}
    yield "slide", [slide()] * 75, {}
    yield "slide with sound", [slide()] * 75, {"sound": "aac"}
    yield "slides", [*[slide()] * 40, *[slide("Outlook")] * 40], {}
    yield "fade into a title", fade([slide("THE END")] * 75, 15, 5), {}
    yield "slide show of photos", [rgb for seed in range(4) for rgb in [scene(0, seed=seed)] * 30], {}
    yield "two photos", [rgb for seed in range(2) for rgb in [scene(0, seed=seed)] * 40], {}
    yield "a photo with sound", [scene(0)] * 75, {"sound": "aac"}
    talking = []
    mouth = np.random.default_rng(4).integers(2, 8, 75)
    for number in range(75):
        face = scene(0, seed=5).copy()
        cv2.ellipse(face, (96, 80), (9, int(mouth[number])), 0, 0, 360, (150, 40, 40), -1)
        talking.append(face)
    yield "lips of a talking head", talking, {}
    lamp = [
        np.clip(scene(0, seed=6).astype(int) + (40 if number // 8 % 2 else 0), 0, 255).astype(np.uint8)
        for number in range(96)
    ]
    grain = np.random.default_rng(1)
    yield "a blinking lamp", [np.clip(f + grain.normal(0, 4, f.shape), 0, 255).astype(np.uint8) for f in lamp], {}
    zoom = []
    for number in range(75):
        turn = cv2.getRotationMatrix2D((96, 64), 0, 1 + number / 400)
        zoom.append(cv2.warpAffine(scene(0, seed=7), turn, SIZE, borderMode=cv2.BORDER_REFLECT))
    yield "a slow zoom into a photo", zoom, {}
    night = [np.clip(rgb.astype(int) // 9, 0, 255).astype(np.uint8) for rgb in clip(60, seed=8)]
    for number, rgb in enumerate(night):
        cv2.circle(rgb, (30 + 2 * number, 40), 3, (240, 220, 160), -1)
    yield "night drive", night, {}
    yield "freeze frame at the end", [*clip(50), *[scene(49)] * 25], {}
    yield "three frames", clip(3), {}


@pytest.mark.parametrize(("name", "pictures", "options"), list(honest()), ids=lambda v: v if isinstance(v, str) else "")
def test_honest_clips_raise_no_alarm(checked, name, pictures, options):
    assert names(checked(pictures, **options)) == []


def test_a_walk_with_one_cut_is_no_period():
    still = np.concatenate([np.full((40, 1024), 60, np.uint8), np.full((40, 1024), 180, np.uint8)])

    assert period_of(still) is None


def test_long_clips_hold_a_window_only(make, tmp_path):
    found = check(make.video(tmp_path / "long.mp4", [scene(n % 40) for n in range(1200)], rate=60))

    assert names(found) == ["video.looping"] and failed(found)[0].value == 1.0
