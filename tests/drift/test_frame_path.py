"""Aligning marks: losses and additions are found in place, swapping clips swaps them, strangers stay strangers."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.align import frame_offset
from drift.fingerprints.frames import Marks, marks_of
from drift.frame_alignment import aligned
from drift.frame_path import BAND, frame_path, pair_costs, straight


def unrelated(count, seed=0):
    """Marks of frames that share nothing."""
    rng = np.random.default_rng(seed)
    hashes = np.stack([rng.integers(0, 2**63, count, dtype=np.uint64), np.full(count, 2**64 - 1, np.uint64)], axis=1)
    return Marks(
        hashes,
        rng.integers(-400, 400, (count, 64), dtype=np.int16),
        rng.integers(0, 16_000, (count, 16)).astype(np.uint16),
        rng.normal(0, 0.01, (count, 16, 2)).astype(np.float16),
        np.full(count, 9.0, np.float32),
    )


def noisy(marks, seed=1):
    """The same frames in another encoding."""
    waves = marks.waves + np.random.default_rng(seed).integers(-2, 3, marks.waves.shape, dtype=np.int16)
    return Marks(marks.hashes, waves, marks.cells, marks.motion, marks.change)


FILM = unrelated(400)


def shown(numbers):
    return noisy(FILM.taken(np.asarray(numbers)))


@settings(deadline=None, max_examples=25)
@given(
    lost=st.sets(st.integers(30, 270), max_size=8),
    repeated=st.sets(st.integers(30, 270), max_size=8),
    shift=st.integers(-20, 20),
)
def test_lost_and_repeated_frames_are_found_where_they_are(lost, repeated, shift):
    # A frame lost right beside a repeated one is one frame in the place of another, not a loss and an addition.
    repeated = {n for n in repeated if all(abs(n - other) > 3 for other in lost)}
    start = max(0, -shift)
    kept = [n for n in range(start, 300) if n not in lost for _ in range(1 + (n in repeated))]
    candidate = shown([*range(399, 399 - max(0, shift), -1), *kept])

    found = aligned(FILM.taken(np.arange(300)), candidate)

    assert found.different is None and found.offset == (shift if not start else -start)
    assert set(found.path.lost.tolist()) == lost
    copies = {j for j in range(1, len(kept)) if kept[j] == kept[j - 1]}
    assert len(found.path.added) == len(copies)
    assert all({j, j + 1} & {k - max(0, shift) for k in found.path.added.tolist()} for j in {c - 1 for c in copies})


@settings(deadline=None, max_examples=30)
@given(lost=st.sets(st.integers(3, 116), max_size=5), repeated=st.sets(st.integers(3, 116), max_size=5))
def test_swapping_the_clips_swaps_lost_and_added(lost, repeated):
    a = FILM.taken(np.asarray([n for n in range(120) if n not in lost]))
    b = shown([n for n in range(120) for _ in range(1 + (n in repeated))])

    forth, back = aligned(a, b), aligned(b, a)

    assert len(forth.path.lost) == len(back.path.added) and len(forth.path.added) == len(back.path.lost)
    assert pair_costs(a, b, forth.path).sum() == pytest.approx(pair_costs(b, a, back.path).sum())


def test_a_clip_lies_on_itself():
    found = aligned(FILM, FILM)

    assert found.path.constant and found.offset == 0 and found.path.rate == 1.0
    assert np.array_equal(found.path.ours, found.path.theirs) and len(found.path.ours) == 400


@pytest.mark.parametrize("rate", [2.0, 3.0, 2.5])
def test_repeated_frames_of_a_faster_clip(rate):
    faster = np.floor(np.arange(int(400 * rate)) / rate).astype(int)

    found = aligned(FILM, shown(faster), stated=rate)

    assert found.offset == 0 and found.path.rate == pytest.approx(rate, rel=0.01)
    assert set(faster[found.path.theirs] - found.path.ours) == {0}
    assert len(found.path.ours) == 400 and not len(found.dropped)


@pytest.mark.parametrize("stated", [None, 0.5])
def test_every_second_frame_is_gone_whatever_the_files_state(stated):
    found = aligned(FILM, shown(np.arange(0, 400, 2)), stated=stated)

    assert found.dropped.tolist() == list(range(1, 398, 2)) and not len(found.duplicated)
    assert found.path.rate == pytest.approx(0.5, rel=0.01)


def test_a_wrongly_stated_rate_changes_nothing():
    found = aligned(FILM, noisy(FILM), stated=1.2)

    assert found.path.constant and found.path.rate == 1.0


def test_unrelated_clips_are_different_not_misaligned():
    for seed in range(5):
        found = aligned(unrelated(150, seed), unrelated(140, seed + 100))

        assert 0.35 < found.different < 0.6
        assert not len(found.dropped) and not len(found.duplicated) and found.offset == 0


def test_a_repeated_frame_in_place_is_a_loss_and_an_addition():
    numbers = np.arange(100)
    numbers[40:46] = 40
    frozen = shown(numbers)
    frozen.change[41:46] = 0

    found = aligned(FILM.taken(np.arange(100)), frozen)

    assert found.path.constant
    assert found.dropped.tolist() == found.duplicated.tolist() == [41, 42, 43, 44, 45]


def test_still_frames_hide_no_imagined_losses():
    still = noisy(FILM.taken(np.zeros(200, int)), 3)

    found = frame_path(still, noisy(still, 4), 0)

    assert found.constant and len(found.ours) == 200


def test_the_band_is_as_wide_as_the_offsets_searched():
    for shift in (-BAND, BAND):
        ours, theirs = FILM.taken(np.arange(max(0, -shift), 300)), shown(np.arange(max(0, shift), 300))
        assert frame_offset(ours, theirs) == -shift
        assert aligned(ours, theirs).offset == -shift


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (1, 30), (30, 1), (2, 3)])
def test_a_few_frames_align(ours, theirs):
    found = aligned(FILM.taken(np.arange(ours)), FILM.taken(np.arange(theirs)))

    assert found.different is None and found.offset == 0 and len(found.path.ours) == min(ours, theirs)
    assert (found.path.rate is None) == (min(ours, theirs) == 1)


def test_a_single_frame_is_found_in_a_clip():
    assert aligned(FILM.taken(np.arange(90)), shown([23])).offset == -23


def test_the_straight_path_has_every_overlapping_pair():
    path = straight(10, 8, -3)

    assert path.ours.tolist() == [3, 4, 5, 6, 7, 8, 9] and path.theirs.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("rate", "lost"), [(1, 50), (2, None)])
def test_another_ending_is_compared_not_left_out(rate, lost):
    numbers = np.repeat(np.arange(200), rate)
    ending = unrelated(40 * rate, seed=9)
    candidate = Marks.joined([shown(numbers[numbers != lost]), ending])

    found = aligned(FILM.taken(np.arange(240)), candidate, stated=float(rate))

    assert found.path.ours[-1] == 239 and found.path.lost.tolist() == ([lost] if lost else [])
    assert len(found.path.ours) == 240 - len(found.path.lost)


def drifting(count, step, seed=0):
    """Marks of a smooth texture that moves ``step`` columns a frame, each frame with a coder's rounding."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (32, 200)).astype(np.float32), (0, 0), 4)
    texture = (texture - texture.mean()) / texture.std() * 40 + 128
    pictures = [
        cv2.warpAffine(texture, np.float32([[1, 0, -step * n], [0, 1, 0]]), (32, 32)) + rng.normal(0, 0.4, (32, 32))
        for n in range(count)
    ]
    return marks_of(np.clip(np.rint(pictures), 0, 255).astype(np.uint8))


def test_where_little_moves_a_lost_and_a_repeated_frame_show_all_the_same():
    film = drifting(72, 0.2)
    kept = [n for n in range(5, 72) if n not in (30, 31) for _ in range(1 + (n == 45))]
    other = drifting(72, 0.2, seed=0)  # the same texture; its rounding differs from frame to frame

    found = aligned(film, noisy(other.taken(np.asarray(kept)), seed=3))

    assert (found.offset, found.path.lost.tolist()) == (-5, [30, 31])
    assert len(found.path.added) == 1


def test_a_still_is_not_said_to_have_lost_or_repeated_frames():
    still = drifting(300, 0.0)

    found = aligned(still, noisy(still.taken(np.arange(10, 290)), seed=5))

    assert len(found.path.lost) == len(found.path.added) == 0
