"""Motion: known displacements come out, unevenness is told from speed, other directions are told apart."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.compare import compare
from drift.fingerprints.cell_motion import cell_motion
from drift.metrics.motion import steps
from drift.side import Side
from drift.timelines import timelines


def one_cell(earlier, later):
    """The same least squares by numpy's solver, for one cell."""
    middle, change = (earlier + later) / 2, later - earlier
    down, across = np.gradient(middle)
    return across, down, change


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_each_cell_is_the_damped_least_squares_solution(seed):
    pictures = np.random.default_rng(seed).uniform(0, 255, (2, 32, 32)).astype(np.float32)
    across, down, change = one_cell(*pictures.astype(float))

    found = cell_motion(pictures)[0]

    for row in range(4):
        for column in range(4):
            part = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
            matrix = np.stack([across[part].ravel(), down[part].ravel()], axis=1)
            damped = np.vstack([matrix, 8 * np.eye(2)])  # 8 squared is the damping of 64
            right = np.append(-change[part].ravel(), [0, 0])
            expected = np.linalg.lstsq(damped, right, rcond=None)[0] / 32
            assert found[row, column] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("across", "down"), [(0.5, 0.0), (0.0, 0.5), (-0.4, 0.3)])
def test_a_known_displacement(across, down):
    y, x = np.mgrid[0:32, 0:32].astype(np.float32)

    def wave(x, y):
        return 128 + 60 * np.sin(x / 4) + 50 * np.cos(y / 5)

    pictures = np.stack([wave(x, y), wave(x - across, y - down)]).astype(np.float32)
    found = cell_motion(pictures)[0].mean(axis=(0, 1)) * 32

    assert found == pytest.approx([across, down], abs=0.05)


def test_motion_agrees_with_phase_correlation(clip, panning, tmp_path):
    pictures = panning(1, 12, across=3, down=1, width=320, height=192)
    side = Side(clip(tmp_path / "a.mp4", pictures))
    found = steps(timelines(side, side).reference, np.arange(12))[1:].mean(axis=(0, 1))

    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in pictures[:2]]
    shift, _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow((320, 192), cv2.CV_64F))
    assert shift == pytest.approx([-3, -1], abs=0.2)
    assert found * [3.2, 1.92] == pytest.approx(shift, rel=0.25)


def test_speed_direction_and_unevenness_are_told_apart(clip, panning, tmp_path):
    film = panning(1, 80, across=1, down=1)
    a = clip(tmp_path / "a.mp4", film[:40])
    uneven = [film[n + (n % 2)] for n in range(40)]  # two steps, none, two steps, none
    b = clip(tmp_path / "b.mp4", uneven)

    found = compare(a, b, metrics=["motion"])

    assert found.score("motion.magnitude").value < 0.25 * found.score("motion.smoothness").value
    assert found.score("motion.smoothness").value > 0.5
    assert "became" in found.score("motion.smoothness").note
    assert found.score("motion").value > 0.4


def test_a_clip_played_backwards_moves_the_other_way(clip, panning, tmp_path):
    still = panning(1, 1)[0]
    slow = [np.roll(still, n // 2, axis=1) for n in range(30)]
    other = [np.roll(still, -(n // 2), axis=1) for n in range(30)]
    a, b = clip(tmp_path / "a.mp4", slow), clip(tmp_path / "b.mp4", other)

    there, back = (compare(*pair, metrics=["motion"]) for pair in ((a, b), (b, a)))

    assert there.score("motion.magnitude").value < 0.1 < there.score("motion").value
    for name in ("motion", "motion.magnitude", "motion.smoothness"):
        assert there.score(name).value == pytest.approx(back.score(name).value, rel=1e-6)


def test_lost_frames_are_no_change_of_motion(clip, panning, tmp_path):
    film = panning(1, 60)
    a, b = clip(tmp_path / "a.mp4", film), clip(tmp_path / "b.mp4", [*film[:20], *film[24:]])

    found = compare(a, b)
    assert found.score("timeline.dropped").value == 4
    assert found.score("motion").value < 0.1


def test_a_single_frame_does_not_move(clip, panning, tmp_path):
    a, b = (clip(tmp_path / f"{s}.mp4", panning(1, 1), quality=q) for s, q in (("a", 0), ("b", 30)))

    for score in compare(a, b, metrics=["motion"]).scores:
        assert score.value is None and "aligned frames" in score.reason
