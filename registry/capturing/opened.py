"""Calls that are answered and not spooled whole yet: a file each, written in passing, so that no kill loses one.

They lie in ``spool/.open/<owner>/`` of the home, keys taken out; ``<owner>`` is the process that works on them. Once
it has ended, another one takes them over.
"""

import io
import os
import time
import uuid
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from registry.capture.description import Description
from registry.capturing import open_file
from registry.capturing.known import Known, Place
from registry.capturing.observing import Observation
from registry.capturing.spool import OPEN, Spool
from registry.locking import LockBusy, exclusive
from registry.processes import fate_here, this_process

Part: TypeAlias = Literal["submit", "last"]
"""The exchange that started a call, or the newest one about its job."""

SILENT_S: Final = 300.0
"""After so long without a sign, a process that nobody here can see (another machine, another container) has ended."""
_SPARES: Final = 4


@dataclass(frozen=True, slots=True)
class Left:
    """A call that a process left open: whose it is, and what was seen of it; its key is not there."""

    id: str
    provider: str
    base_url: str
    submit: Observation
    last: Observation | None

    def place(self, known: Known) -> Place | None:
        """The provider as it was reached then; no host gets a key where it is reached elsewhere by now."""
        place = known.places.get(self.provider)
        if place is None or place.base_url == self.base_url:
            return place
        return replace(place, base_url=self.base_url, hosts=())


class Opened:
    """The open calls of this process.

    To make a file takes longer than to write it, so empty ones are made ahead.

    Args:
        spool: where they lie.
    """

    def __init__(self, spool: Spool) -> None:
        """Touch nothing yet."""
        self._spool, self._own = spool, ""
        self._spares: deque[tuple[str, int]] = deque()
        self._files: dict[tuple[str, str], str] = {}
        self._unpaired: list[Path] = []  # taken over without the exchange that started their call, so far

    def prepare(self) -> None:
        """Make empty files for what comes."""
        with suppress(OSError):
            while len(self._spares) < _SPARES:
                self._spares.append(self._new())

    def write(
        self, name: str, part: Part, place: Place, descriptions: Sequence[Description], seen: Observation
    ) -> None:
        """Write one exchange down without waiting for the disk; what is torn by a kill can be told from what is whole.

        What is told of a call that is spooled meanwhile, or was never written down, is not kept: nobody would read it.

        Args:
            name: of the call.
            part: which exchange of it.
            place: the provider.
            descriptions: every operation that it may be.
            seen: the exchange, over.

        Raises:
            OSError: disk or rights.
        """
        if part == "last" and (name, "submit") not in self._files:
            return
        head = {"id": name, "part": part}
        whole = io.BytesIO() if seen.is_plain else None
        if whole is not None:
            open_file.write(whole, head, place, descriptions, seen)
        path = self._files.get((name, part))
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
        else:
            path, descriptor = self._spare()
        try:
            if whole is not None:  # a buffered file would take as long again
                open_file.put(descriptor, whole.getbuffer())
            else:
                with os.fdopen(descriptor, "wb") as file:
                    open_file.write(file, head, place, descriptions, seen)
        except BaseException:
            self._files.pop((name, part), None)
            with suppress(OSError):
                os.unlink(path)
            raise
        self._files[name, part] = path
        if part == "last" and (name, "submit") not in self._files:  # dropped while this was written
            self.drop(name)

    def has(self, name: str) -> bool:
        """Whether a call can be taken over from here."""
        return os.path.exists(self._files.get((name, "submit"), ""))

    def sync(self, name: str) -> None:
        """Make an open call outlive a loss of power, where it is still open."""
        with suppress(OSError), open(self._files.get((name, "submit"), ""), "rb+") as file:
            os.fsync(file.fileno())

    def beat(self) -> None:
        """Give a sign of life to those who cannot see this process."""
        with suppress(OSError):
            os.utime(self._folder())

    def drop(self, name: str) -> None:
        """The call is spooled, or none."""
        for part in ("submit", "last"):
            with suppress(OSError, KeyError):
                os.unlink(self._files.pop((name, part)))

    def forget(self) -> None:
        """Let go what belongs to the process that this one was forked off."""
        while self._spares:
            os.close(self._spares.pop()[1])

    def close(self) -> None:
        """Take away what is empty."""
        with suppress(OSError, IndexError):
            while True:
                path, descriptor = self._spares.pop()
                os.close(descriptor)
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(self._folder())

    def adopted(self) -> list[Left]:
        """Take over what ended processes left open; none where somebody else is at it."""
        moved, self._unpaired = self._unpaired, []
        whole = False
        with suppress(OSError, LockBusy):  # what was moved before that is read nevertheless
            if gone := orphaned(self._spool):
                own = Path(self._folder())
                self._spool.private(own)
                with exclusive(own.parent / "lock"):
                    for folder in gone:
                        _move(folder, own, moved)
            whole = True
        found: dict[tuple[str, str], tuple[Path, dict[str, Any], Observation]] = {}
        for path in moved:
            try:
                value, seen = open_file.read(path, self._spool.folder)
            except (OSError, ValueError, KeyError, TypeError):
                with suppress(OSError):
                    self._spool.put_torn(path)
                continue
            found[value["id"], value["part"]] = path, value, seen
        return self._paired(found, whole=whole)

    def _paired(
        self, found: dict[tuple[str, str], tuple[Path, dict[str, Any], Observation]], *, whole: bool
    ) -> list[Left]:
        """The calls among what was read; what tells of none of them goes, or waits where more is still to come."""
        calls = []
        for (name, part), (path, value, seen) in found.items():
            if part == "submit":
                last = found.get((name, "last"), (None, None, None))[2]
                calls.append(Left(name, value["provider"], value["base_url"], seen, last))
            elif (name, "submit") not in found and (name, "submit") not in self._files:
                if not whole:
                    self._unpaired.append(path)
                    continue
                with suppress(OSError):
                    path.unlink()
                continue
            self._files[name, part] = str(path)
        return calls

    def _folder(self) -> str:
        if not self._own:
            self._own = str(self._spool.folder / OPEN / name_of(this_process()))
        return self._own

    def _spare(self) -> tuple[str, int]:
        """An empty file that is still there: who takes this process for ended takes them away."""
        while self._spares:
            path, descriptor = self._spares.popleft()
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
            os.close(descriptor)
        return self._new()

    def _new(self) -> tuple[str, int]:
        path, how = f"{self._folder()}/{uuid.uuid4().hex}", os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            return path, os.open(path, how, 0o600)
        except FileNotFoundError:  # there is no folder yet, or no more
            self._spool.private(Path(self._folder()))
            return path, os.open(path, how, 0o600)


