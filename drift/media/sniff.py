"""Which format some bytes are in, decided by the bytes; a name only settles what text cannot."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

HEAD = 4096  # bytes a caller should hand in

Family = Literal["image", "container", "transcript"]
_TEXT_SUFFIXES = frozenset({".txt", ".srt", ".vtt", ".json"})
_ASCII_MAGIC = (b"GIF87a", b"GIF89a", b"RIFF", b"OggS", b"fLaC")  # followed by control bytes in a whole file
_SHORT_MAGIC = (b"BM", b"II*", b"MM", b"ID3")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_IMAGE_BRANDS = frozenset({b"avif", b"avis"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})


@dataclass(frozen=True, slots=True)
class Format:
    """A recognised format.

    ``family`` says who decodes it; ``media_type`` is the IANA type (for containers: when they hold video);
    ``decoder`` is Pillow's or FFmpeg's name of the reader, "" for transcripts.
    """

    family: Family
    media_type: str
    decoder: str = ""


def sniff(head: bytes, name: str) -> Format | None:
    """Recognise the first ``HEAD`` bytes of a file; None means nothing this build reads.

    Text is tried before magic numbers, because "BMW is a car" starts like a bitmap; every binary format accepted
    here has control bytes near its start, so the two cannot be confused.
    """
    suffix = PurePath(name).suffix.lower()
    if _is_text(head) and not (suffix not in _TEXT_SUFFIXES and _is_stub(head)):
        return Format("transcript", "text/plain")
    found = _image(head) or _iso_media(head) or _riff_or_ogg(head) or _stream(head)
    if found is None and not _has_controls(head) and suffix in _TEXT_SUFFIXES | {""}:
        return Format("transcript", "text/plain")  # text in another encoding: its reader names the byte
    return found


def _is_stub(head: bytes) -> bool:
    """Whether printable bytes are what is left of a binary file cut off within its first few."""
    return head.startswith(_ASCII_MAGIC) or any(
        len(head) < 6 and (magic.startswith(head) or head.startswith(magic)) for magic in _ASCII_MAGIC + _SHORT_MAGIC
    )


def _has_controls(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def _is_text(head: bytes) -> bool:
    if head.startswith(_BOMS):
        return not head.startswith((b"\xff\xfe\xff", b"\xff\xfe\x00\x00"))
    if _has_controls(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def _image(head: bytes) -> Format | None:
    magics = (
        (b"\x89PNG\r\n\x1a\n", "image/png", "PNG"),
        (b"\xff\xd8\xff", "image/jpeg", "JPEG"),
        (b"GIF87a", "image/gif", "GIF"),
        (b"GIF89a", "image/gif", "GIF"),
        (b"II*\x00", "image/tiff", "TIFF"),
        (b"MM\x00*", "image/tiff", "TIFF"),
        (b"II+\x00", "image/tiff", "TIFF"),
        (b"MM\x00+", "image/tiff", "TIFF"),
    )
    for magic, media_type, decoder in magics:
        if head.startswith(magic):
            return Format("image", media_type, decoder)
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return Format("image", "image/bmp", "BMP")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format("image", "image/webp", "WEBP")
    return None


def _iso_media(head: bytes) -> Format | None:
    box = head[4:8]
    if box == b"ftyp":
        brand = head[8:12]
        size = int.from_bytes(head[:4], "big")
        compatible = {head[at : at + 4] for at in range(16, min(size, len(head)), 4)}
        if brand in _IMAGE_BRANDS or (brand in {b"mif1", b"msf1"} and compatible & _IMAGE_BRANDS):
            return Format("image", "image/avif", "AVIF")
        if brand in _AUDIO_BRANDS:
            return Format("container", "audio/mp4", "mov")
        return Format("container", "video/quicktime" if brand == b"qt  " else "video/mp4", "mov")
    if box in {b"moov", b"mdat", b"wide"}:
        return Format("container", "video/quicktime", "mov")
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Format("container", "video/webm" if b"webm" in head[:64] else "video/matroska", "matroska")
    return None


def _riff_or_ogg(head: bytes) -> Format | None:
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return Format("container", "audio/wav", "wav")
    if head[:4] == b"OggS":
        return Format("container", "audio/ogg", "ogg")
    return None


def _stream(head: bytes) -> Format | None:
    if head.startswith(b"fLaC"):
        return Format("container", "audio/flac", "flac")
    if head.startswith(b"ID3"):
        return Format("container", "audio/mpeg", "mp3")
    if len(head) >= 4 and head[0] == 0xFF:
        layer = head[1] >> 1 & 3
        if head[1] & 0xF6 == 0xF0:
            return Format("container", "audio/aac", "aac")
        if head[1] & 0xE0 == 0xE0 and layer == 1 and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3:
            return Format("container", "audio/mpeg", "mp3")
    return None
