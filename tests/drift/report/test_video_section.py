"""The video part of a page: both clips on one axis, what is missing where, the worst frames with their counterparts."""

import numpy as np
import pytest

from drift.compare import compare
from drift.report.page import render
from drift.report.video import WIDTH, video_section


def film(make, count, start=0):
    return [np.roll(make.picture(192, 128, shift=2 * n), 3 * n, axis=0) for n in range(start, start + count)]


def test_lanes_lie_over_each_other_where_they_show_the_same(make, tmp_path):
    pictures = film(make, 100)
    for n in range(80, 86):
        pictures[n] = 255 - pictures[n]
    a = make.video(tmp_path / "a.mp4", film(make, 100))
    b = make.video(tmp_path / "b.mp4", [*pictures[10:40], *pictures[44:]])

    comparison = compare(a, b)
    section = video_section(comparison)
    page = render(comparison)

    reference, candidate = section["lanes"]
    assert (reference["x"], reference["width"]) == ("0.0", f"{WIDTH}.0")
    assert (candidate["x"], candidate["width"]) == ("80.0", "720.0")
    assert reference["odd"] == [{"x": "320.0", "width": "32.0"}] and candidate["odd"] == []
    worst = section["worst"][0]
    assert 80 <= worst["frame"] < 86 and worst["other"] == worst["frame"] - 14
    assert section["marks"][0]["x"] == pytest.approx(worst["frame"] * 8)
    for said in ("10 frames early", "40-43", f"the candidate's {worst['other']}", "dropped above"):
        assert said in page


def test_different_clips_are_called_different(make, tmp_path):
    a = make.video(tmp_path / "a.mp4", film(make, 30))
    b = make.video(tmp_path / "b.mp4", [np.ascontiguousarray(255 - p[::-1, ::-1]) for p in film(make, 30, 200)])

    page = render(compare(a, b))

    assert "The clips show different pictures." in page and "duplicated</dt>" not in page


def test_three_worst_frames_are_shown_of_a_short_clip_too(make, tmp_path):
    a = make.video(tmp_path / "a.mp4", film(make, 60))
    b = make.video(tmp_path / "b.mp4", [np.ascontiguousarray(p // 2) for p in film(make, 60)])
    short = make.video(tmp_path / "c.mp4", [np.ascontiguousarray(p // 2) for p in film(make, 10)])

    frames = [pair["frame"] for pair in video_section(compare(a, b))["worst"]]

    assert len(frames) == 3 and min(abs(m - n) for m in frames for n in frames if m != n) >= 10
    assert len(video_section(compare(a, short))["worst"]) == 2, "no more frames were measured"


def test_a_single_frame_and_another_rate_are_drawn(make, tmp_path):
    pictures = film(make, 30)
    one = make.video(tmp_path / "one.mp4", pictures[:1])
    a = make.video(tmp_path / "a.mp4", pictures)
    fast = make.video(tmp_path / "b.mp4", [p for p in pictures for _ in (0, 1)], rate=50)

    assert "one frame" in render(compare(one, a))
    assert "frames for each of the reference" in render(compare(a, fast))
