"""HTTP/1.1 on the wire as a proxy needs it: heads taken apart, bodies followed to their end, bytes left as they are.

Framing follows RFC 9112, section 6; whatever that section calls ambiguous is refused.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from registry.capturing.observing import Headers

PIECE: Final = 1 << 18
_HEAD: Final = 1 << 16  # bytes of the longest head
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE: Final = 1 << 12  # bytes of the longest line between chunks

Framing: TypeAlias = int | Literal["chunked", "close"]
"""How a body ends: after so many bytes, with a last chunk, or with the connection."""

HOPS: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "upgrade"}
)
"""Headers that speak about one connection only (RFC 9110, section 7.6.1)."""


class BadMessage(Exception):
    """Not HTTP/1.1, or ambiguous; the message says what was wrong, never what stood there."""


class Hangup(Exception):
    """The other end closed the connection before it had said everything."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line in its three parts, and header lines with names as they were written."""

    start: tuple[str, str, str]
    headers: Headers

    def get(self, name: str) -> str:
        """The values of a header, joined by commas; empty where it is absent."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection is meant to stay open."""
        said = self.get("connection").lower()
        version = self.start[0] if self.start[0].startswith("HTTP/") else self.start[2]
        return "close" not in said and (version != "HTTP/1.0" or "keep-alive" in said)

    def onward(self, dropped: frozenset[str] = frozenset()) -> Headers:
        """The headers that go on to the next hop."""
        named = {name.strip().lower() for name in self.get("connection").split(",")}
        away = HOPS | named | dropped
        return [(name, value) for name, value in self.headers if name.lower() not in away]


class Line:
    """One connection: bytes read ahead are kept here, so that nobody takes what belongs to the next message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over both halves."""
        self.reader, self.writer = reader, writer
        self._ahead = b""
        self.is_last = False  # whether the newest piece of a body was its last, where the framing tells

    async def fill(self) -> bool:
        """Read on; False at the end."""
        piece = await self.reader.read(PIECE)
        self._ahead += piece
        return bool(piece)

    async def ended(self) -> bool:
        """Read ahead until the other end hangs up; False once more was read than a head takes.

        Raises:
            OSError.
        """
        while len(self._ahead) <= _HEAD:
            if not await self.fill():
                return True
        return False

    @property
    def has_ahead(self) -> bool:
        """Whether something was read that nobody has taken."""
        return bool(self._ahead)

    async def head(self) -> Head | None:
        """The next message's head; None where the connection ends instead.

        Raises:
            BadMessage, Hangup, OSError.
        """
        at = self._ahead.find(b"\r\n\r\n")
        while at < 0:
            if len(self._ahead) > _HEAD:
                raise BadMessage("the head is too long")
            if not await self.fill():
                if self._ahead:
                    raise Hangup
                return None
            at = self._ahead.find(b"\r\n\r\n")
        raw, self._ahead = self._ahead[:at], self._ahead[at + 4 :]
        return _head(raw)

    async def body(self, framing: Framing) -> AsyncIterator[tuple[bytes, bytes]]:
        """The body in pieces: bytes as they stand on the wire, and the content in them.

        Raises:
            BadMessage, Hangup, OSError: it does not come to its end.
        """
        self.is_last = False
        if framing == "chunked":
            chunks = _Chunks()
            while not chunks.over:
                raw = await self._some()
                content, used = chunks.feed(raw)
                self._ahead = raw[used:]
                self.is_last = chunks.over
                yield raw[:used], content
        elif framing == "close":
            while piece := self._ahead or await self.reader.read(PIECE):
                self._ahead = b""
                yield piece, piece
        else:
            left = int(framing)
            while left:
                raw = await self._some()
                piece, self._ahead = raw[:left], raw[left:]
                left -= len(piece)
                self.is_last = not left
                yield piece, piece

    def taken(self, framing: Framing) -> bytes | None:
        """A body that was read ahead whole; None for any other, which stays."""
        if not isinstance(framing, int) or framing > len(self._ahead):
            return None
        body, self._ahead = self._ahead[:framing], self._ahead[framing:]
        return body

    async def send(self, data: bytes) -> None:
        """Write, and wait while the other end is slow.

        Raises:
            OSError: it is gone.
        """
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        """Close both halves."""
        self.writer.close()

    def cut(self) -> None:
        """Close at once, without a farewell: what was said was not whole."""
        transport = self.writer.transport
        transport.abort()

    async def _some(self) -> bytes:
        raw, self._ahead = self._ahead, b""
        raw = raw or await self.reader.read(PIECE)
        if not raw:
            raise Hangup
        return raw


