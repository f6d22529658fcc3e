"""The recording reverse proxy: ``/{provider}/…`` goes to the provider, bytes unchanged both ways and unbuffered."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx2

from registry import __version__
from registry.capturing.codings import readable
from registry.capturing.context import PREFIX, of_headers
from registry.capturing.framing import (
    PIECE,
    BadMessage,
    Framing,
    Hangup,
    Head,
    Line,
    answer_framing,
    encoded,
    request_framing,
)
from registry.capturing.known import Place
from registry.capturing.observing import Observation
from registry.capturing.recorder import Recorder

log: Final = logging.getLogger("mintmark.capture")

_CONNECT_S: Final = 10.0
_CONTEXT: Final = frozenset(f"{PREFIX}{name}" for name in ("workflow", "label", "subject", "parent"))


class Left(Exception):
    """The caller hung up while its answer was on the way."""


class BadAnswer(BadMessage):
    """The provider's answer is no HTTP/1.1, and nothing of it has reached the caller."""


@dataclass(slots=True)
class _Caller:
    """One connection of a caller, and its own connections onward: kept or closed together, as if there were no proxy.

    A provider that closes an idle connection closes the caller's, too: whether a request was sent or not is then as
    plain to the caller as it would be without us.
    """

    line: Line
    onward: dict[str, Line] = field(default_factory=dict)

    def close(self) -> None:
        for line in (self.line, *self.onward.values()):
            line.close()


