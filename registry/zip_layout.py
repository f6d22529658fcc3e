"""The one zip layout that bundles have, so that a reader can rebuild every byte that is not content.

Stored, names sorted, 1980-01-01, fixed mode, system and flags, no extra
fields, comments, gaps, prefix or suffix, no zip64. An ordinary zip reader
opens it; a reader that rebuilds it notices any changed byte.

Source: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

MOST_MEMBERS = 0xFFFF - 1
MOST_BYTES = 0xFFFFFFFF - 1  # of any member, and of everything before the directory

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
CENTRAL_SIZE, END_SIZE = _CENTRAL.size, _END.size

_NEEDED = 10  # version 1.0: stored members
_MADE_BY = 3 << 8 | _NEEDED  # system 3: Unix
_NEW_YEAR_1980 = 0x0021
_MODE = 0o100644 << 16


@dataclass(frozen=True, order=True, slots=True)
class Stored:
    """One member: its name, CRC-32, length in bytes, and where its header stands."""

    name: str
    crc: int
    size: int
    offset: int

    @property
    def header(self) -> bytes:
        """What stands before its bytes."""
        name = self.name.encode("ascii")
        return (
            _LOCAL.pack(0x04034B50, _NEEDED, 0, 0, 0, _NEW_YEAR_1980, self.crc, self.size, self.size, len(name), 0)
            + name
        )

    @property
    def end(self) -> int:
        """Where the next header stands."""
        return self.offset + _LOCAL.size + len(self.name) + self.size

    @property
    def start(self) -> int:
        """Where its bytes begin."""
        return self.end - self.size


def directory(members: Iterable[Stored], start: int) -> bytes:
    """Everything after the last member, whose end is ``start``."""
    entries = []
    for each in members:
        name = each.name.encode("ascii")
        entries.append(
            _CENTRAL.pack(
                0x02014B50, _MADE_BY, _NEEDED, 0, 0, 0, _NEW_YEAR_1980, each.crc, each.size, each.size,
                len(name), 0, 0, 0, 0, _MODE, each.offset,
            )
            + name
        )  # fmt: skip
    listed = b"".join(entries)
    return listed + _END.pack(0x06054B50, 0, 0, len(entries), len(entries), len(listed), start, 0)


def read_end(data: bytes) -> tuple[int, int]:
    """Length and start of the directory as the last 22 bytes claim; nothing about them is checked."""
    _, _, _, _, _, length, start, _ = _END.unpack(data)
    return length, start


def read_directory(data: bytes) -> list[Stored]:
    """The members as a directory claims; to be held against ``directory`` byte by byte.

    Raises:
        ValueError: it breaks off, or a name is not ASCII.
    """
    members, at = [], 0
    while at < len(data):
        if len(data) - at < CENTRAL_SIZE:
            raise ValueError("the directory breaks off")
        fields = _CENTRAL.unpack_from(data, at)
        crc, size, length, offset = fields[7], fields[8], fields[10], fields[16]
        at += CENTRAL_SIZE
        members.append(Stored(data[at : at + length].decode("ascii"), crc, size, offset))
        at += length
    return members