class _Chunks:
    """Follows a chunked body (RFC 9112, section 7.1) through bytes cut anywhere."""

    __slots__ = ("_left", "_line", "_state", "over")

    def __init__(self) -> None:
        self.over = False
        self._state, self._left, self._line = "size", 0, b""

    def feed(self, raw: bytes) -> tuple[bytes, int]:
        """The content in ``raw``, and how many bytes of it belong to this body."""
        content, at = [], 0
        while at < len(raw) and not self.over:
            if self._state == "data":
                piece = raw[at : at + self._left]
                content.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "after"
                continue
            end = raw.find(b"\n", at)
            piece = raw[at : end + 1] if end >= 0 else raw[at:]
            at += len(piece)
            self._line += piece
            if len(self._line) > _LINE:
                raise BadMessage("a line between chunks is too long")
            if end >= 0:
                self._take(self._line)
                self._line = b""
        return b"".join(content), at

    def _take(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise BadMessage("a line between chunks ends without CR")
        text = line[:-2]
        if self._state == "size":
            size = text.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise BadMessage("a chunk without a size")
            self._left = int(size, 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "after":
            if text:
                raise BadMessage("a chunk longer than its size")
            self._state = "size"
        elif not text:
            self.over = True


def request_framing(head: Head) -> Framing:
    """How a request's body ends.

    Raises:
        BadMessage: it says so twice, or differently than both ends would understand.
    """
    return _framing(head) or 0


def answer_framing(head: Head, method: str) -> Framing:
    """How an answer's body ends.

    Raises:
        BadMessage: as for requests.
    """
    status = int(head.start[1])
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    framing = _framing(head)
    return "close" if framing is None else framing


def encoded(head: tuple[str, str, str], headers: Headers) -> bytes:
    """A head as bytes."""
    lines = [" ".join(head).rstrip(), *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _framing(head: Head) -> Framing | None:
    coding, length = head.get("transfer-encoding").lower(), head.get("content-length")
    if coding and length:
        raise BadMessage("Transfer-Encoding beside Content-Length")
    if coding:
        if coding != "chunked":
            raise BadMessage("a transfer coding that is not chunked")
        return "chunked"
    if not length:
        return None
    if not (length.isascii() and length.isdigit()):
        raise BadMessage("a Content-Length that is no number")
    return int(length)


def _head(raw: bytes) -> Head:
    first, *rest = raw.lstrip(b"\r\n").split(b"\r\n")
    start = first.decode("latin-1").split(" ", 2)
    if len(start) == 2 and start[0].startswith("HTTP/"):
        start.append("")
    version = start[0] if start[0].startswith("HTTP/") else start[-1]
    if len(start) != 3 or version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadMessage("a start line that is not HTTP/1.1")
    if start[0] == version and not re.fullmatch(r"[1-5][0-9]{2}", start[1]):
        raise BadMessage("a status that is no number")
    headers: Headers = []
    for line in rest:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name) or b"\r" in value or b"\n" in value or b"\0" in value:
            raise BadMessage("a header line that is none")
        headers.append((name.decode("ascii"), value.strip(b" \t").decode("latin-1")))
    return Head((start[0], start[1], start[2]), headers)
