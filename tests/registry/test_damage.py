"""Damaged and missing files of a home: what is derived is made again, what is not is named and left alone."""

import random

import pytest

from registry.cli import run


def garbage(path):
    path.write_bytes(b"this is no database " * 400)


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def emptied(path):
    path.write_bytes(b"")


def scribbled(path):
    """Every page but the first overwritten: the header still says that it is a database."""
    data = bytearray(path.read_bytes())
    data[4096:] = random.Random(1).randbytes(len(data) - 4096)
    path.write_bytes(data)


DAMAGES = [garbage, truncated, emptied, scribbled]


@pytest.fixture
def recorded(tmp_path, monkeypatch, picture, capsys):
    """A registry with one indexed picture, all databases closed and without write-ahead files."""
    monkeypatch.chdir(tmp_path)
    path = picture("a.png", size=(300, 200))
    assert run(["record", str(path), "--provider", "p", "--model", "m", "--prompt", "a stone bridge", "--wait"]) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_again(recorded, tmp_path, capsys, damage):
    home = tmp_path / ".mintmark"
    commands = (["lookup", "stone bridge"], ["search", "--prompt", "stone"], ["index", "rebuild"], ["index", "status"])
    for command in commands:
        damage(home / "index.db")
        for name in ("index.db-wal", "index.db-shm"):
            (home / name).unlink(missing_ok=True)
        first = run(command)
        said = capsys.readouterr()
        assert "internal error" not in said.err and "Traceback" not in said.err, command
        assert first in (0, 3, 4), (command, first, said)
        if first == 3:
            assert "run the command again" in said.err, command

        assert run(command) in (0, 4), command
        assert run(["search", "--prompt", "stone"]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("name", ["mintmark.db", "vault.db"])
@pytest.mark.parametrize("damage", [garbage, truncated, scribbled])
def test_a_damaged_database_is_named_and_never_replaced(recorded, tmp_path, capsys, name, damage):
    home = tmp_path / ".mintmark"
    for side in ("-wal", "-shm"):
        (home / f"{name}{side}").unlink(missing_ok=True)
    damage(home / name)
    before = (home / name).read_bytes()
    for command in (["show", "@last"], ["record", str(recorded), "--provider", "p", "--model", "m"], ["log", "audit"],
                    ["lookup", "stone bridge"], ["search"], ["doctor"]):  # fmt: skip
        status = run(command)

        said = capsys.readouterr()
        assert "internal error" not in said.err and "Traceback" not in said.err, (command, said.err)
        if status == 3:
            assert name in said.err and "restore" in said.err, (command, said.err)
        elif name == "mintmark.db" and command[0] not in ("doctor", "log"):
            pytest.fail(f"{command} answered {status} from a damaged database")
    assert (home / name).read_bytes()[:100] == before[:100]


def test_a_missing_vault_is_not_made_anew_in_silence(recorded, tmp_path, capsys):
    (tmp_path / ".mintmark" / "vault.db").unlink()

    status = run(["show", "@last"])

    said = capsys.readouterr()
    assert "stone bridge" not in said.out
    assert status == 3 or "[missing]" in said.out


def test_a_missing_signing_key_is_named(recorded, tmp_path, capsys):
    (tmp_path / ".mintmark" / "keys" / "recorder.pem").rename(tmp_path / "elsewhere")

    assert run(["tag", "@last", "a=b"]) == 3
    assert "signing key is missing" in capsys.readouterr().err
