"""The log over HTTP as a monitor reads it: C2SP tlog-tiles."""

import pytest

from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.merkle import leaf_hash, root
from registry.log.tiles import ENTRIES, Tile, hash_reader, width_at


def test_a_monitor_recomputes_the_root_from_tiles_and_entries(served, draft, make_png):
    for n in range(5):
        served.record(draft, {"out.png": make_png(n)})
    served.client.get("/v1/generations/@last/proof")
    checkpoint = Checkpoint.parse(served.client.get("/v1/log/checkpoint").content)
    checkpoint.verify([VerifierKey(served.registry.snapshot.origin, served.registry.log_signer.public)])
    assert checkpoint.size >= 6

    def tile(level, number, width):
        return served.client.get(f"/v1/log/{Tile(level, number, width).path}").content

    assert root(checkpoint.size, hash_reader(checkpoint.size, tile)) == checkpoint.root
    width = width_at(checkpoint.size, 0, 0)
    bundle = served.client.get(f"/v1/log/{Tile(ENTRIES, 0, width).path}").content
    hashes = b""
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        hashes += leaf_hash(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert hashes == tile(0, 0, width)


@pytest.mark.parametrize("path", ["0/000", "0/001.p/1", "7/000.p/1", "entries/000", "x", "0/0", "0/000.p/0", "64/000",
                                  "0/x036/x028/x797/x018/x963/966", "entries/x036/x028/x797/x018/x963/967.p/255",
                                  "entries/x036/x028/x797/x018/x963/967", "1/x036/x028/x797/x018/x963/967",
                                  "entries/x036/x028/x797/x018/x963/966.p/1", "0/x036/x028/x797/x018/x963/967.p/1",
                                  "0/" + "x999/" * 7 + "999", "entries/" + "x999/" * 7 + "999"])  # fmt: skip
def test_tiles_that_are_not_there(standing, path):
    answer = standing.client.get(f"/v1/log/tile/{path}")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:mintmark:problem:not-found")


def test_a_tile_never_changes_and_says_so(standing):
    answer = standing.client.get("/v1/log/tile/0/000.p/1")

    assert len(answer.content) == 32
    assert "immutable" in answer.headers["cache-control"]
