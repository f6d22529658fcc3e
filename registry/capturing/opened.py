"""Calls that are answered and not spooled whole yet: a file each, written in passing, so that no kill loses one.

They lie in ``spool/.open/<owner>/`` of the home, keys taken out; ``<owner>`` is the process that works on them. Once
it has ended, another one takes them over.
"""

import io
import json
import os
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias

import msgspec

from registry.capture.description import Description
from registry.capturing.codings import Unreadable, decoded
from registry.capturing.context import Said
from registry.capturing.known import Known, Place
from registry.capturing.observing import Body, Headers, Observation
from registry.capturing.scrubbing import (
    rules_of,
    scrubbed,
    scrubbed_headers,
    scrubbed_said,
    scrubbed_url,
    scrubbed_whole,
    secrets_in,
)
from registry.capturing.spool import OPEN, Spool
from registry.locking import LockBusy, exclusive
from registry.processes import fate_here, this_process

Part: TypeAlias = Literal["submit", "last"]
"""The exchange that started a call, or the newest one about its job."""

SILENT_S: Final = 300.0
"""After so long without a sign, a process that nobody here can see (another machine, another container) has ended."""
_LENGTH: Final = 8  # hexadecimal digits at the end of a file, which say how long the JSON before them is
_SPARES: Final = 4
_PIECE: Final = 1 << 18
_IN_MEMORY: Final = 4 << 20


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
            _write(whole, head, place, descriptions, seen)
        path = self._files.get((name, part))
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
        else:
            path, descriptor = self._spares.popleft() if self._spares else self._new()
        try:
            if whole is not None:  # a buffered file would take as long again
                _put(descriptor, whole.getbuffer())
            else:
                with os.fdopen(descriptor, "wb") as file:
                    _write(file, head, place, descriptions, seen)
        except OSError:
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
                value, seen = _read(path, self._spool.folder)
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
    root = spool.folder / OPEN
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []


def open_calls(spool: Spool) -> list[Path]:
    """Every open call, whoever works on it."""
    found = []
    for path in (path for folder in folders(spool) for path in folder.iterdir()):
        with suppress(OSError, ValueError), path.open("rb") as file:
            if _head(file)["part"] == "submit":
                found.append(path)
    return found


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


def _put(descriptor: int, data: memoryview) -> None:
    """Write a file and close it."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def _write(
    file: IO[bytes], head: Mapping[str, str], place: Place, descriptions: Sequence[Description], seen: Observation
) -> None:
    """Both bodies, what else is known as JSON, and how long that is."""
    rules, secrets = rules_of(*descriptions), secrets_in(seen.request_headers, seen.url)
    sizes, kept = [], []
    for body, headers, allowed, fields in (
        (seen.request, seen.request_headers, rules.asked, rules.request),
        (seen.response, seen.response_headers, rules.answered, rules.response),
    ):
        told = dict(scrubbed_headers(headers, allowed, secrets))
        coding = dict(headers).get("content-encoding", "")
        size, plain = _written(file, body if not seen.broken else None, coding, secrets, fields)
        sizes.append(size)
        told.pop("content-encoding", None)
        if not plain:
            told["content-encoding"] = coding
        kept.append(list(told.items()))
    value = {
        **head,
        "provider": place.provider,
        "base_url": place.base_url,
        "method": seen.method,
        "url": scrubbed_url(seen.url, rules, secrets),
        "request_headers": kept[0],
        "response_headers": kept[1],
        "said": scrubbed_said(seen.said, secrets),
        "capture": seen.capture,
        "status": seen.status,
        "ended": seen.ended,
        "why": seen.why,
        "ms": seen.ms,
        "started_at": seen.started_at,
        "ended_at": seen.ended_at,
        "broken": seen.broken,
        "sizes": sizes,
    }
    told_json = msgspec.json.encode(value)
    file.write(b"%s%0*x" % (told_json, _LENGTH, len(told_json)))


def _read(path: Path, folder: Path) -> tuple[dict[str, Any], Observation]:
    """An open call's exchange; its bodies go to ``folder`` where they are long."""
    with path.open("rb") as file:
        value = _head(file)
        file.seek(0)
        request, response = (_body(file, size, folder) for size in value["sizes"])
    seen = Observation(
        value["method"],
        value["url"],
        _pairs(value["request_headers"]),
        request,
        response,
        Said.of_json(value["said"]),
        value["capture"],
        lambda _: None,
        status=value["status"],
        response_headers=_pairs(value["response_headers"]),
        ended=value["ended"],
        why=value["why"],
        ms=value["ms"],
        started_at=value["started_at"],
        ended_at=value["ended_at"],
        broken=value["broken"],
        id=value["id"],
    )
    return value, seen


def _head(file: IO[bytes]) -> dict[str, Any]:
    """What stands in a file behind the bodies.

    Raises:
        OSError, ValueError: it is torn.
    """
    end = file.seek(-_LENGTH, os.SEEK_END)
    file.seek(end - int(file.read(_LENGTH), 16))
    value = json.loads(file.read()[:-_LENGTH])
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _written(
    file: IO[bytes], body: Body | None, coding: str, secrets: Sequence[bytes], fields: Sequence[bytes]
) -> tuple[int, bool]:
    """How many bytes a body took, and whether without its coding."""
    if body is None:
        return 0, True
    if body.in_memory and not coding:
        return file.write(scrubbed_whole(b"".join(body.pieces()), secrets, fields)), True
    start = file.tell()
    try:
        return _copied(file, scrubbed(decoded(body.pieces(), coding), secrets, fields)), True
    except Unreadable:
        file.seek(start)
        file.truncate()
        return _copied(file, scrubbed(body.pieces(), secrets, fields)), False


def _copied(file: IO[bytes], pieces: Iterable[bytes]) -> int:
    return sum(map(file.write, pieces))


def _body(file: IO[bytes], size: int, folder: Path) -> Body:
    body = Body(folder, _IN_MEMORY)
    for piece in _cut(file, size):
        body.write(piece)
    return body


def _cut(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece


def _pairs(value: list[list[str]]) -> Headers:
    return [(name, text) for name, text in value]