class Proxy:
    """Serves until it is canceled.

    Args:
        recorder: takes what passes.
    """

    def __init__(self, recorder: Recorder) -> None:
        """Connect to nothing yet."""
        self._recorder, self._known = recorder, recorder.known
        # The certificates that the engine trusts; no proxy of the environment is looked at.
        self._tls: ssl.SSLContext = httpx2.create_ssl_context(trust_env=False)
        self._callers: set[asyncio.Task[None]] = set()

    async def serve(self, listening: socket.socket) -> None:
        """Answer callers on a listening socket."""
        server = await asyncio.start_server(self._call, sock=listening, limit=PIECE)
        async with server:
            try:
                await server.serve_forever()
            finally:
                going_on = list(self._callers)
                for task in going_on:
                    task.cancel()
                await asyncio.gather(*going_on, return_exceptions=True)

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers.add(task)
        caller = _Caller(Line(reader, writer))
        try:
            while await self._next(caller):
                pass
        except (OSError, Hangup, Left, asyncio.CancelledError):
            caller.line.cut()
        except BadAnswer as problem:
            why = f"the provider's answer is not understood: {problem}; the request was sent and may be billed"
            await _refuse(caller.line, 502, why)
        except BadMessage as problem:
            await _refuse(caller.line, 400, f"not understood: {problem}")
        except Exception as problem:
            log.warning("a connection failed: %s", type(problem).__name__)
            caller.line.cut()
        finally:
            self._callers.discard(task)
            caller.close()

    async def _next(self, caller: _Caller) -> bool:
        """Carry one request and its answer; False where the connection ends."""
        head = await self._awaited(caller)
        if head is None:
            return False
        framing = request_framing(head)
        provider, _, rest = head.start[1].removeprefix("/").partition("/")
        place = self._known.places.get(provider)
        if place is None:
            names = ", ".join(sorted(self._known.places))
            await _refuse(caller.line, 404, f"no provider {provider!r}: the path begins with one of {names}")
            return False
        own = urlsplit(place.base_url)
        target = f"{own.path.rstrip('/')}/{rest}"
        url = f"{own.scheme}://{own.netloc}{target}"
        seen = self._recorder.observe(head.start[0], url, head.headers, "proxy", of_headers(_context(head)))
        try:
            line = await self._onward(caller, place)
        except OSError as problem:
            if seen is not None:
                seen.unsent()
            told = f"{own.netloc} cannot be reached ({type(problem).__name__}); nothing was sent"
            await _refuse(caller.line, 502, told)
            return False
        if seen is not None:
            seen.mark("connect")
        return await self._carried(caller, line, place, head, framing, target, seen)

    async def _awaited(self, caller: _Caller) -> Head | None:
        """The caller's next request; None where it, or an idle provider, has hung up."""
        if caller.line.has_ahead or not caller.onward:
            return await caller.line.head()
        asking = asyncio.ensure_future(caller.line.head())
        closing = [asyncio.ensure_future(line.fill()) for line in caller.onward.values()]
        try:
            await asyncio.wait([asking, *closing], return_when=asyncio.FIRST_COMPLETED)
            if any(task.done() for task in closing):
                # What it sends unasked, or that it closes: this connection is over, unless a request came first.
                if not asking.done():
                    return None
                for line in caller.onward.values():
                    line.close()
                caller.onward.clear()
            return await asking
        finally:
            for task in (asking, *closing):
                task.cancel()
            await asyncio.gather(asking, *closing, return_exceptions=True)

    async def _onward(self, caller: _Caller, place: Place) -> Line:
        line = caller.onward.get(place.provider)
        if line is not None:
            return line
        parts = urlsplit(place.base_url)
        secure = parts.scheme == "https"
        opening = asyncio.open_connection(
            parts.hostname,
            parts.port or (443 if secure else 80),
            ssl=self._tls if secure else None,
            limit=PIECE,
        )
        try:
            reader, writer = await asyncio.wait_for(opening, _CONNECT_S)
        except TimeoutError:
            raise OSError("timeout") from None
        line = caller.onward[place.provider] = Line(reader, writer)
        return line

    async def _carried(
        self,
        caller: _Caller,
        line: Line,
        place: Place,
        head: Head,
        framing: Framing,
        target: str,
        seen: Observation | None,
    ) -> bool:
        """Send the request on and the answer back, both at once; True where both connections can be used again."""
        outgoing = encoded((head.start[0], target, head.start[2]), _headers(head, place))
        try:
            sending = await _sent(caller.line, line, outgoing, framing, seen)
        except OSError as problem:
            if seen is not None:
                seen.end("cut", f"cut: {type(problem).__name__}")
            raise
        whole = False
        try:
            whole = await self._answered(caller, line, head, sending, seen)
        except (OSError, Hangup, BadMessage) as problem:
            if seen is not None:
                seen.end("cut", f"cut: {type(problem).__name__}")
            raise
        except (Left, asyncio.CancelledError):
            if seen is not None:
                seen.end("left")
            raise
        finally:
            sent = sending.done() and not sending.cancelled() and sending.exception() is None
            if not whole or not sent:
                sending.cancel()
                with contextlib.suppress(Exception, asyncio.CancelledError):
                    await sending
                caller.onward.pop(place.provider, None)
                line.cut()
        return whole and sent and head.keeps_alive

    async def _answered(
        self, caller: _Caller, line: Line, head: Head, sending: asyncio.Future[None], seen: Observation | None
    ) -> bool:
        """Relay the answer; True where the provider's connection can be used again."""
        watching = asyncio.create_task(_watch(caller, sending))
        watching.add_done_callback(lambda done: line.cut() if not done.cancelled() and done.result() else None)
        try:
            return await _relayed(caller.line, line, head, seen)
        except (OSError, Hangup) as problem:
            if watching.done() and watching.result():
                raise Left from None
            raise problem
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _relayed(caller: Line, line: Line, head: Head, seen: Observation | None) -> bool:
    """The provider's answer, to the caller; True where the connection it came by can be used again.

    Raises:
        BadAnswer: it is not understood, and the caller has seen nothing of it.
        Hangup: it breaks off, or goes on as what is not understood: the caller has to see it broken off, too.
    """
    try:
        answer = await _answer(caller, line)
        framing = answer_framing(answer, head.start[0])
    except BadMessage as problem:
        raise BadAnswer(str(problem)) from None
    if seen is not None:
        seen.answered(int(answer.start[1]), answer.headers)
    stays = answer.keeps_alive and framing != "close" and head.keeps_alive
    outgoing = encoded(answer.start, answer.onward() + ([] if stays else [("connection", "close")]))
    if not line.has_ahead:
        await _told(caller, outgoing)  # at once: the body may take its time
        outgoing = b""
    try:
        async for raw, content in line.body(framing):
            if seen is not None:
                seen.received(content, is_last=line.is_last)
            await _told(caller, outgoing + raw)
            outgoing = b""
    except BadMessage as problem:
        raise (BadAnswer(str(problem)) if outgoing else Hangup) from None
    if outgoing:
        await _told(caller, outgoing)
    if framing == "close" and line.writer.is_closing():  # it did not end: we cut it, because the caller had left
        raise Left
    if seen is not None:
        seen.end()
    return stays


