"""Hostile folders, and names that no member has."""

import os
import shutil
from pathlib import Path

import pytest

from registry.bundle_format import is_member_name
from registry.verify.bundle import verify
from registry.verify.container import NotABundle


def broken_folder(tmp_path: Path, ledger, change) -> Path:
    folder = ledger.bundle(tmp_path / "folder", [ledger.records[1]])
    change(folder)
    return folder


def outside(folder: Path) -> None:
    (folder.parent / "outside").write_bytes((folder / "checkpoint").read_bytes())
    (folder / "checkpoint").unlink()
    (folder / "checkpoint").symlink_to(folder.parent / "outside")


def linked_folder(folder: Path) -> None:
    shutil.move(folder / "records", folder.parent / "elsewhere")
    (folder / "records").symlink_to(folder.parent / "elsewhere")


def pipe(folder: Path) -> None:
    (folder / "checkpoint").unlink()
    os.mkfifo(folder / "checkpoint")


FOLDERS = {
    "symlink": outside,
    "symlinked folder": linked_folder,
    "pipe": pipe,
    "empty folder": lambda folder: (folder / "c2pa").mkdir(),
    "deep folder": lambda folder: (folder / "/".join(["x"] * 200)).mkdir(parents=True),
    "another file": lambda folder: (folder / "notes.txt").write_text("x"),
    "odd name": lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x0a")).write_text("x"),
    "member taken away": lambda folder: (folder / "checkpoint").unlink(),
    "capital letters": lambda folder: (folder / "checkpoint").rename(folder / "Checkpoint"),
}


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and such names are POSIX notions")
@pytest.mark.parametrize("change", FOLDERS.values(), ids=FOLDERS)
def test_hostile_folders_fail_as_containers(tmp_path, ledger, change, failed):
    report = verify(broken_folder(tmp_path, ledger, change), trust=ledger.trust)

    assert failed(report) == {"container"}
    assert report.layer("container").sentence.isprintable()


@pytest.mark.skipif(os.name != "posix", reason="pipes are a POSIX notion")
def test_a_pipe_in_place_of_a_bundle_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotABundle, match="neither a file nor a folder"):
        verify(tmp_path / "pipe")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "records/", "records/../checkpoint", "./checkpoint", "checkpoint\n", "checkpoint\x00", "KEYS.TXT",
     "records/" + "A" * 64 + ".json", "assets/sha256/" + "a" * 63, "consistency/0", "consistency/01"],
)  # fmt: skip
def test_no_other_name_is_a_member(name):
    assert not is_member_name(name)
