"""Captured calls that are not recorded yet: one folder each in ``spool/`` of the home, until they are."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final

from registry.locking import exclusive, sync_folder

ENTRY: Final = "entry.json"
TORN: Final = ".torn"
REFUSED: Final = ".refused"
OPEN: Final = ".open"
POORER: Final = ".poorer"
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

    def private(self, folder: Path) -> None:
        """Make a folder within the spool, and those on the way to it, for their owner alone.

        Raises:
            OSError: they cannot be made.
        """
        within = self.prepare()
        for name in folder.relative_to(within).parts:
            within /= name
            within.mkdir(mode=0o700, exist_ok=True)

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
        """Make an entry of the folder that ``begin`` gave; it outlives a loss of power.

        Where one of the same call waits already, made by a process that took the other for ended, the fuller one
        stays. It waits for the disk, and perhaps for a drain: not for the thread of a caller.

        Raises:
            OSError: disk or rights.
            LockBusy: a drain has had the entry of the same call in hand for a minute.
        """
        (draft / ENTRY).write_text(json.dumps(entry), "utf-8")
        self.sync(draft)
        made = draft.with_name(draft.name.removeprefix(_UNFINISHED))
        if made.exists():
            with self.alone():
                waiting = self.read(made)
                if made.exists() and waiting is not None and _fullness(waiting) >= _fullness(entry):
                    shutil.rmtree(draft, ignore_errors=True)
                    return made
                # Where a kill comes in between, nothing else may be left of the call: ``mend`` makes up for it.
                poorer = draft.with_name(f"{draft.name}{POORER}")
                with suppress(FileNotFoundError):  # a drain has had it by now
                    made.rename(poorer)
                draft.rename(made)
                self.drop(poorer)
        else:
            draft.rename(made)
        with suppress(OSError):  # it is there and will be recorded: to fail now would make a second one of it
            sync_folder(self.folder)
        return made

    def show(self, draft: Path, entry: dict[str, Any]) -> Path:
        """Make an entry as ``commit`` does, but wait for no disk; ``sync`` is for another thread.

        Raises:
            OSError: disk or rights.
        """
        (draft / ENTRY).write_text(json.dumps(entry), "utf-8")
        return draft.rename(draft.with_name(draft.name.removeprefix(_UNFINISHED)))

    def mend(self) -> None:
        """Put entries back that a kill caught while a fuller one took their place: the fuller where it is whole.

        Raises:
            OSError: disk or rights.
            LockBusy: others hold what waits for a minute.
        """
        if not any(self.folder.glob(f".*{POORER}")):
            return
        with self.alone():
            for poorer in self.folder.glob(f".*{POORER}"):
                draft = poorer.with_name(poorer.name.removesuffix(POORER))
                made = draft.with_name(draft.name.removeprefix(_UNFINISHED))
                if not made.exists():
                    (poorer if self.read(draft) is None else draft).rename(made)
                self.drop(poorer)

    @staticmethod
    def sync(folder: Path) -> None:
        """Make what lies in a folder outlive a loss of power.

        Raises:
            OSError: disk or rights.
        """
        for path in folder.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        sync_folder(folder)

    def alone(self) -> AbstractContextManager[None]:
        """Hold what waits: within the block, no drain has an entry in hand.

        Raises:
            LockBusy: others hold it for a minute.
        """
        return exclusive(self.home / "spool.lock")

    def waiting(self) -> Iterator[Path]:
        """The entries, oldest first."""
        dated = []
        with suppress(FileNotFoundError):  # there is no spool
            for path in self.folder.iterdir():
                with suppress(FileNotFoundError):  # others record, too
                    if not path.name.startswith(_UNFINISHED) and path.is_dir():
                        dated.append((path.stat().st_mtime_ns, path))
        yield from (path for _, path in sorted(dated))

    def aside(self, why: str = TORN) -> list[Path]:
        """Entries that were put aside: ``TORN``, or ``REFUSED`` by every drain for the same reason."""
        folder = self.folder / why
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def put_torn(self, file: Path) -> None:
        """Put aside a file of which nothing can be made.

        Raises:
            OSError: disk or rights.
        """
        self.private(folder := self.folder / TORN / file.name)
        file.rename(folder / file.name)

    def refuse(self, entry: Path) -> Path:
        """Take an entry out of the way that will never be recorded as it is.

        Raises:
            OSError: disk or rights.
        """
        return self._apart(entry, REFUSED)

    def put_aside(self, entry: Path) -> Path | None:
        """Take an entry out of the way that lacks what every whole one has; None where it does not, or is gone.

        Raises:
            OSError: disk or rights.
        """
        try:
            if isinstance(json.loads((entry / ENTRY).read_bytes()), dict):
                return None
        except FileNotFoundError:
            if not entry.exists():
                return None
        except ValueError:
            pass
        return self._apart(entry, TORN)

    def _apart(self, entry: Path, why: str) -> Path:
        self.private(folder := self.folder / why)
        return entry.rename(folder / entry.name)

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
        gone = entry.with_name(f"{_UNFINISHED}{entry.name}.gone")  # no name that a draft has
        try:
            entry.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)


def _fullness(entry: dict[str, Any]) -> tuple[bool, int]:
    """How much of a call an entry holds: whether its end, and how many outputs of those that were fetched."""
    return bool(entry.get("over")), len(entry.get("downloads", ()))


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file of an entry.

    Raises:
        OSError: disk or rights.
    """
    with path.open("wb", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
