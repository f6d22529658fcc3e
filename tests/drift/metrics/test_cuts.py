"""Scene cuts: found at the frame, laid over each other after aligning; light, motion and lost frames are none."""

import numpy as np

from drift.compare import compare
from drift.metrics.cuts import cut_frames
from drift.side import Side
from drift.timelines import timelines


def marks(path):
    side = Side(path)
    return timelines(side, side).reference


def test_cuts_are_found_at_their_first_frame(clip, panning, tmp_path):
    film = [*panning(1, 30), *panning(2, 20), *panning(3, 25)]
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", film, quality=32)

    assert cut_frames(marks(a)).tolist() == cut_frames(marks(b)).tolist() == [30, 50]
    found = compare(a, b, metrics=["cuts"])
    assert [score.value for score in found.scores] == [0, 0]
    assert found.details["cuts/1"].reference.tolist() == [30, 50]


def test_a_flash_a_jump_of_light_and_fast_motion_are_no_cuts(clip, panning, tmp_path):
    light = panning(1, 40)
    light[10:] = [p // 2 for p in light[10:]]
    flash = panning(1, 40)
    flash[20] = np.full_like(flash[20], 255)

    assert not len(cut_frames(marks(clip(tmp_path / "light.mp4", light))))
    assert not len(cut_frames(marks(clip(tmp_path / "flash.mp4", flash))))
    assert not len(cut_frames(marks(clip(tmp_path / "fast.mp4", panning(1, 40, across=9, down=5)))))


def test_a_cut_that_only_one_clip_has_is_named(clip, panning, tmp_path):
    film = [*panning(1, 40), *panning(2, 40)]
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", [*film[:60], *panning(3, 20)])

    there, back = compare(a, b), compare(b, a)

    assert there.score("cuts").value == back.score("cuts").value == 1
    assert there.score("cuts.count").value == 1 and there.score("cuts.count").note == "1 became 2"
    assert there.score("cuts").note == "only in the candidate: before frame 60"
    assert back.score("cuts").note == "only in the reference: before frame 60"


def test_cuts_are_compared_after_aligning(clip, panning, tmp_path):
    film = [*panning(1, 50), *panning(2, 60)]
    a = clip(tmp_path / "a.mp4", film)
    shifted = clip(tmp_path / "b.mp4", film[12:])
    shorter = clip(tmp_path / "c.mp4", [*film[:20], *film[22:]])

    for other, cut in ((shifted, 38), (shorter, 48)):
        found = compare(a, other)
        assert found.score("cuts").value == 0
        assert found.details["cuts/1"].candidate.tolist() == [cut]


def test_cuts_of_different_clips_have_no_common_time(clip, panning, tmp_path):
    a = clip(tmp_path / "a.mp4", [*panning(1, 20), *panning(2, 20)])
    b = clip(tmp_path / "b.mp4", panning(3, 40))

    found = compare(a, b)
    assert found.score("cuts").value is None and "different pictures" in found.score("cuts").reason
    assert found.score("cuts.count").value == 1
