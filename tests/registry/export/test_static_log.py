import hashlib

import pytest

from registry import keys
from registry.export.static_log import export_log
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.errors import LogUnusable
from registry.log.merkle import leaf_hash, root, verify_inclusion
from registry.log.store import LogStore
from registry.log.tiles import Tile, hash_reader

NOW = "2026-11-20T12:00:00.000Z"


@pytest.fixture
def log(database):
    return LogStore(database)


@pytest.fixture
def signer(tmp_path):
    return keys.mint(tmp_path / "keys")[0]


def grow(log: LogStore, start: int, end: int) -> None:
    with log.database.writing() as connection:
        for n in range(start, end):
            digest = hashlib.sha256(b"%d" % n).hexdigest()
            log.append(connection, kind="generation" if n else "key", id=f"sha256:{digest}", pae=digest, now=NOW)
    while log.sequence():
        pass


def export(log: LogStore, signer, folder) -> int:
    origin = keys.origin_of(signer.public)
    checkpoint = log.checkpoint(signer, origin)
    with log.database.reading() as connection:
        return export_log(folder, log, connection, checkpoint)


def test_files_alone_prove_every_entry(log, signer, tmp_path):
    """An auditor with nothing but the files: checkpoint, tiles by their paths, entries by their lengths."""
    grow(log, 0, 600)
    folder = tmp_path / "static"
    export(log, signer, folder)

    checkpoint = Checkpoint.parse((folder / "checkpoint").read_bytes())
    checkpoint.verify([VerifierKey(checkpoint.origin, signer.public)])
    reader = hash_reader(600, lambda level, number, width: (folder / Tile(level, number, width).path).read_bytes())
    assert root(600, reader) == checkpoint.root
    entries = []
    for path in ("tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"):
        data = (folder / path).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
    assert [leaf_hash(entry) for entry in entries] == [reader(0, n) for n in range(600)]
    with log.database.reading() as connection:
        verify_inclusion(300, 600, leaf_hash(entries[300]), log.inclusion(connection, 300, 600), checkpoint.root)


def test_exporting_again_writes_only_what_is_new(log, signer, tmp_path):
    grow(log, 0, 300)
    folder = tmp_path / "static"
    first = export(log, signer, folder)
    again = export(log, signer, folder)
    grow(log, 300, 301)

    more = export(log, signer, folder)

    # Two tiles and two bundles of level 0, one tile above, the checkpoint; then the partial pair and the checkpoint.
    assert (first, again, more) == (6, 1, 3)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".") and path.name.count(".") > 1]


def test_a_checkpoint_beyond_the_log_is_refused(log, signer, tmp_path):
    grow(log, 0, 2)
    beyond = Checkpoint("o/0", 3, b"\x00" * 32)

    with log.database.reading() as connection, pytest.raises(LogUnusable):
        export_log(tmp_path / "static", log, connection, beyond)

    assert not (tmp_path / "static" / "checkpoint").exists()
