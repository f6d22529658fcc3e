"""C2SP tlog-tiles: where each hash of a tree lives, 256 hashes to a tile.

A tile of level L and number N holds the roots of 256 neighbouring perfect
subtrees of height 8 * L. A full tile never changes; the rightmost tile of a
level may be partial and can always be derived from what lies below it.

Source: c2sp.org/tlog-tiles.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from registry.log.errors import NoteRefused
from registry.log.merkle import WIDTH, Hashes, fold

HEIGHT = 8
FULL = 1 << HEIGHT  # hashes in a full tile
KEPT_HEIGHT = 3  # from 8 hashes on it is cheaper to keep a root than to compute it again
ENTRY_LIMIT = 0xFFFF  # bytes of one entry; its length is written as uint16

TileSource: TypeAlias = Callable[[int, int, int], bytes]
"""``tile(level, number, width)``: ``width`` hashes, 32 * width bytes."""

NUMBERS = (1 << 55) - 1  # tiles of a level: with more, the index behind the last entry would not fit 63 bits

_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, order=True, slots=True)
class Tile:
    """One tile's place: level 0 to 63 (-1 = the bundle of entries beside level 0), number, width 1 to 256."""

    level: int
    number: int
    width: int = FULL

    @property
    def path(self) -> str:
        """Such as ``tile/0/x001/x234/067`` or ``tile/1/000.p/17``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == FULL else f".p/{self.width}"
        return f"tile/{level}/{_number_path(self.number)}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Read a path; each tile has exactly one.

        Raises:
            NoteRefused: any other text.
        """
        found = _PATH.fullmatch(path)
        if not found:
            raise NoteRefused("tile path", f"{path[:80]!r} is not tile/<level>/<number>[.p/<width>]")
        level, digits, width = found.groups()
        number = int(digits.replace("x", "").replace("/", ""))
        if number >= NUMBERS:
            raise NoteRefused("tile path", f"{path[:80]!r} is beyond every log")
        tile = cls(ENTRIES if level == "entries" else int(level), number, FULL if width is None else int(width))
        if tile.path != path:
            raise NoteRefused("tile path", f"{path[:80]!r} is written {tile.path!r}")
        return tile


ENTRIES = -1


def width_at(size: int, level: int, number: int) -> int:
    """How many hashes the tile has in a tree of ``size`` leaves: 0 to 256."""
    return max(0, min(FULL, (size >> HEIGHT * level) - number * FULL))


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of ``size`` leaves, level by level, partial ones at the end of each."""
    level = 0
    while size >> HEIGHT * level:
        for number in range(((size >> HEIGHT * level) + FULL - 1) // FULL):
            yield Tile(level, number, width_at(size, level, number))
        level += 1


def hash_reader(size: int, tile: TileSource) -> Hashes:
    """Read any perfect subtree's root of a tree of ``size`` leaves out of its tiles.

    Each tile is fetched once and the roots of larger subtrees are kept, so
    many proofs from one reader cost a few hashes each. Use one reader within
    one transaction only.
    """
    fetched: dict[tuple[int, int], bytes] = {}
    kept: dict[tuple[int, int], bytes] = {}

    def hashes(level: int, index: int) -> bytes:
        if (level, index) in kept:
            return kept[level, index]
        tile_level, height = divmod(level, HEIGHT)
        number, offset = divmod(index << height, FULL)
        key = (tile_level, number)
        if key not in fetched:
            fetched[key] = tile(tile_level, number, width_at(size, tile_level, number))
        computed = fold(fetched[key][offset * WIDTH : (offset + (1 << height)) * WIDTH])
        if height >= KEPT_HEIGHT:
            kept[level, index] = computed
        return computed

    return hashes


def entry_bundle(bodies: Iterable[bytes]) -> bytes:
    """Entries as tlog-tiles serves them: each after its length as big-endian uint16.

    Raises:
        NoteRefused: an entry longer than 65,535 bytes.
    """
    out = bytearray()
    for body in bodies:
        if len(body) > ENTRY_LIMIT:
            raise NoteRefused("entry bundle", f"an entry of {len(body)} bytes; the limit is {ENTRY_LIMIT}")
        out += len(body).to_bytes(2, "big") + body
    return bytes(out)


def _number_path(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))
