"""Captured calls that are not recorded yet: one folder each in ``spool/`` of the home, until they are."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

ENTRY: Final = "entry.json"
_UNFINISHED: Final = "."


class Spool:
    """The folder; entries appear in it whole or not at all. Private to its owner: prompts lie here in clear."""

    def __init__(self, home: Path) -> None:
        """Name the folder; it is made when it is needed."""
        self.home, self.folder = home, home / "spool"

    def prepare(self) -> Path:
        """Make the folder where there is none.

        Raises:
            OSError: it cannot be made.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder

    def begin(self, name: str) -> Path:
        """A folder for the files of a new entry, seen by nobody until ``commit``.

        Raises:
            OSError: disk or rights.
        """
        draft = self.prepare() / f"{_UNFINISHED}{name}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        return draft

    def commit(self, draft: Path, entry: dict[str, Any]) -> Path:
        """Make an entry of the folder that ``begin`` gave.

        Raises:
            OSError: disk or rights.
        """
        (draft / ENTRY).write_text(json.dumps(entry), "utf-8")
        return draft.rename(draft.with_name(draft.name.removeprefix(_UNFINISHED)))

    def waiting(self) -> Iterator[Path]:
        """The entries, oldest first."""
        try:
            found = [entry for entry in os.scandir(self.folder) if not entry.name.startswith(_UNFINISHED)]
        except FileNotFoundError:
            return
        dated = sorted((entry.stat().st_mtime_ns, entry.path) for entry in found if entry.is_dir())
        yield from (Path(path) for _, path in dated)

    @staticmethod
    def read(entry: Path) -> dict[str, Any] | None:
        """What stands in an entry; None where it is gone by now, or was damaged."""
        try:
            value = json.loads((entry / ENTRY).read_bytes())
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    @staticmethod
    def drop(entry: Path) -> None:
        """Take an entry away, whole: nobody sees half of it."""
        gone = entry.with_name(f"{_UNFINISHED}{entry.name}")
        try:
            entry.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file of an entry.

    Raises:
        OSError: disk or rights.
    """
    with path.open("wb", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
