"""The smallest media and the loudest: each metric and assertion gives an answer or a reason, and nothing warns."""

import struct
from itertools import product

import numpy as np
import pytest
from PIL import Image

from drift.assertions import check, failed
from drift.compare import compare
from drift.report.page import render

pytestmark = pytest.mark.filterwarnings("error")


def answered(paths):
    """Check each file, and compare and draw every pair of them."""
    for path in paths:
        assert all(finding.reason for finding in check(path, language="de"))
    for a, b in product(paths, paths):
        assert "<h1" in render(compare(a, b, assertions=True))


def test_sounds_of_a_few_samples(make, tmp_path):
    rng = np.random.default_rng(0)
    samples = [(1, 16_000), (2, 16_000), (1, 48_000), (7, 8_000), (500, 1_000), (399, 16_000)]
    answered(
        [
            make.audio(tmp_path / "silent.wav", np.zeros(1)),
            *(make.audio(tmp_path / f"{n}_{rate}.wav", rng.uniform(-0.5, 0.5, n), rate) for n, rate in samples),
        ]
    )


def test_sounds_far_beyond_full_scale(make, tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, 16_000)
    paths = [make.audio(tmp_path / "usual.wav", noise * 0.1)]
    for times in (1e-40, 1e20, 3e38):
        data = (noise * times).astype("<f4").tobytes()
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 16_000, 64_000, 4, 32)
        paths.append(tmp_path / f"{times:g}.wav")
        paths[-1].write_bytes(struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + form + b"data")
        with paths[-1].open("ab") as file:
            file.write(struct.pack("<I", len(data)) + data)
    answered(paths)

    assert [not failed(check(path)) for path in paths] == [True, False, True, True]
    assert compare(paths[0], paths[3]).score("lag_ms").value == 0


def test_pictures_of_a_few_pixels(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for height, width in [(1, 1), (1, 2), (40, 1), (11, 11)]:
        for name, rgb in (("black", np.zeros((height, width, 3))), ("noise", rng.uniform(0, 255, (height, width, 3)))):
            paths.append(tmp_path / f"{name}{width}x{height}.png")
            Image.fromarray(rgb.astype(np.uint8)).save(paths[-1])
    answered(paths)


def test_films_of_a_few_frames(make, tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for side, count in [(1, 2), (2, 1), (16, 1), (16, 3)]:
        pictures = list(rng.integers(0, 256, (count, side, side, 3), np.uint8))
        codec = {"codec": "ffv1", "pixels": "yuv444p"} if side == 1 else {}
        sound = "aac" if side == 16 else None
        paths.append(make.video(tmp_path / f"{side}_{count}.mkv", pictures, sound=sound, **codec))
    answered(paths)


def test_transcripts_of_a_few_letters(tmp_path):
    texts = {"line.txt": "\n", "dot.txt": ".", "a.txt": "a", "thai.txt": "ก", "v.vtt": "WEBVTT\n"}
    texts["none.json"] = '{"segments": []}'
    texts["one.json"] = '{"segments": [{"text": "a b", "start": 0, "end": 0, "speaker": "A"}]}'
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    answered([tmp_path / name for name in texts])
