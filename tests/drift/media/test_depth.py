"""Sixteen bits a channel: every bit is content, depth is a stated fact, and 8-bit digests stay what they were."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from blake3 import blake3
from PIL import Image

from drift.compare import compare
from drift.media.content import content_digest
from drift.media.image import load_rgb
from drift.media.probe import probe

HEADER = b"image %s 40x24 0ms\n"


def deep(channels, seed=3):
    return np.random.default_rng(seed).integers(0, 1 << 16, (24, 40, channels), np.uint16)


def written(path, samples):
    """By OpenCV, which keeps 16 bits; its channels are B, G, R, A."""
    assert cv2.imwrite(str(path), samples[..., [2, 1, 0, 3][: samples.shape[2]]])
    return path


def grey_alpha(path, samples):
    """A PNG of 16-bit grey with alpha, which neither library writes."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, 4, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def tiff(path, samples, order, photometric=2, extra=()):
    """One uncompressed strip in the given byte order, with ExtraSamples where given."""
    height, width, channels = samples.shape
    data = samples.astype(f"{order}u2").tobytes()
    bits_at = 8
    strip_at = bits_at + 2 * channels
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, channels, bits_at), (259, 3, 1, 1)]
    tags += [(262, 3, 1, photometric), (273, 4, 1, strip_at), (277, 3, 1, channels), (278, 3, 1, height)]
    tags += [(279, 4, 1, len(data)), *((338, 3, 1, value) for value in extra)]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", strip_at + len(data))
    out += struct.pack(f"{order}{channels}H", *[16] * channels) + data + struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        packed = struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value)
        out += struct.pack(f"{order}HHI", tag, kind, count) + packed
    path.write_bytes(out + struct.pack(f"{order}I", 0))
    return path


def specified(samples):
    """The digest docs/formats/metrics.md gives a picture of 16 bits a channel."""
    mode = {3: b"RGB", 4: b"RGBA"}[samples.shape[2]]
    high, low = (samples >> 8).astype(np.uint8), (samples & 255).astype(np.uint8)
    data = HEADER % (mode + b";16") + high.tobytes() + b"low " + mode + b"\n" + low.tobytes()
    return f"blake3:{blake3(data).hexdigest()}"


def test_all_sixteen_bits_are_content_in_every_container(tmp_path):
    for channels in (3, 4):
        samples = deep(channels)
        files = [written(tmp_path / f"{channels}.{suffix}", samples) for suffix in ("png", "tif")]
        extra = (2,) if channels == 4 else ()
        files += [tiff(tmp_path / f"{channels}{n}.tif", samples, order, extra=extra) for n, order in enumerate("<>")]

        assert {content_digest(path) for path in files} == {specified(samples)}
        assert {probe(path).facts["mode"] for path in files} == {"RGB;16" if channels == 3 else "RGBA;16"}
    assert (load_rgb(tmp_path / "3.png") == deep(3) >> 8).all()


FORMS = {
    "rgb.png": (3, written),
    "rgb.tif": (3, written),
    "rgba.png": (4, written),
    "grey-alpha.png": (2, grey_alpha),
    "premultiplied.tif": (4, lambda path, samples: tiff(path, samples, "<", extra=(1,))),
    "unused-channel.tif": (4, lambda path, samples: tiff(path, samples, ">", extra=(0,))),
    "cmyk.tif": (4, lambda path, samples: tiff(path, samples, "<", photometric=5)),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_low_bit_is_not_lost(name, tmp_path):
    channels, write = FORMS[name]
    samples = deep(channels)
    again = samples.copy()
    again[7, 11, 0] ^= 1

    measured = compare(write(tmp_path / f"a-{name}", samples), write(tmp_path / f"b-{name}", again))

    assert measured.score("decoded").value == 0.0
    assert "differ, what they decode to is the same" not in measured.summary
    assert content_digest(write(tmp_path / f"c-{name}", samples)) == content_digest(tmp_path / f"a-{name}")


def test_opaque_alpha_of_sixteen_bits_is_dropped(tmp_path):
    samples = deep(4)
    samples[..., 3] = 0xFFFF
    nearly = samples.copy()
    nearly[0, 0, 3] = 0xFFFE

    digests = [content_digest(written(tmp_path / f"{n}.png", s)) for n, s in enumerate((samples, nearly))]
    assert digests[0] == specified(samples[..., :3]) != digests[1]


def test_a_later_page_counts_too(tmp_path):
    pages = [deep(3, seed) for seed in range(3)]
    changed = [*pages[:2], pages[2] ^ 1]
    for name, written_pages in (("a.tif", pages), ("b.tif", changed)):
        assert cv2.imwritemulti(str(tmp_path / name), written_pages)

    assert content_digest(tmp_path / "a.tif") != content_digest(tmp_path / "b.tif")


def test_a_change_of_depth_is_stated(tmp_path):
    samples = deep(3)
    Image.fromarray((samples >> 8).astype(np.uint8)).save(tmp_path / "b.png")

    measured = compare(written(tmp_path / "a.png", samples), tmp_path / "b.png")

    assert measured.score("decoded").value == 0.0 and measured.score("facts.stated").value == 1.0
    assert "facts.stated: mode RGB;16 became RGB" in measured.notes


def test_digests_of_eight_bits_are_those_stored_before(tmp_path):
    """By the specification, and one as it was written down."""
    rgb = (np.arange(24 * 40 * 3) * 7 % 256).astype(np.uint8).reshape(24, 40, 3)
    image = Image.fromarray(rgb)
    palette = Image.fromarray(rgb[..., 0]).quantize(16)
    alpha = np.dstack([rgb, rgb[..., 1]])
    expected = {
        "rgb.png": (image, b"RGB", rgb),
        "rgb.tif": (image, b"RGB", rgb),
        "alpha.png": (Image.fromarray(alpha), b"RGBA", alpha),
        "grey.png": (Image.fromarray(rgb[..., 0]), b"L", rgb[..., 0]),
        "palette.png": (palette, b"RGB", np.asarray(palette.convert("RGB"))),
        "cmyk.tif": (image.convert("CMYK"), b"CMYK", np.asarray(image.convert("CMYK"))),
        "grey16.png": (Image.fromarray(rgb[..., 0] * np.uint16(257)), b"I;16", rgb[..., 0] * np.uint16(257)),
    }
    for name, (picture, mode, samples) in expected.items():
        picture.save(tmp_path / name)
        by_hand = blake3(HEADER % mode + np.ascontiguousarray(samples).tobytes()).hexdigest()
        assert content_digest(tmp_path / name) == f"blake3:{by_hand}", name
    stored = "blake3:a42033e1995187f25959a1781b6820f899814d1dcf04a4402ec373e714495d05"
    assert content_digest(tmp_path / "rgb.png") == stored
