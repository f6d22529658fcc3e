import base64
import hashlib
import json

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry import keys
from registry.cli import run
from registry.export.static_log import HoldsAnotherLog, export_log
from registry.keyfile import FileSigner
from registry.log.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
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
    return FileSigner.create(tmp_path / "log.pem")


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


def entries_of(folder, size):
    """Every entry of an exported log, read as the tlog-tiles page says and with no code of ours."""
    found = []
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        part = "" if width == 256 else f".p/{width}"
        data = (folder / "tile" / "entries" / f"{number:03d}{part}").read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_another_library_finds_the_signed_root(log, signer, tmp_path, size):
    grow(log, 0, size)
    export(log, signer, tmp_path / "static")

    entries = entries_of(tmp_path / "static", size)
    text, _, signed = (tmp_path / "static" / "checkpoint").read_text("utf-8").partition("\n\n")
    origin, told, encoded = text.split("\n")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)

    assert (origin, int(told), len(entries)) == (keys.origin_of(signer.public), size, size)
    assert tree.get_root() == base64.b64decode(encoded)
    signature = base64.b64decode(signed.split()[2])
    Ed25519PublicKey.from_public_bytes(signer.public).verify(signature[4:], f"{text}\n".encode())


def fill(folder, **files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def test_a_folder_with_anything_else_is_left_alone(log, signer, tmp_path):
    grow(log, 0, 3)
    (tmp_path / "file").write_text("x")
    other = FileSigner.create(tmp_path / "other.pem")
    theirs = sign_checkpoint(keys.origin_of(other.public), 3, b"\1" * 32, other)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "checkpoint").write_bytes(theirs.note)

    for folder in (tmp_path / "file", fill(tmp_path / "notes", notes="x"), fill(tmp_path / "odd", checkpoint="x")):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(HoldsAnotherLog):
            export(log, signer, folder)
        assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(HoldsAnotherLog, match="holds the log"):
        export(log, signer, tmp_path / "theirs")


def test_another_history_of_the_same_log_is_refused(log, signer, tmp_path):
    grow(log, 0, 3)
    export(log, signer, tmp_path / "static")
    forged = sign_checkpoint(keys.origin_of(signer.public), 3, b"\1" * 32, signer)
    (tmp_path / "static" / "checkpoint").write_bytes(forged.note)

    with pytest.raises(HoldsAnotherLog, match="another history"):
        export(log, signer, tmp_path / "static")


def test_the_program_exports_the_log(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINTMARK_HOME", raising=False)
    assert run(["init"]) == 0
    capsys.readouterr()

    assert run(["log", "export", "--to", "public", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == 1
    assert run(["log", "export", "--to", "public"]) == 0
    assert "1 entry of mintmark.local/" in capsys.readouterr().out
    assert run(["log", "export", "--to", "."]) == 2
