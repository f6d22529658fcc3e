"""VMAF: equal to the program's own on files cut by hand, only after aligning, and a reason wherever it cannot be."""

import json
import subprocess

import numpy as np
import pytest

from drift.compare import compare
from drift.metrics import vmaf as module
from drift.metrics.vmaf import Vmaf, program, vmaf
from drift.side import Side

needs_extra = pytest.mark.skipif(program() is None, reason="needs the extra: pip install 'mintmark[vmaf]'")


def by_hand(reference, candidate, trim, folder):
    """VMAF by the program itself, the reference's first ``trim`` frames cut off; one value per frame."""
    graph = (
        f"[1:v]trim=start_frame={trim},setpts=PTS-STARTPTS[r];[0:v]setpts=PTS-STARTPTS[d];"
        "[d][r]libvmaf=model=version=vmaf_v0.6.1:log_fmt=json:log_path=log.json"
    )
    command = [program(), "-v", "error", "-i", candidate, "-i", reference, "-filter_complex", graph, "-f", "null", "-"]
    subprocess.run(command, check=True, cwd=folder, timeout=120)
    return [frame["metrics"]["vmaf"] for frame in json.loads((folder / "log.json").read_text())["frames"]]


def test_without_the_extra_the_reason_names_it(clip, panning, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PACKAGE", "a-package-nobody-installs")
    program.cache_clear()
    a, b = (clip(tmp_path / f"{s}.mp4", panning(1, 3), quality=q) for s, q in (("a", 0), ("b", 40)))

    scores = compare(a, b, metrics=["vmaf"]).scores
    program.cache_clear()

    assert [score.name for score in scores] == ["vmaf/1", "vmaf.p05/1"]
    assert all(score.value is None and "install 'mintmark[vmaf]'" in score.reason for score in scores)


@needs_extra
@pytest.mark.parametrize("size", [(192, 128), (98, 66)])
def test_it_is_the_programs_own_value_after_trimming(clip, panning, tmp_path, size):
    film = panning(1, 40, width=size[0], height=size[1])
    a, b = clip(tmp_path / "a.mp4", film, quality=15), clip(tmp_path / "b.mp4", film[5:], quality=38)

    values = vmaf(program(), Side(a), Side(b))

    expected = by_hand(a, b, 5, tmp_path)
    assert values == pytest.approx(expected, abs=1e-6) and len(values) == 35
    assert np.mean(by_hand(a, b, 0, tmp_path)) < np.mean(expected) - 30  # why it is never measured unaligned
    scores = Vmaf().compare(Side(a), Side(b))
    assert [score.value for score in scores] == pytest.approx([np.mean(expected), np.percentile(expected, 5)])


@needs_extra
def test_odd_sizes_lost_frames_and_other_sizes_are_measured(clip, panning, tmp_path):
    film = panning(1, 30, width=95, height=67)
    a = clip(tmp_path / "a.mkv", film, codec="ffv1", quality=None)
    b = clip(tmp_path / "b.mkv", [*film[:10], *film[12:]], codec="ffv1", quality=None)
    half = clip(tmp_path / "half.mkv", [p[::2, ::2].copy() for p in film], codec="ffv1", quality=None)

    same, lost, smaller = (Vmaf().compare(Side(a), Side(other))[0].value for other in (a, b, half))

    assert lost == pytest.approx(same, abs=1) and 0 < smaller < same and same > 95


@needs_extra
def test_different_clips_and_tiny_pictures_have_reasons(clip, panning, tmp_path):
    a, b = clip(tmp_path / "a.mp4", panning(1, 30)), clip(tmp_path / "b.mp4", panning(2, 30))
    tiny = clip(tmp_path / "tiny.mp4", panning(1, 5, width=64, height=16))

    assert "different pictures" in compare(a, b, metrics=["vmaf"]).score("vmaf").reason
    assert "20 pixels" in Vmaf().compare(Side(tiny), Side(tiny))[0].reason


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'no such filter' >&2; exit 8", "no such filter"),
        ("cat >/dev/null; exit 0", "no readable scores"),
        ("cat >/dev/null; echo '{\"frames\": []}' > vmaf.json", "left no scores"),
        ("cat >/dev/null; echo '{' > vmaf.json", "no readable scores"),
        ("exec sleep 60", "did not finish"),
    ],
)
def test_a_program_that_fails_or_hangs_is_a_reason(clip, panning, tmp_path, monkeypatch, text, reason):
    fake = script(tmp_path / "ffmpeg", text)
    monkeypatch.setattr(module, "program", lambda: fake)
    monkeypatch.setattr(module, "_STARTING_S", 0.2)
    monkeypatch.setattr(module, "_PER_MEGAPIXEL_S", 0.01 if "sleep" in text else 60.0)
    a, b = (clip(tmp_path / f"{s}.mp4", panning(1, 40), quality=q) for s, q in (("a", 0), ("b", 40)))

    for score in Vmaf().compare(Side(a), Side(b)):
        assert score.value is None and reason in score.reason
