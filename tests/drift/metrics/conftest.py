"""Clips for the video metrics (a texture that pans, encoded without loss) and pairs of transcripts."""

import json

import cv2
import numpy as np
import pytest

from drift.compare import compare


def texture(seed, width=640, height=384):
    """A smooth random RGB texture, uint8 (height, width, 3)."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def pan(seed, count, across=2, down=1, width=192, height=128, start=0):
    """A camera that moves over a texture; every frame is another."""
    whole = texture(seed)
    rolled = (np.roll(whole, (-down * n, -across * n), (0, 1)) for n in range(start, start + count))
    return [np.ascontiguousarray(picture[:height, :width]) for picture in rolled]


@pytest.fixture(scope="session")
def clip(make):
    """Encode RGB pictures at a path: ``clip(path, pictures)``; lossless."""

    def encode(path, pictures, quality=0, **options):
        return make.video(path, pictures, quality=quality, **options)

    return encode


@pytest.fixture(scope="session")
def panning():
    """The maker of moving pictures, ``pan`` above."""
    return pan


@pytest.fixture
def pair(tmp_path):
    """Compare two JSON transcripts: documents, or lists of segments."""

    def measured(reference, candidate, **options):
        for name, document in (("a.json", reference), ("b.json", candidate)):
            whole = {"segments": document} if isinstance(document, list) else document
            (tmp_path / name).write_text(json.dumps(whole), encoding="utf-8")
        return compare(tmp_path / "a.json", tmp_path / "b.json", **options)

    return measured


@pytest.fixture
def texts(tmp_path):
    """Compare two plain texts."""

    def measured(reference, candidate):
        (tmp_path / "a.txt").write_text(reference, encoding="utf-8")
        (tmp_path / "b.txt").write_text(candidate, encoding="utf-8")
        return compare(tmp_path / "a.txt", tmp_path / "b.txt")

    return measured