def name_of(owner: str) -> str:
    """The folder of a process; some systems take no colon there."""
    return owner.replace(":", "+")


def orphaned(spool: Spool) -> list[Path]:
    """The folders of processes that have ended and left calls open."""
    return [folder for folder in folders(spool) if _ended(folder)]


def folders(spool: Spool) -> list[Path]:
    """One for each process that has, or left, open calls."""
    return [path for path in _inside(spool.folder / OPEN) if path.is_dir()]


def open_calls(spool: Spool) -> list[Path]:
    """Every open call, whoever works on it."""
    found = []
    for path in (path for folder in folders(spool) for path in _inside(folder)):
        with suppress(OSError, ValueError), path.open("rb") as file:
            if open_file.head_of(file)["part"] == "submit":
                found.append(path)
    return found


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder; nothing in one that its process, or whoever took over from it, has taken away."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _ended(folder: Path) -> bool:
    # One that is stopped (Ctrl-Z, a debugger) may go on with its calls: it is waited for like one out of sight.
    fate = fate_here(folder.name.replace("+", ":"), stopped="unknown")
    try:
        return fate == "gone" or (fate == "unknown" and time.time() - folder.stat().st_mtime > SILENT_S)
    except FileNotFoundError:
        return False


def _move(folder: Path, own: Path, moved: list[Path]) -> None:
    """Move the files of a folder over, and note each; what fails leaves the rest where it is."""
    for path in folder.iterdir():
        if path.stat().st_size == 0:
            path.unlink()
        else:
            moved.append(path.rename(own / path.name))
    folder.rmdir()
