"""MPEG audio frames (MP3, ADTS) walked by their headers, since such streams have no length of their own."""

from typing import BinaryIO

# ISO/IEC 11172-3 section 2.4.2.3 and 13818-3: kbit/s of Layer III, index 1...14.
_V1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
_TAILS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")


def id3_length(head: bytes) -> int:
    """Length in bytes of a leading ID3v2 tag, 0 without one (id3.org, ID3v2.4 section 3.1)."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _mp3_frame(head: bytes) -> int:
    """Length of the Layer III frame that ``head`` begins, 0 when it begins none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, index, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate == 3 or index in {0, 15}:
        return 0
    mpeg1 = version == 3
    bits = (_V1 if mpeg1 else _V2)[index - 1] * 1000
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if mpeg1 else 72) * bits // hertz + (head[2] >> 1 & 1)


def _adts_frame(head: bytes) -> int:
    """Length of the ADTS frame that ``head`` begins (ISO/IEC 13818-7 section 6.2), 0 when it begins none."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else 0


def _promised_frames(first: bytes) -> int | None:
    """Frames that a Xing, Info or VBRI header promises."""
    for tag in (b"Xing", b"Info"):
        at = first.find(tag, 0, 64)
        if at >= 0 and len(first) >= at + 12 and first[at + 7] & 1:
            return int.from_bytes(first[at + 8 : at + 12], "big")
    at = first.find(b"VBRI", 0, 64)
    return int.from_bytes(first[at + 14 : at + 18], "big") if at >= 0 and len(first) >= at + 18 else None


def shortfall(file: BinaryIO, end: int, *, adts: bool = False) -> str | None:
    """Say what is missing at the end of an MPEG audio stream of ``end`` bytes, or None when its last frame is whole.

    A tail that is not a frame (tags, padding) ends the walk without complaint.
    """
    measure = _adts_frame if adts else _mp3_frame
    file.seek(0)
    at = id3_length(file.read(10))
    if at > end:
        return f"its ID3 tag ends at byte {at:,}, the file at byte {end:,}"
    count, promised = 0, None
    while at < end:
        file.seek(at)
        head = file.read(256 if count == 0 else 11)
        length = measure(head)
        if not length:
            if head.startswith(_TAILS) or count == 0:
                break
            return None if end - at > 10 else f"its last frame is cut off at byte {end:,}"
        if count == 0 and not adts:
            promised = _promised_frames(head)
        if at + length > end:
            return f"its last frame ends at byte {at + length:,}, the file at byte {end:,}"
        at += length
        count += 1
    if promised is not None and count - 1 < promised:
        return f"{max(count - 1, 0):,} of {promised:,} frames are there"
    return None
