"""A home that may only be read answers everything that needs no writing, and says plainly what it cannot do."""

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from registry.cli import run
from registry.home import create_at
from registry.indexing import catch_up

_CODE = "import sys; from registry.cli import run; sys.exit(run(sys.argv[1:]))"
_WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def mintmark(folder, *arguments):
    """A command in a process to which the rights of files mean something, root's or not."""
    who = _WITHOUT_RIGHTS if os.geteuid() == 0 else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MINTMARK_")}
    done = subprocess.run(
        [*who, sys.executable, "-c", _CODE, *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    return done


@pytest.fixture
def frozen(tmp_path, picture, monkeypatch):
    """Makes a folder with a registry of one generation that may only be read; ``spoil`` changes it before."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("setpriv (util-linux) is needed to give root's rights away")
    folder = tmp_path / "copy"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MINTMARK_HOME", raising=False)
    path = picture("a.png")
    assert run(["record", str(path), "--provider", "p", "--model", "m", "--prompt", "a stone bridge"]) == 0

    def freeze(spoil=lambda home: None):
        spoil(folder / ".mintmark")
        for entry in [folder, *folder.rglob("*")]:
            entry.chmod(0o500 if entry.is_dir() else 0o400)
        return folder

    yield freeze
    for entry in [folder, *folder.rglob("*")]:
        entry.chmod(0o700 if entry.is_dir() else 0o600)


def indexed(home):
    registry = create_at(home)[0]
    catch_up(registry)
    registry.close()


@pytest.mark.parametrize("spoil", [lambda home: None, indexed], ids=["index behind", "index complete"])
def test_everything_that_needs_no_writing_is_answered(frozen, tmp_path, spoil):
    folder = frozen(spoil)
    out = str(tmp_path / "out")
    before = sorted(folder.rglob("*"))

    shown = mintmark(folder, "show", "@last")
    by_words = mintmark(folder, "search", "--prompt", "bridge")
    looked_up = mintmark(folder, "lookup", str(tmp_path / "a.png"))
    audited = mintmark(folder, "log", "audit")
    exported = mintmark(folder, "export", "--all", "--to", f"{out}.zip")
    got = mintmark(folder, "get", "@last", "--to", f"{out}.png")
    verified = mintmark(folder, "verify", f"{out}.zip")

    assert shown.returncode == 0 and "a stone bridge" in shown.stdout, shown.stderr
    assert by_words.returncode == 0 and "image.generate" in by_words.stdout, by_words.stderr
    assert looked_up.returncode == 0 and looked_up.stdout.startswith("match"), looked_up.stderr
    assert audited.returncode == 0 and "0 faults" in audited.stdout, audited.stderr
    assert exported.returncode == 0, exported.stderr
    assert got.returncode == 0, got.stderr
    assert verified.returncode == 4, verified.stdout  # nobody is trusted yet
    assert sorted(folder.rglob("*")) == before


def test_what_changes_something_is_refused_in_words(frozen):
    folder = frozen()

    tagged, rebuilt = mintmark(folder, "tag", "@last", "a=b"), mintmark(folder, "index", "rebuild")

    assert tagged.returncode == rebuilt.returncode == 3
    assert "denied" in tagged.stderr and "only be read" in rebuilt.stderr


def test_doctor_names_the_home_that_cannot_be_written(frozen):
    folder = frozen()

    said = mintmark(folder, "doctor")

    assert said.returncode == 1
    assert "cannot be written" in said.stdout and "2 entries" in said.stdout


def with_write_ahead(home):
    """A copy taken while somebody wrote: the write-ahead file came along, the shared-memory file did not."""
    connection = sqlite3.connect(home / "mintmark.db", isolation_level=None)
    connection.execute("CREATE TABLE later (a)")
    wal = (home / "mintmark.db-wal").read_bytes()
    connection.close()
    (home / "mintmark.db-wal").write_bytes(wal)
    (home / "mintmark.db-shm").unlink(missing_ok=True)


def test_records_in_a_write_ahead_file_are_not_passed_over(frozen):
    folder = frozen(with_write_ahead)

    shown, examined = mintmark(folder, "show", "@last"), mintmark(folder, "doctor")

    assert shown.returncode == 3 and "mintmark.db-wal" in shown.stderr and "copy the whole home" in shown.stderr
    assert examined.returncode == 1 and "mintmark.db-wal" in examined.stdout


def test_a_home_that_is_a_file_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "home"))

    statuses = [run(["search"]), run(["init"])]

    assert statuses == [3, 3]
    assert capsys.readouterr().err.count("which is no folder") == 2


def test_a_home_that_is_named_and_not_there_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "nothing"))

    assert run(["search"]) == 3
    assert f"MINTMARK_HOME names {tmp_path / 'nothing'}" in capsys.readouterr().err


def test_doctor_names_a_database_that_is_garbage(tmp_path, monkeypatch, capsys):
    home = tmp_path / ".mintmark"
    create_at(home)[0].close()
    (home / "mintmark.db").write_bytes(b"this is no database at all " * 400)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINTMARK_HOME", raising=False)

    status = run(["doctor"])

    told = capsys.readouterr().out
    assert status == 1
    assert str(home / "mintmark.db") in told and "restore it from a backup" in told
