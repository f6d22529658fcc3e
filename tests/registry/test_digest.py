"""Both digests in one pass, and digests as text."""

import hashlib

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.digest import LARGE, LARGE_PIECE, PIECE, Digest, Digester, digests_of, digests_of_file
from registry.errors import InvalidDigest


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6))
def test_pieces_digest_as_the_whole(parts):
    digester = Digester()
    for part in parts:
        digester.update(part)

    whole = b"".join(parts)

    assert digester.digests() == digests_of(whole)
    assert digester.bytes == len(whole)
    assert digester.digests().sha256 == hashlib.sha256(whole).hexdigest()
    assert digester.digests().blake3 == blake3(whole).hexdigest()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, LARGE - 1, LARGE, LARGE + LARGE_PIECE + 7])
def test_a_file_digests_as_its_bytes(tmp_path, size):
    data = bytes(n % 251 for n in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "file"
    path.write_bytes(data[:size])

    assert digests_of_file(path) == (digests_of(data[:size]), size)


@pytest.mark.parametrize(
    "text", ["", "sha256", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 64, "a" * 64, "blake3:" + "a" * 63]
)
def test_what_is_no_digest_is_refused(text):
    with pytest.raises(InvalidDigest):
        Digest.parse(text)


def test_a_digest_prints_as_it_is_read():
    text = "blake3:" + "0f" * 32

    assert str(Digest.parse(text)) == text
