"""Finds texts in a file's bytes, and those that lie compressed in its metadata, where no search of them sees them."""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST = 16 << 20  # bytes of one chunk, and of what it unpacks to: no honest prompt is longer
_STEP = 4096
_WINDOW = 1 << 20  # bytes of a file searched at a time


def holds_any(path: Path, texts: Sequence[str]) -> bool:
    """Whether a file holds one of the texts, in a form that metadata carries texts in."""
    needles = [form for text in texts for form in _forms(text)]
    if not needles:
        return False
    return _occurs(path, needles) or any(needle in packed for packed in packed_texts(path) for needle in needles)


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


def _forms(text: str) -> set[bytes]:
    """Plain, in JSON (workflows in PNG chunks), UTF-16 (EXIF, ID3)."""
    in_json = {json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
    return in_json | {text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")}


def _occurs(path: Path, needles: Sequence[bytes]) -> bool:
    keep = max(len(needle) for needle in needles) - 1
    tail = b""
    with path.open("rb") as stream:
        while piece := stream.read(_WINDOW):
            window = tail + piece
            if any(needle in window for needle in needles):
                return True
            tail = window[-keep:] if keep else b""
    return False


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
    text = bytearray()
    try:
        for at in range(2, len(packed), _STEP):
            text += unpacker.decompress(packed[at : at + _STEP], _LONGEST - len(text))
            if len(text) >= _LONGEST or unpacker.eof:
                break
    except zlib.error:
        pass
    return bytes(text)
