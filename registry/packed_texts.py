"""Texts that lie compressed in a file's metadata, where a search of its bytes does not see them."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST = 16 << 20  # bytes of one chunk, and of what it unpacks to: no honest prompt is longer
_STEP = 4096


def packed_texts(path: Path) -> Iterator[bytes]:
    """The texts of a PNG's zTXt and compressed iTXt chunks (PNG 3rd edition, 11.3.3), unpacked; nothing elsewhere."""
    with path.open("rb") as stream:
        if stream.read(8) != _PNG:
            return
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind not in (b"zTXt", b"iTXt") or length > _LONGEST:
                stream.seek(length + 4, 1)
                continue
            data = stream.read(length)
            stream.seek(4, 1)
            if (packed := _packed(kind, data)) is not None:
                yield _unpack(packed)


def _packed(kind: bytes, data: bytes) -> bytes | None:
    """What is compressed in a chunk; None where nothing is."""
    _, _, rest = data.partition(b"\0")  # the keyword
    if kind == b"zTXt":
        return rest[1:]
    if rest[:1] != b"\x01":
        return None
    return rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # language tag, translated keyword, text


def _unpack(packed: bytes) -> bytes:
    """As much as there is to unpack: what stands before the damage in a stream can be read by others, too."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # without header and checksum, which may be what is damaged
    text = b""
    try:
        for at in range(2, len(packed), _STEP):
            text += unpacker.decompress(packed[at : at + _STEP], _LONGEST - len(text))
            if len(text) >= _LONGEST or unpacker.eof:
                break
    except zlib.error:
        pass
    return text
