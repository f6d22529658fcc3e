import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.log.errors import NoteRefused
from registry.log.tiles import ENTRIES, FULL, Tile, entry_bundle, tiles_of


def test_the_specification_s_own_examples():
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"
    assert Tile(ENTRIES, 273, 112).path == "tile/entries/273.p/112"

    tiles = list(tiles_of(70_000))

    assert sum(tile.level == 0 and tile.width == FULL for tile in tiles) == 273
    assert [tile for tile in tiles if tile.width < FULL] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@settings(deadline=None)
@given(level=st.integers(-1, 63), number=st.integers(0, 10**12), width=st.integers(1, 256))
def test_every_path_reads_back(level, number, width):
    tile = Tile(level, number, width)

    assert Tile.parse(tile.path) == tile


def test_behind_the_last_number_an_index_still_fits_a_database():
    last = Tile.parse("tile/entries/x036/x028/x797/x018/x963/966")

    assert (last.number + 1) * FULL < 1 << 63 <= (last.number + 2) * FULL


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000", "tile/64/000", "tile/0/0", "tile/0/x000/001", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/07", "tile/0/1234", "/tile/0/000", "tile/0/000/", "tile/0/../000", "tile/0/001\n",
        "tile/0/" + "x999/" * 7 + "999", "tile/0/" + "x999/" * 2000 + "999", "tile/0/x036/x028/x797/x018/x963/967",
    ],
)  # fmt: skip
def test_other_spellings_are_refused(path):
    with pytest.raises(NoteRefused):
        Tile.parse(path)


def test_entry_bundles_carry_lengths():
    assert entry_bundle([b"a", b"", b"xyz"]) == b"\x00\x01a\x00\x00\x00\x03xyz"
    with pytest.raises(NoteRefused):
        entry_bundle([b"x" * 65_536])
