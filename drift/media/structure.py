"""Whether a file is whole, read from its container's own lengths; decoders often hide a missing tail."""

import os
import struct
from collections.abc import Callable
from typing import BinaryIO


def shortfall(file: BinaryIO, media_type: str) -> str | None:
    """Say what is missing at the end of a file, or None when its container is complete.

    ``file`` must be seekable; at most the headers are read. Formats without lengths of their own (JPEG, BMP, TIFF,
    AVIF) answer None: their decoders notice a missing tail.
    """
    check = _CHECKS.get(media_type)
    if check is None:
        return None
    file.seek(0, os.SEEK_END)
    end = file.tell()
    file.seek(0)
    return check(file, end)


def _past(what: str, needs: int, end: int) -> str | None:
    return f"its {what} ends at byte {needs:,}, the file at byte {end:,}" if needs > end else None


def _png(file: BinaryIO, end: int) -> str | None:
    at = 8
    while at + 12 <= end:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        at += 12 + length
        if kind == b"IEND":
            return _past("last chunk", at, end)
    return f"the closing IEND chunk is missing after byte {end:,}"


def _gif(file: BinaryIO, end: int) -> str | None:
    file.seek(10)
    _skip_palette(file, (file.read(3) or b"\0")[0])
    while marker := file.read(1):
        if marker == b";":
            return None
        if marker == b"!":
            file.seek(1, os.SEEK_CUR)
        elif marker == b",":
            _skip_palette(file, (file.read(9) + bytes(9))[8])
            file.seek(1, os.SEEK_CUR)
        else:
            return f"an unknown block begins at byte {file.tell() - 1:,}"
        if not _skip_blocks(file):
            break
    return f"the closing trailer is missing after byte {end:,}"


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, os.SEEK_CUR)


def _skip_blocks(file: BinaryIO) -> bool:
    while size := file.read(1):
        if size == b"\0":
            return True
        file.seek(size[0], os.SEEK_CUR)
    return False


_UNSIZED = frozenset({0, 0xFFFFFFFF})  # written by encoders that stream and cannot go back


def _webp(file: BinaryIO, end: int) -> str | None:
    size = int.from_bytes(file.read(8)[4:], "little")
    return _past("RIFF chunk", size + 8, end)


def _wav(file: BinaryIO, end: int) -> str | None:
    at, is_64bit = 12, file.read(4) == b"RF64"
    while at + 8 <= end:
        file.seek(at)
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind == b"data":
            return None if is_64bit or size in _UNSIZED else _past("data chunk", at + 8 + size, end)
        at += 8 + size + (size & 1)
    return "its data chunk is missing"


def _iso(file: BinaryIO, end: int) -> str | None:
    at, seen = 0, set()
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        elif size == 0:
            size = end - at
        if size < 8:
            return f"a box of impossible size {size} begins at byte {at:,}"
        if at + size > end:
            return _past(f"{kind.decode('latin-1')!r} box", at + size, end)
        seen.add(kind)
        at += size
    if b"moov" not in seen:
        return "its index (the 'moov' box) is missing"
    return None if at == end else f"a box is cut off at byte {at:,}"


def _ebml(file: BinaryIO, end: int) -> str | None:
    def number(keep_marker: bool) -> tuple[int, bool]:
        first = file.read(1)
        if not first or not first[0]:
            return -1, False
        length = 9 - first[0].bit_length()
        data = first + file.read(length - 1)
        if len(data) < length:
            return -1, False
        mask = (1 << 7 * length) - 1
        value = int.from_bytes(data, "big")
        return (value, False) if keep_marker else (value & mask, value & mask == mask)

    while (at := file.tell()) < end:
        kind, _ = number(True)
        size, unsized = number(False)
        if kind < 0 or size < 0:
            return f"an element is cut off at byte {at:,}"
        if unsized:
            continue  # a master element of unknown size: walk on through its children
        if file.tell() + size > end:
            return _past(f"element {kind:X}", file.tell() + size, end)
        file.seek(size, os.SEEK_CUR)
    return None


def _ogg(file: BinaryIO, end: int) -> str | None:
    file.seek(max(0, end - 65_536))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return f"its last page is cut off at byte {end:,}"
    body = 27 + page[26] + sum(page[27 : 27 + page[26]])
    if len(page) < body:
        return _past("last page", end - len(page) + body, end)
    return None if page[5] & 4 else "the page that ends the stream is missing"


_CHECKS: dict[str, Callable[[BinaryIO, int], str | None]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "audio/wav": _wav,
    "audio/ogg": _ogg,
    "video/mp4": _iso,
    "audio/mp4": _iso,
    "video/quicktime": _iso,
    "video/webm": _ebml,
    "video/matroska": _ebml,
}