async def _answer(caller: Line, line: Line) -> Head:
    """The head of the provider's answer; interim ones go to the caller at once."""
    while (answer := await line.head()) is not None:
        if not answer.start[0].startswith("HTTP/"):
            raise BadMessage("a request in the place of an answer")
        if int(answer.start[1]) >= 200:
            return answer
        await _told(caller, encoded(answer.start, answer.onward()))
    raise Hangup


async def _told(caller: Line, data: bytes) -> None:
    try:
        await caller.send(data)
    except OSError:
        raise Left from None


async def _sent(
    caller: Line, line: Line, outgoing: bytes, framing: Framing, seen: Observation | None
) -> "asyncio.Future[None]":
    """Send a head and begin with its body; the answer is done when all of it is sent."""
    body = caller.taken(framing)
    if body is None:
        await line.send(outgoing)
        return asyncio.create_task(_pumped(caller, line, framing, seen))
    if seen is not None:
        seen.sent(body)
    await line.send(outgoing + body)
    if seen is not None:
        seen.mark("upload")
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


async def _pumped(caller: Line, line: Line, framing: Framing, seen: Observation | None) -> None:
    """The request's body, onward."""
    async for raw, content in caller.body(framing):
        if seen is not None:
            seen.sent(content)
        await line.send(raw)
    if seen is not None:
        seen.mark("upload")


async def _watch(caller: _Caller, sending: asyncio.Future[None]) -> bool:
    """True once the caller hangs up; what it sends ahead instead is kept for its turn."""
    try:
        if not sending.done():
            await asyncio.shield(sending)
        sending.result()
    except (Hangup, BadMessage):  # the rest of its request never comes, or nobody knows where it ends
        return True
    except Exception:  # the provider takes no more of it, and may have answered already
        return False
    try:
        return await caller.line.ended()
    except OSError:
        return True


def _context(head: Head) -> list[tuple[str, str]]:
    return [(name, value) for name, value in head.headers if name.lower() in _CONTEXT]


def _headers(head: Head, place: Place) -> list[tuple[str, str]]:
    """The request's headers onward: the provider's host in its place, nothing that was meant for us."""
    kept = []
    for name, value in head.onward(_CONTEXT):
        lower = name.lower()
        if lower == "host":
            value = urlsplit(place.base_url).netloc
        elif lower == "accept-encoding":
            value = readable(value)
        kept.append((name, value))
    return kept


async def _refuse(line: Line, status: int, why: str) -> None:
    """An answer of our own, which says so; the connection ends with it."""
    body = json.dumps({"error": {"message": f"mintmark proxy: {why}", "type": "mintmark_proxy"}}).encode()
    reason = {400: "Bad Request", 404: "Not Found", 502: "Bad Gateway"}[status]
    headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close"),
               ("server", f"mintmark/{__version__}")]  # fmt: skip
    with contextlib.suppress(OSError):
        await line.send(encoded(("HTTP/1.1", str(status), reason), headers) + body)
