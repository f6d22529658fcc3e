"""One exchange while it passes: its bytes are kept beside, and handed on once it is over."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

from registry.capture.draft import new_exchange_id
from registry.capture.events import is_events
from registry.capture.exchange import Exchange
from registry.capturing.context import Said
from registry.times import now

log: Final = logging.getLogger("mintmark.capture")

Ended: TypeAlias = Literal["whole", "cut", "left"]
"""The answer came whole; it was cut on its way; or the caller left before it had all."""
Headers: TypeAlias = list[tuple[str, str]]

_PIECE: Final = 1 << 18
_SHORT: Final = 1 << 20


class Body:
    """Bytes that pass: in memory at first, in a file without a name once they are many."""

    __slots__ = ("_file", "_folder", "_most", "_pieces", "size")

    def __init__(self, folder: Path, most: int) -> None:
        """Keep up to ``most`` bytes in memory, the rest in an unnamed file in ``folder``."""
        self._folder, self._most = folder, most
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.size += len(piece)
        if self._file is None and self.size > self._most:
            # Unnamed, so that nothing which has not been scrubbed can be found on the disk.
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed in close()
            for earlier in self._pieces:
                self._file.write(earlier)
            self._pieces = []
        if self._file is None:
            self._pieces.append(bytes(piece))
        else:
            self._file.write(piece)

    def pieces(self) -> Iterable[bytes]:
        """All bytes, from the first one on."""
        if self._file is None:
            yield from self._pieces
            return
        self._file.seek(0)
        while block := self._file.read(_PIECE):
            yield block

    @property
    def in_memory(self) -> bool:
        """Whether all of it is there."""
        return self._file is None

    def close(self) -> None:
        """Give file and memory back."""
        self._pieces = []
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class Observation:
    """An exchange that goes on; none of its methods raises: what fails here, the caller never learns.

    ``url`` is absolute; header names are in lower case. ``status`` is None while, or if, no answer came. Times in
    ``ms`` are integer milliseconds: ``connect``, ``upload``, ``first`` (to the head of the answer), ``first_partial``
    (of an answer in events), ``total``. ``id`` is that of the call, if it starts one.
    """

    method: str
    url: str
    request_headers: Headers
    request: Body
    response: Body
    said: Said
    capture: str
    hand_on: Callable[["Observation"], None]
    status: int | None = None
    response_headers: Headers = field(default_factory=list)
    ended: Ended = "whole"
    why: str | None = None
    ms: dict[str, int] = field(default_factory=dict)
    started_at: str = field(default_factory=now)
    ended_at: str | None = None
    broken: bool = False
    nothing: bool = False
    id: str = field(default_factory=new_exchange_id)
    _start: float = field(default_factory=time.perf_counter)
    _over: bool = False
    _reached: list[tuple[int, int]] | None = None

    def sent(self, piece: bytes) -> None:
        """Bytes of the request."""
        self._keep(self.request, piece)

    def received(self, piece: bytes, *, is_last: bool = False) -> None:
        """Bytes of the answer; it is over with the last of them, before the caller can be told that all is well."""
        self._keep(self.response, piece)
        if self._reached is not None:
            self._reached.append((self.response.size, self._passed()))
        if is_last:
            self.end()

    def mark(self, phase: str) -> None:
        """A phase is over: ``connect``, ``upload`` or ``first``."""
        self.ms.setdefault(phase, self._passed())

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The head of the answer is there."""
        self.mark("first")
        self.status = status
        self.response_headers = [(name.lower(), value) for name, value in headers]
        if is_events(dict(self.response_headers)):
            self._reached = []
        kind = dict(self.response_headers).get("content-type", "")
        if self.method == "GET" and kind and "json" not in kind and "text" not in kind:
            self.broken = True  # a file on its way to the caller, nothing that tells about a job

    def partial(self, count: int | None) -> None:
        """The first partial event was whole once so many bytes had come."""
        found = [ms for reached, ms in self._reached or () if count is not None and reached >= count]
        if found:
            self.ms["first_partial"] = found[0]

    def end(self, how: Ended = "whole", why: str | None = None) -> None:
        """It is over; whatever is said after the first time is ignored."""
        if self._over:
            return
        self._over = True
        self.ended, self.why = ("whole" if how == "left" and self._has_all else how), why
        self.ms["total"], self.ended_at = self._passed(), now()
        try:
            self.hand_on(self)
        except Exception as problem:
            log.warning("an exchange was not taken: %s", type(problem).__name__)

    def unsent(self) -> None:
        """Nothing of it ever left: there is nothing to tell."""
        self.nothing = True
        self.end()

    def close(self) -> None:
        """Give its bytes back."""
        self.request.close()
        self.response.close()

    @property
    def is_plain(self) -> bool:
        """Whether both bodies are short and in memory, and neither is packed."""
        packed = any(name == "content-encoding" for name, _ in (*self.request_headers, *self.response_headers))
        short = self.request.size + self.response.size <= _SHORT
        return short and self.request.in_memory and self.response.in_memory and not packed

    @property
    def _has_all(self) -> bool:
        """Whether the answer is complete though nobody read up to its end."""
        announced = dict(self.response_headers).get("content-length", "")
        return announced.isdigit() and self.response.size == int(announced)

    def _keep(self, body: Body, piece: bytes) -> None:
        if self.broken or self._over or not piece:
            return
        try:
            body.write(piece)
        except Exception as problem:  # a full disk, mostly
            self.broken = True
            log.warning("an exchange is not kept: %s", type(problem).__name__)

    def _passed(self) -> int:
        return round((time.perf_counter() - self._start) * 1000)


def observation_of(exchange: Exchange, folder: Path, most: int) -> Observation:
    """An exchange of our own, which asked about a job, as one that was seen."""
    response = Body(folder, most)
    response.write(exchange.response_body)
    seen = Observation("GET", exchange.url, [], Body(folder, most), response, Said(), "proxy", lambda _: None)
    seen.answered(exchange.status or 0, exchange.response_headers)
    seen.end()
    return seen
