"""Texts that lie compressed in a PNG: found whole, up to damage, and no further than any honest prompt is long."""

import random
import struct
import zlib

from registry.packed_texts import holds_any, packed_texts

LONGEST = 16 << 20


def png(tmp_path, *chunks):
    path = tmp_path / "a.png"
    body = b"".join(struct.pack(">I4s", len(data), kind) + data + b"\0\0\0\0" for kind, data in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_a_long_text_that_hardly_packs_is_found_at_its_end(tmp_path):
    noise = random.Random(1).randbytes(LONGEST - 70_000)  # four thousand pieces: copied anew for each, 30 GB
    packed = zlib.compress(noise + b"a stone bridge", 0)

    path = png(tmp_path, (b"zTXt", b"parameters\0\0" + packed))

    assert holds_any(path, ["a stone bridge"])
    assert list(packed_texts(path)) == [noise + b"a stone bridge"]


def test_what_stands_before_the_damage_is_found(tmp_path):
    packed = bytearray(zlib.compress(b"a stone bridge" + random.Random(1).randbytes(50_000)))
    packed[40_000:40_100] = bytes(100)

    (found,) = packed_texts(png(tmp_path, (b"iTXt", b"prompt\0\1\0\0\0" + bytes(packed))))

    assert found.startswith(b"a stone bridge")


def test_a_bomb_unpacks_to_the_limit(tmp_path):
    (found,) = packed_texts(png(tmp_path, (b"zTXt", b"bomb\0\0" + zlib.compress(bytes(4 * LONGEST)))))

    assert len(found) == LONGEST
