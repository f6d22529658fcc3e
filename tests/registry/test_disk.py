"""Disks without room and folders without rights: told clearly, nothing half-recorded, and it goes on afterwards."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from registry.cli import run
from registry.database import DatabaseFailed
from registry.home import create_at


def test_a_file_limit_reached_while_recording_is_told_and_leaves_nothing(sound, nursery, job, tmp_path):
    nursery(job("warm"))
    size = (tmp_path / ".mintmark" / "mintmark.db-wal").stat().st_size if (
        tmp_path / ".mintmark" / "mintmark.db-wal").exists() else 0  # fmt: skip
    seen = set()
    for limit in (512, 1024, 4096, 8192, size + 8192, size + 16384):
        answer = nursery(job(f"limit{limit}", count=4, limit=limit, go_on=True))[0]
        errors = [said for said in answer["told"] if "error" in said]
        seen |= {said["exit"] for said in errors}
        assert answer["status"] == 0
        registry = sound.open(tmp_path / ".mintmark")
        assert sound.swept_clean(registry) == [], limit
        done = [said["id"] for said in answer["told"] if "id" in said]
        assert registry.catalog.known(done) == set(done)
        registry.close()

    assert seen == {3}
    assert nursery(job("after"))[0]["told"][0]["new"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a small file system needs root; the file limit above runs everywhere")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=8192", "tmpfs", str(folder)], capture_output=True
    ).returncode:
        pytest.skip("this machine does not let root mount a tmpfs; the file limit above runs everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_recording_goes_on_when_there_is_room(
    sound, small_disk, tmp_path, monkeypatch, capsys, picture
):
    monkeypatch.chdir(small_disk)
    path = picture("a.png", size=(128, 128))
    said = ["record", str(path), "--provider", "p", "--model", "m"]
    assert run(said) == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(bytes(4096))
    capsys.readouterr()

    status = run(["record", str(picture("b.png", seed=2, size=(400, 400))), "--provider", "p", "--model", "m"])

    told = capsys.readouterr().err
    assert status == 3
    assert "o space left" in told or "full" in told
    assert "internal error" not in told
    ballast.unlink()
    assert run([*said[:1], str(picture("c.png", seed=3, size=(96, 96))), *said[2:]]) == 0
    registry = create_at(small_disk / ".mintmark")[0]
    assert sound.swept_clean(registry) == []
    assert registry.catalog.generations() == 2
    registry.close()


def as_nobody(arguments, cwd):
    """A command of ours as a user without rights to the home."""
    code = "import sys; from registry.cli import run; sys.exit(run(sys.argv[1:]))"
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*who, sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, errors="replace",
        env=os.environ | {"HOME": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.fixture
def read_only(tmp_path, picture):
    """A folder with a registry of one generation that nobody may write."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("setpriv (util-linux) is needed to give root's rights away")
    folder = Path(tmp_path / "shown")
    folder.mkdir()
    registry = create_at(folder / ".mintmark")[0]
    path = picture("a.png")
    os.chmod(path, 0o644)
    run_in(folder, ["record", str(path), "--provider", "p", "--model", "m", "--prompt", "a stone bridge", "--wait"])
    registry.close()
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(parent, 0o755)
    for entry in [folder, *folder.rglob("*")]:
        os.chmod(entry, 0o555 if entry.is_dir() else 0o444)
    if as_nobody(["--version"], tmp_path).returncode:
        pytest.skip("another user cannot run this checkout's Python")
    yield folder, path
    for entry in [folder, *folder.rglob("*")]:
        os.chmod(entry, 0o755 if entry.is_dir() else 0o644)


def run_in(folder, arguments):
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert run(arguments) == 0
    finally:
        os.chdir(here)


@pytest.mark.parametrize("arguments", [["show", "@last"], ["search"], ["lookup", "FILE"], ["get", "@last", "--to", "-"],
                                       ["log", "audit"], ["key", "export"], ["index", "status"]])  # fmt: skip
def test_a_registry_that_may_only_be_read_answers_or_says_why(read_only, arguments):
    folder, path = read_only

    done = as_nobody([str(path) if word == "FILE" else word for word in arguments], folder)

    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    if done.returncode == 3:
        assert "read" in done.stderr or "denied" in done.stderr, done.stderr


@pytest.mark.parametrize("arguments", [["record", "FILE", "--provider", "p", "--model", "m"], ["tag", "@last", "a=b"]])
def test_writing_where_nothing_may_be_written_is_refused_clearly(read_only, arguments):
    folder, path = read_only

    done = as_nobody([str(path) if word == "FILE" else word for word in arguments], folder)

    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    assert "read" in done.stderr.lower() or "denied" in done.stderr.lower()


def test_a_home_that_went_away_is_told_by_whoever_goes_on_writing(local_registry):
    shutil.rmtree(local_registry.home)

    with (
        pytest.raises(DatabaseFailed, match=r"writer\.lock: No such file or directory"),
        local_registry.catalog.database.writing(),
    ):
        pass
