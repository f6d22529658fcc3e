"""AVIF beyond eight bits: depth is a stated fact, and every bit is content."""

import av
import numpy as np
import pytest
from PIL import Image

from drift.compare import compare
from drift.media import avif
from drift.media.content import content_digest
from drift.media.probe import probe


def coded(path, luma, form="yuv420p10le"):
    """A picture of ten bits without loss; ``luma`` as stored, uint16, colours neutral."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, form)
    for number, plane in enumerate(frame.planes):
        shape = (plane.height, plane.line_size // 2)
        samples = np.full(shape, 512, "<u2")
        if number == 0:
            samples[:, :width] = luma
        plane.update(samples.tobytes())
    with av.open(str(path), "w", format="avif") as out:
        stream = out.add_stream("libsvtav1", rate=1, options={"preset": "10", "svtav1-params": "lossless=1"})
        stream.width, stream.height, stream.pix_fmt = width, height, form
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The encoder tells its settings on standard error."""
    monkeypatch.setenv("SVT_LOG", "0")


@pytest.fixture(scope="module")
def steps():
    return (np.arange(64 * 64).reshape(64, 64) % 200 * 4 + 64).astype(np.uint16)


def test_low_bits_alone_make_another_digest(tmp_path, steps):
    one, other = coded(tmp_path / "a.avif", steps), coded(tmp_path / "b.avif", steps + 1)
    assert Image.open(one).tobytes() == Image.open(other).tobytes(), "eight bits are equal"

    assert avif.bits(one) == 10
    assert probe(one).facts["mode"] == "RGB;10"
    assert content_digest(one) != content_digest(other)
    assert content_digest(one) == content_digest(coded(tmp_path / "c.avif", steps))
    assert compare(one, other).score("decoded").value == 0


def test_the_planes_are_those_that_were_coded(tmp_path, steps):
    ((form, width, height, planes),) = avif.deep_planes(coded(tmp_path / "a.avif", steps))

    assert (form, width, height) == ("yuv420p10le", 64, 64)
    assert np.array_equal(np.ascontiguousarray(planes[0]).view("<u2"), steps)


def test_alpha_and_frames_of_eight_bits_stay_what_they_were(tmp_path):
    random = np.random.default_rng(1)
    pictures = [Image.fromarray(random.integers(0, 256, (48, 48, 4), np.uint8)) for _ in range(3)]
    pictures[0].save(tmp_path / "alpha.avif")
    pictures[0].save(tmp_path / "moving.avif", save_all=True, append_images=pictures[1:], duration=100)

    assert [avif.bits(tmp_path / name) for name in ("alpha.avif", "moving.avif")] == [8, 8]
    assert probe(tmp_path / "alpha.avif").facts["mode"] == "RGBA"


def test_what_ffmpeg_cannot_open_counts_as_eight_bits(tmp_path):
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif")

    assert avif.bits(tmp_path / "a.avif") == 8
