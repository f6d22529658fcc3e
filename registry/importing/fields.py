"""Reads the text fields of PNG, JPEG and WebP files without decoding the picture."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from xml.etree import ElementTree

from PIL import Image

from registry.importing.found import UnreadableMetadata

MOST: Final = 8 << 20  # bytes of text in one file; the largest graphs of nodes are a quarter of it
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_USER_COMMENT, _EXIF_IFD = 0x9286, 0x8769
_NAMED: Final = re.compile(r"(prompt|workflow)\s*:\s*(?=[{\[])", re.IGNORECASE)
_XMP_KEY: Final = "XML:com.adobe.xmp"
_COMMENT: Final = "UserComment"


def read_fields(path: Path) -> dict[str, str]:
    """Name to text of every field that may tell how a file was made; empty where it has none.

    EXIF comments are called ``UserComment``, as are those inside XMP; PNG fields are called as the file calls them.

    Raises:
        UnreadableMetadata: more text than 8 MiB, or fields that are damaged.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(_PNG):
            file.seek(len(_PNG))
            fields = _png(file, str(path))
        elif head[:2] == b"\xff\xd8" or (head[:4] == b"RIFF" and head[8:] == b"WEBP"):
            fields = _exif_and_xmp(path)
        else:
            return {}
    if _XMP_KEY in fields and _COMMENT not in fields:
        fields |= _from_xmp(fields[_XMP_KEY])
    return {_clean(name): _clean(text) for name, text in fields.items()}


def _png(file: BinaryIO, name: str) -> dict[str, str]:
    """The text chunks (PNG third edition, section 11.3.3), before and after the picture."""
    found: dict[str, str] = {}
    room = MOST
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            file.seek(length + 4, 1)
            if kind == b"IEND":
                break
            continue
        if length > room:
            raise UnreadableMetadata(name, f"its text fields hold more than {MOST:,} bytes")
        data = file.read(length)
        file.seek(4, 1)
        if kind == b"eXIf":
            exif = Image.Exif()
            with suppress(Exception):  # a damaged block tells nothing; the text chunks may
                exif.load(b"Exif\0\0" + data)
                found = dict(_exif(exif)) | found
            continue
        key, text = _text_chunk(kind, data, room, name)
        room -= len(data) + len(text)
        found.setdefault(key, text)
    return found


def _text_chunk(kind: bytes, data: bytes, room: int, name: str) -> tuple[str, str]:
    keyword, _, rest = data.partition(b"\0")
    packed, coding = False, "latin-1"
    if kind == b"zTXt":
        packed, rest = True, rest[1:]
    elif kind == b"iTXt":
        packed, coding = rest[:1] == b"\1", "utf-8"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if packed:
        unpacking = zlib.decompressobj()
        try:
            rest = unpacking.decompress(rest, room)
        except zlib.error as problem:
            raise UnreadableMetadata(name, f"the text field {keyword[:79]!r} is damaged ({problem})") from None
        if unpacking.unconsumed_tail:
            raise UnreadableMetadata(name, f"its text fields hold more than {MOST:,} bytes")
    if coding == "latin-1":  # the standard's coding; most programs write UTF-8 all the same
        with suppress(UnicodeDecodeError):
            return keyword.decode("latin-1"), rest.decode("utf-8")
    return keyword.decode("latin-1"), rest.decode(coding, "replace")


def _exif_and_xmp(path: Path) -> dict[str, str]:
    try:
        with Image.open(path, formats=("JPEG", "WEBP")) as image:
            found = dict(_exif(image.getexif()))
            xmp = image.info.get("xmp")
    except Exception as problem:  # Pillow has no one error for what hostile headers do to it
        raise UnreadableMetadata(str(path), f"its header is damaged ({str(problem)[:200]})") from None
    if isinstance(xmp, bytes) and len(xmp) <= MOST:
        found[_XMP_KEY] = xmp.decode("utf-8", "replace")
    return found


def _exif(exif: Image.Exif) -> Iterator[tuple[str, str]]:
    """The user comment, and the texts that ComfyUI puts into free fields as ``prompt: {…}``."""
    for tag, value in exif.items():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if tag != _USER_COMMENT and isinstance(text, str) and (named := _NAMED.match(text)):
            yield named[1].lower(), text[named.end() :].rstrip("\0")
    comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT, exif.get(_USER_COMMENT))
    if isinstance(comment, bytes):
        yield _COMMENT, _decoded(comment)
    elif isinstance(comment, str):
        yield _COMMENT, comment


def _decoded(comment: bytes) -> str:
    """A user comment by its eight bytes of character code (Exif 3.0, section 4.6.6, table 9)."""
    code, text = comment[:8], comment[8:]
    if code == b"UNICODE\0":  # of which byte order, the standard leaves to the file
        zeros_first, zeros_last = text[::2].count(0), text[1::2].count(0)
        return text.decode("utf-16-be" if zeros_first >= zeros_last else "utf-16-le", "replace")
    if code in (b"ASCII\0\0\0", b"\0" * 8):
        return text.decode("utf-8", "replace").rstrip("\0")
    return comment.decode("utf-8", "replace").rstrip("\0")


def _from_xmp(text: str) -> dict[str, str]:
    """The user comment or description inside XMP; none where it is no plain XML."""
    if "<!" in text:  # XMP needs no declarations, and entities can be bombs
        return {}
    try:
        root = ElementTree.fromstring(text.strip("\0 \r\n\t\ufeff"))
    except (ElementTree.ParseError, RecursionError, ValueError):
        return {}
    for wanted in ("UserComment", "parameters", "description"):
        for element in root.iter():
            if element.tag.endswith(f"}}{wanted}") and (inner := "".join(element.itertext()).strip()):
                return {_COMMENT: inner}
            for name, value in element.attrib.items():
                if name.endswith(f"}}{wanted}") and value.strip():
                    return {_COMMENT: value}
    return {}


def _clean(text: str) -> str:
    """The text as UTF-8 can say it."""
    return text.encode("utf-8", "replace").decode("utf-8")
