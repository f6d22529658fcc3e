"""Pairs of videos that are not alike as files: every one gets scores or reasons, and the notes say what was done."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from drift.compare import compare


def scores(found):
    """Values by name without version; a score must have a value or a reason, which ``Score`` itself sees to."""
    return {score.base: score.value for score in found.scores}


def brightness_apart(found):
    """The largest difference of a cell's brightness, in grey levels."""
    lines = found.details["timeline.offset/2"]
    return np.abs(lines.reference.cells.astype(int) - lines.candidate.cells).max() / 64


def turned(source, target, degrees):
    """The same file with another display matrix in its track header (ISO/IEC 14496-12, section 8.3.2)."""
    width, height = 192, 128
    matrix = {
        90: (0, 1, -1, 0, height, 0),
        180: (-1, 0, 0, -1, width, height),
        270: (0, -1, 1, 0, 0, width),
    }[degrees]
    a, b, c, d, x, y = (value << 16 for value in matrix)
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    assert struct.unpack(">9i", data[at : at + 36]) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, x, y, 1 << 30)
    target.write_bytes(data)
    return target


def encoded(path, pictures, form, codec="libx264", times=None, color_range=None, options=None):
    """Encode in a pixel format, with a time stamp for each frame in 1/100 s where ``times`` has them."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.options = form, options or {}
        if times:
            stream.codec_context.time_base = Fraction(1, 100)
        if color_range:
            stream.codec_context.color_range = color_range
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format=form, dst_color_range=color_range)
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 100)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_flag_is_followed_as_players_do(clip, panning, tmp_path, degrees):
    film = panning(1, 20)
    flagged = turned(clip(tmp_path / "coded.mp4", film), tmp_path / "flagged.mp4", degrees)
    upright = clip(tmp_path / "upright.mp4", [np.ascontiguousarray(np.rot90(p, -degrees // 90)) for p in film])

    same, sideways = compare(flagged, upright), compare(tmp_path / "coded.mp4", flagged)

    assert scores(same)["timeline.ssim.worst"] > 0.98 and scores(same)["timeline.phash.worst"] == 0
    assert scores(sideways)["timeline.offset"] is None  # what a viewer sees is another picture


def test_another_size_is_resampled_and_another_shape_stretched(clip, panning, tmp_path):
    film = panning(1, 20)
    a = clip(tmp_path / "a.mp4", film)
    half = clip(tmp_path / "half.mp4", [p[::2, ::2].copy() for p in film])
    squeezed = clip(tmp_path / "squeezed.mp4", [p[:, ::2].copy() for p in film])

    smaller, narrower = compare(a, half), compare(a, squeezed)

    assert scores(smaller)["timeline.ssim.mean"] > 0.9 and scores(narrower)["timeline.ssim.mean"] > 0.9
    assert "timeline.ssim.mean: the candidate's frames were resampled to the reference's size" in smaller.notes
    assert any("stretched from 0.75:1 to 1.50:1" in note for note in narrower.notes)
    assert any("width 192 became 96" in note for note in narrower.notes)


@pytest.mark.parametrize(("rate", "count"), [(50, 120), (12.5, 30), (30, 72), (24, 57)])
def test_another_frame_rate_is_a_rate_ratio(clip, panning, tmp_path, rate, count):
    film = panning(1, 60)
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", [film[int(n * 25 / rate)] for n in range(count)], rate=Fraction(rate))

    there, back = compare(a, b), compare(b, a)

    # A first frame that is shown twice is a start one frame late.
    assert max(scores(there)["timeline.offset"], scores(back)["timeline.offset"]) <= (rate == 30)
    expected = max(rate / 25, 25 / rate)
    for found in (there, back):
        assert scores(found)["timeline.rate_ratio"] == pytest.approx(expected, rel=0.02)
        assert scores(found)["timeline.ssim.worst"] > 0.97
        assert scores(found)["flicker"] < 0.1 and scores(found)["motion.magnitude"] < 0.15
    more, fewer = ("duplicated", "dropped") if rate > 25 else ("dropped", "duplicated")
    assert scores(there)[f"timeline.{more}"] == pytest.approx(abs(count - 60), abs=3)
    assert scores(there)[f"timeline.{fewer}"] == 0
    assert any("frames for each frame of the reference" in note for note in there.notes)


def test_variable_frame_times_do_not_matter_to_frames(panning, tmp_path):
    film = panning(1, 30)
    steady = encoded(tmp_path / "a.mp4", film, "yuv420p", times=[4 * n for n in range(30)])
    uneven = encoded(tmp_path / "b.mp4", film, "yuv420p", times=[4 * n + n % 3 for n in range(29)] + [200])

    found = compare(steady, uneven)

    assert scores(found)["timeline.offset"] == scores(found)["timeline.dropped"] == 0
    assert scores(found)["timeline.rate_ratio"] == 1 and scores(found)["timeline.ssim.worst"] > 0.99
    assert scores(found)["facts.duration_ms"] > 0


def test_another_duration_is_measured_over_what_both_show(clip, panning, tmp_path):
    film = panning(1, 80)
    a, b = clip(tmp_path / "a.mp4", film), clip(tmp_path / "b.mp4", film[:50])

    found = compare(a, b)

    assert len(found.details["timeline.offset/2"].path.ours) == 50
    assert scores(found)["timeline.dropped"] == 0 and scores(found)["timeline.ssim.worst"] > 0.98
    assert scores(found)["facts.frames"] == 30 and scores(found)["facts.duration_ms"] == 1200


def test_lost_and_repeated_frames_are_named(clip, panning, tmp_path):
    film = panning(1, 100)
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", [*film[:30], *film[33:70], film[69], *film[70:]], quality=30)

    found = compare(a, b)

    assert scores(found)["timeline.dropped"] == 3 and scores(found)["timeline.duplicated"] == 1
    assert "timeline.dropped: frames 30-32 of the reference" in found.notes
    assert scores(found)["timeline.ssim.worst"] > 0.9
    assert 30 not in found.details["timeline.offset/2"].ssim_at
    assert len(found.details["timeline.offset/2"].ssim_at) == 19


@pytest.mark.parametrize("quality", [18, 30])
@pytest.mark.parametrize(
    ("twice", "named"),
    [
        ([20, 50, 90], "frames 21, 52, 93"),
        ([40, 41, 80], "frames 41, 43, 83"),
        ([30, 30, 30, 70], "frames 31-33, 74"),
        ([10, 25, 40, 55, 70], "frames 11, 27, 43, 59 and 1 more place"),
    ],
)
def test_of_equal_frames_the_repeat_is_named(clip, panning, tmp_path, twice, named, quality):
    film = panning(1, 100)
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", [film[n] for n in sorted([*range(100), *twice])], quality=quality)

    assert f"timeline.duplicated: {named} of the candidate" in compare(a, b).notes
    assert f"timeline.dropped: {named} of the reference" in compare(b, a).notes


def test_a_freeze_in_place_is_counted_and_still_measured(clip, panning, tmp_path):
    film = panning(1, 60)
    a = clip(tmp_path / "a.mp4", film)
    b = clip(tmp_path / "b.mp4", [film[n] if not 20 < n <= 30 else film[20] for n in range(60)])

    found = compare(a, b)

    assert scores(found)["timeline.dropped"] == scores(found)["timeline.duplicated"] == 10
    assert scores(found)["timeline.ssim.worst"] < 0.7
    assert scores(found)["timeline.rate_ratio"] == 1


def test_a_clip_frozen_throughout_never_looks_good(clip, panning, tmp_path):
    film = panning(1, 60, across=4)
    a, b = clip(tmp_path / "a.mp4", film), clip(tmp_path / "b.mp4", film[:1] * 60)

    found = compare(a, b)

    assert scores(found)["timeline.ssim.mean"] < 0.6
    assert scores(found)["timeline.dropped"] is None or scores(found)["timeline.dropped"] > 50


def test_different_clips_are_said_to_be_different(clip, panning, tmp_path):
    a, b = clip(tmp_path / "a.mp4", panning(1, 60)), clip(tmp_path / "b.mp4", panning(2, 55))

    found = compare(a, b)

    for name in ("offset", "dropped", "duplicated", "rate_ratio"):
        score = found.score(f"timeline.{name}")
        assert score.value is None and "show different pictures" in score.reason
    assert scores(found)["timeline.ssim.mean"] < 0.6 and scores(found)["timeline.phash.mean"] > 20
    assert not any("late" in note or "early" in note for note in found.notes)
    assert found.details["timeline.offset/2"].path.constant


@pytest.mark.parametrize("form", ["yuv420p10le", "yuv444p", "bgr0"])
def test_other_pixel_formats_lie_in_one_range(panning, tmp_path, form):
    film = panning(1, 6)
    a = encoded(tmp_path / "a.mkv", film, "yuv420p", "ffv1")
    b = encoded(tmp_path / "b.mkv", film, form, "ffv1")

    found = compare(a, b)
    assert scores(found)["timeline.ssim.worst"] > 0.99
    assert brightness_apart(found) < 1


def test_full_range_is_brought_to_studio_range(panning, tmp_path):
    film = panning(1, 6)
    a = encoded(tmp_path / "a.mkv", film, "yuv420p", "ffv1")
    b = encoded(tmp_path / "b.mkv", film, "yuvj420p", "mjpeg", options={"qmin": "1", "qmax": "1"})

    found = compare(a, b)
    assert scores(found)["timeline.ssim.worst"] > 0.98
    assert brightness_apart(found) < 1


def test_a_single_frame_beside_one_and_beside_many(clip, panning, tmp_path):
    film = panning(1, 40)
    one, other, many = (
        clip(tmp_path / f"{name}.mp4", pictures, quality=quality)
        for name, pictures, quality in (("a", film[:1], 0), ("b", film[:1], 30), ("c", film, 20))
    )

    for found in (compare(one, other), compare(one, many), compare(many, one)):
        values = scores(found)
        assert values["timeline.offset"] == values["timeline.dropped"] == 0
        assert values["timeline.ssim.mean"] > 0.8 and values["timeline.phash.worst"] <= 3
        for name in ("timeline.rate_ratio", "flicker", "motion", "motion.smoothness"):
            score = found.score(name)
            assert score.value is None and "frame" in score.reason
        assert values["cuts"] == 0


def test_pictures_under_the_window_have_a_reason(make, tmp_path):
    pictures = [make.picture(40, 10, shift=3 * n) for n in range(12)]
    a, b = (make.video(tmp_path / f"{s}.mp4", pictures, quality=q) for s, q in (("a", 5), ("b", 30)))

    found = compare(a, b)
    assert found.score("timeline.ssim.mean").value is None and "11x11" in found.score("timeline.ssim.mean").reason
    assert scores(found)["timeline.phash.mean"] is not None


def test_sound_on_one_side_only_is_said(clip, panning, tmp_path):
    film = panning(1, 20)
    a, b = clip(tmp_path / "a.mp4", film, sound="aac"), clip(tmp_path / "b.mp4", film)

    for pair in ((a, b), (b, a)):
        found = compare(*pair)
        assert scores(found)["timeline.ssim.worst"] > 0.98
        assert any("has_audio" in note for note in found.notes)
        assert "logmel" not in scores(found)


def test_an_empty_audio_track_is_no_sound(panning, tmp_path):
    def with_empty_track(path):
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
            out.add_stream("aac", rate=48_000, layout="mono")
            for picture in panning(1, 10):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode())
        return path

    a, b = with_empty_track(tmp_path / "a.mkv"), with_empty_track(tmp_path / "b.mp4")

    found = compare(a, b)
    assert scores(found)["timeline.ssim.worst"] > 0.98
    assert all(score.value is not None or score.reason for score in found.scores)
