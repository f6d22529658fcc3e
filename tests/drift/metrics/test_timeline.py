"""Video timelines: constant shifts are found exactly, and frames are measured only after aligning."""

import numpy as np
import pytest

from drift.align import frame_offset
from drift.compare import compare
from drift.fingerprints.frames import Marks, frame_distances, marks_of, reduced, strided
from drift.side import Side
from drift.timelines import timelines


def marked(pictures):
    return marks_of(np.stack([reduced(picture) for picture in pictures]))


def scene(make, count, start=0):
    """Moving pictures whose frames are all different."""
    return [np.roll(make.picture(128, 96, shift=2 * n), 3 * n, axis=0) for n in range(start, start + count)]


@pytest.mark.parametrize("shift", [0, 1, 5, 37, 60, -1, -8, -60])
def test_a_constant_shift_is_exact(make, tmp_path, shift):
    a = make.video(tmp_path / "a.mp4", scene(make, 140, max(0, -shift)))
    b = make.video(tmp_path / "b.mp4", scene(make, 140, max(0, shift)), quality=30)

    found = compare(a, b)

    # Frame i of b shows frame i + shift of a: it runs that much early.
    assert found.details["timeline.offset/2"].alignment.offset == -shift
    assert found.score("timeline.offset").value == abs(shift)
    assert found.score("timeline.phash.worst").value <= 12
    assert found.score("timeline.ssim.mean").value > 0.9


def test_a_shift_that_only_the_end_reveals_is_found_in_a_second_pass(make, tmp_path):
    still = [make.picture(128, 96)] * 260
    moving = scene(make, 60)
    a = make.video(tmp_path / "a.mp4", [*still, *moving])
    b = make.video(tmp_path / "b.mp4", [*still[:-4], *moving])

    found = timelines(Side(a), Side(b))

    assert found.alignment.offset == -4 and found.ssim.min() > 0.8


def test_the_worst_frames_are_where_the_change_is(make, tmp_path):
    pictures = scene(make, 100)
    a = make.video(tmp_path / "a.mp4", pictures)
    for n in range(48, 58):
        pictures[n] = 255 - pictures[n]
    b = make.video(tmp_path / "b.mp4", pictures)

    found = compare(a, b)
    lines = found.details["timeline.offset/2"]

    assert 48 <= lines.worst()[0] < 58
    assert set(np.flatnonzero(lines.phash > 20)) == set(range(48, 58))
    assert lines.ssim_at.tolist() == list(range(0, 100, 5))
    assert found.score("timeline.ssim.worst").value < 0.3 < found.score("timeline.ssim.mean").value


def test_other_sizes_are_compared_and_said(make, tmp_path):
    pictures = scene(make, 20)
    a = make.video(tmp_path / "a.mp4", pictures)
    b = make.video(tmp_path / "b.mp4", [p[::2, ::2].copy() for p in pictures])

    found = compare(a, b)
    assert found.score("timeline.ssim.mean").value > 0.5
    assert any("resampled" in note for note in found.notes)
    assert any("width 128 became 64" in note for note in found.notes)


def test_the_same_frames_in_other_bytes(make, media, tmp_path):
    make.remux(media / "fast.mp4", tmp_path / "b.mkv")

    found = compare(media / "fast.mp4", tmp_path / "b.mkv")
    assert (found.score("bytes").value, found.score("decoded").value) == (0, 1)
    assert found.score("timeline.ssim.worst").value == pytest.approx(1, abs=1e-6)
    assert found.score("timeline.phash.worst").value == 0


def test_one_frame_is_enough(make, tmp_path):
    a = make.video(tmp_path / "a.mp4", scene(make, 1))
    b = make.video(tmp_path / "b.mp4", scene(make, 1, 3))

    assert compare(a, b).score("timeline.ssim.mean").value is not None


def test_smooth_frames_do_not_hash_noise():
    ramp = np.broadcast_to(np.arange(320) * 255 // 320, (180, 320))
    rng = np.random.default_rng(0)
    rows = marked([np.clip(ramp + rng.integers(-2, 3, ramp.shape), 0, 255).astype(np.uint8) for _ in range(6)]).hashes

    assert frame_distances(rows[:1].repeat(5, axis=0), rows[1:]).max() <= 1


def test_strided_keeps_180_pixels():
    assert strided(np.zeros((720, 1280), np.uint8)).shape == (180, 320)
    assert strided(np.zeros((1280, 719), np.uint8)).shape == (427, 240)
    assert strided(np.zeros((100, 50), np.uint8)).shape == (100, 50)


def test_offsets_of_random_frames_are_exact():
    rng = np.random.default_rng(1)
    hashes = np.stack([rng.integers(0, 2**63, 300, dtype=np.uint64), np.full(300, 2**64 - 1, np.uint64)], axis=1)
    waves = rng.integers(-99, 99, (300, 64), dtype=np.int16)

    whole = Marks(hashes, waves, *(np.zeros((300, 1)) for _ in range(3)))

    for shift in (-60, -7, 0, 13, 60):
        ours, theirs = np.arange(max(0, -shift), 300), np.arange(max(0, shift), 300)
        assert frame_offset(whole.taken(ours), whole.taken(theirs)) == -shift


def test_a_still_clip_has_no_offset(make, tmp_path):
    still = [make.picture(128, 96)] * 70
    a = make.video(tmp_path / "a.mp4", still)
    b = make.video(tmp_path / "b.mp4", still, quality=38)

    assert timelines(Side(a), Side(b)).alignment.offset == 0


@pytest.mark.parametrize("shift", [0, 3, 20])
def test_a_repeating_pattern_is_told_apart(make, tmp_path, shift):
    pictures = [make.picture(128, 96, shift=3 * n) for n in range(120)]  # waves repeat after some fifteen frames
    a = make.video(tmp_path / "a.mp4", pictures[:90])
    b = make.video(tmp_path / "b.webm", pictures[shift : shift + 90], codec="libvpx-vp9")

    assert timelines(Side(a), Side(b)).alignment.offset == -shift
