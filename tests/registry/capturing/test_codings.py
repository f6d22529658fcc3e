"""Packed content: taken off in bounded pieces, and told as unreadable where it cannot be."""

import gzip
import importlib
import itertools
import tracemalloc
import zlib

import pytest

from registry.capturing import codings
from registry.capturing.codings import MOST, Unreadable, decoded, readable

DATA = bytes(range(256)) * 12_000


def packed_by(module, **options):
    return lambda data: importlib.import_module(module).compress(data, **options)


PACKING = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "brotli": ("br", packed_by("brotli", quality=3)),
    "brotlicffi": ("br", packed_by("brotlicffi", quality=3)),
    "compression.zstd": ("zstd", packed_by("compression.zstd")),
    "backports.zstd": ("zstd", packed_by("backports.zstd")),
    "zstandard": ("zstd", packed_by("zstandard")),
}


@pytest.fixture(params=PACKING)
def packing(request, monkeypatch):
    """A coding and how to pack with it, unpacked by the library of that name alone."""
    coding, pack = PACKING[request.param]
    pytest.importorskip(request.param)
    others = {name for name, (same, _) in PACKING.items() if same == coding} - {request.param}
    whole = importlib.import_module

    def only(name, *more):
        if name in others:
            raise ImportError(name)
        return whole(name, *more)

    with monkeypatch.context() as patch:
        patch.setattr(codings.importlib, "import_module", only)
        known = codings._known()
    monkeypatch.setattr(codings, "_UNPACKING", known)
    return coding, pack


def cut(data, count):
    return [data[at : at + count] for at in range(0, len(data), count)]


@pytest.mark.parametrize("count", [1 << 20, 997])
def test_a_coding_is_taken_off_however_the_bytes_are_cut(packing, count):
    coding, pack = packing

    assert b"".join(decoded(cut(pack(DATA), count), coding.upper())) == DATA


def test_what_is_cut_is_as_much_as_came(packing):
    coding, pack = packing
    whole = pack(DATA)

    some = b"".join(decoded(cut(whole[: len(whole) * 2 // 3], 997), coding))

    assert DATA.startswith(some) and b"".join(decoded([b"no such thing"], coding)) == b""


def test_little_that_becomes_much_is_refused_before_it_is_much(packing):
    coding, pack = packing
    bomb = pack(b"\0" * (MOST + (1 << 20)))
    tracemalloc.start()

    with pytest.raises(Unreadable, match="longer than 134,217,728 bytes"):
        for piece in decoded([bomb], coding):
            assert len(piece) <= 1 << 20

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_as_much_as_may_be_is_read(monkeypatch, packing):
    coding, pack = packing
    monkeypatch.setattr(codings, "MOST", len(DATA))

    assert sum(map(len, decoded([pack(DATA)], coding))) == len(DATA)
    with pytest.raises(Unreadable):
        list(decoded([pack(DATA + b"x")], coding))


def test_several_frames_of_zstd_are_one_content(packing):
    coding, pack = packing
    if coding != "zstd":
        pytest.skip("zstd alone has frames (RFC 8878, section 3.1)")

    assert b"".join(decoded(cut(pack(b"one") + pack(b"two") + pack(b""), 5), coding)) == b"onetwo"


def test_what_nobody_knows_is_unreadable_and_plain_is_plain():
    with pytest.raises(Unreadable, match="'compress'"):
        decoded([b"x"], "compress")
    for plain in ("", "identity"):
        assert b"".join(decoded([b"x"], plain)) == b"x"


def test_a_file_that_cannot_be_read_is_no_short_content():
    def failing():
        yield gzip.compress(DATA)[:100]
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(decoded(failing(), "gzip"))


@pytest.mark.parametrize(
    ("known", "asked", "onward"),
    [("", "gzip, deflate, br, zstd", "gzip, deflate"), ("br", "gzip, br;q=0.5, zstd", "gzip, br;q=0.5"),
     ("", "br", "identity"), ("", "*", "identity"), ("", "identity;q=1, *;q=0", "identity;q=1"), ("", "", "identity")],
)  # fmt: skip
def test_only_codings_that_can_be_read_are_asked_for(monkeypatch, known, asked, onward):
    made = dict.fromkeys(itertools.chain(["gzip", "x-gzip", "deflate"], known.split()))
    monkeypatch.setattr(codings, "_UNPACKING", made)

    assert readable(asked) == onward
