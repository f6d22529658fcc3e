"""Takes observed exchanges off the caller's hands: follows their jobs, fetches outputs, spools whole calls."""

import logging
import os
import sys
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from registry.capture.exchange import Exchange
from registry.capturing.adopting import adopted_call, recognized
from registry.capturing.context import Said, current
from registry.capturing.draining import Drain
from registry.capturing.fetching import Fetcher, NotHad, is_our_own
from registry.capturing.following import CapturedCall, begun, told_by
from registry.capturing.forking import begin_anew
from registry.capturing.known import Known
from registry.capturing.labour import Labour
from registry.capturing.observing import Body, Headers, Observation, observation_of
from registry.capturing.opened import Left, Opened
from registry.capturing.spool import Spool
from registry.capturing.spooling import spool_call
from registry.errors import counted

log: Final = logging.getLogger("mintmark.capture")

_OPEN_S: Final = 1.0
_CALM_S: Final = 0.02
_WAITING: Final = 1000  # calls that are kept in memory for a disk that takes no files; the next one is lost
_LAST_S: Final = 5.0  # for what is still unfinished when the recorder ends
_AT_ONCE: Final = 1 << 20  # bytes of both bodies that a caller waits for to be written: about a millisecond
_PACKED: Final = 1 << 16  # bytes of a packed answer that a caller waits for to be unpacked


@dataclass(slots=True)
class Counts:
    """What came of the calls so far; ``lost`` could not even be spooled."""

    spooled: int = 0
    lost: int = 0
    failed_tries: int = 0


class Recorder:
    """One per process; everything after ``observe`` and the observation's methods happens on its own threads.

    Args:
        home: the registry's home, made by whoever records into it first.
        known: which providers are captured.
        drain: records what is spooled; None where another process does.
        in_memory: bytes of a body beyond which it goes to a file.
        patience_s: how long a caller may be silent about its job before it is asked about here.
        retry_s: after how long a disk that takes nothing is tried again.
    """

    def __init__(
        self,
        home: Path,
        *,
        known: Known | None = None,
        drain: Drain | None = None,
        in_memory: int = 4 << 20,
        patience_s: float = 10.0,
        retry_s: float = 5.0,
    ) -> None:
        """Start nothing yet."""
        self.known, self.spool, self.counts = known or Known(), Spool(home), Counts()
        self._drain, self._in_memory, self._patience_s = drain, in_memory, patience_s
        self._retry_s = retry_s
        self._begin()
        if hasattr(os, "register_at_fork"):
            own = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: begin_anew(own()))

    def begin_anew(self) -> None:
        """In a process that was forked off, which has none of its parent's threads: its parent finishes its own."""
        self._opened.forget()
        self._begin()

    def _begin(self) -> None:
        """Everything that belongs to this process: threads, and what they work on."""
        self._labour = Labour()
        self._idle = self._labour.idle
        self._calls: dict[str, CapturedCall] = {}
        self._paths: dict[str, dict[str, CapturedCall]] = {}
        self._ending: dict[str, CapturedCall] = {}  # over, and not in the spool yet
        self._open = 0
        self._fetcher: Fetcher | None = None
        self._opened = Opened(self.spool)
        self._closing = False
        if self._drain is not None:
            self._drain.begin()

    def observe(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], capture: str, said: Said | None = None
    ) -> Observation | None:
        """An observation of a request that is about to be sent; None where it is nothing to capture. Never raises."""
        try:
            place = self.known.place_of(url)
            if place is None or is_our_own() or self._closing:
                return None
            if method != "GET" and not self.known.operations(place, method, url):
                return None
            lower: Headers = [(name.lower(), value) for name, value in headers]
            folder = self.spool.folder
            bodies = Body(folder, self._in_memory), Body(folder, self._in_memory)
            self._ready()
            with self._idle:
                self._open += 1
            return Observation(method, url, lower, *bodies, said or current(), capture, self._take)
        except Exception as problem:
            log.warning("an exchange is not captured: %s", type(problem).__name__)
            return None

    def take(self, draft: Path, entry: dict[str, Any]) -> None:
        """Make an entry of a folder that somebody else began in the spool and filled: at once, and synced soon."""
        try:
            made = self.spool.show(draft, entry)
        except OSError as problem:
            log.warning("a decorated call is lost: %s", type(problem).__name__)
            with self._idle:
                self.counts.lost += 1
            return
        self._ready()
        self._labour.on(lambda: self._shown(made))

    def adopt(self, every_s: float | None = None) -> None:
        """Take over, soon, what processes that have ended left open: ask about jobs, fetch outputs, spool.

        A call's key is gone with its process: it is asked about with the one in the environment, or that of whoever
        asks about it through here. Where there is none, it is given up 10 minutes after it was begun.

        Args:
            every_s: how often to look again; once where left out.
        """
        self._ready()
        self._labour.on(self._adopt)
        if every_s is not None:
            self._labour.route(lambda: self._labour.later(every_s, lambda: self.adopt(every_s)))

    @property
    def has_work(self) -> bool:
        """Whether anything goes on that can be brought to an end from here."""
        return bool(self._labour.busy or self._ending) or any(call.askable for call in list(self._calls.values()))

    def settle(self, seconds: float) -> bool:
        """Wait until everything seen so far is spooled and recorded; False where that took longer.

        Jobs that go on are waited for too, where they can be asked about.
        """
        began = time.monotonic()
        until = began + seconds
        with self._idle:
            # An answer that nobody reads to its end stays open for ever: it is not waited for longer than this.
            while self.has_work or (self._open and time.monotonic() < began + _OPEN_S):
                if not self._idle.wait(min(0.1, max(0.0, until - time.monotonic()))) and time.monotonic() >= until:
                    return False
        return self._drain is None or self._drain.settle(max(0.0, until - time.monotonic()))

    def close(self, seconds: float = 10.0) -> None:
        """End: wait for what goes on, spool the rest as unfinished, let the drain finish on its own.

        What a disk did not take is tried once more; what it takes not even then is lost, which is said.
        """
        settled = self.settle(seconds)
        with self._idle:
            again, self._closing = self._closing, True
            resting = [call for call in self._ending.values() if call.resting]
        if not settled:
            for call in self._own_calls():
                call.given_up = True
                self._labour.route(lambda call=call: self._finish_later(call))  # type: ignore[misc]
            for call in resting:
                self._finish_again(call)
            until = time.monotonic() + _LAST_S
            with self._idle:
                while (self._labour.busy or self._own_calls()) and time.monotonic() < until:
                    self._idle.wait(0.1)
                self.counts.lost += sum(not self._opened.has(name) for name in self._ending)
                self._ending.clear()
        if self.counts.lost and not again:
            _say(f"mintmark: {counted(self.counts.lost, 'captured call')} could not be kept, and will not be recorded")
        self._labour.stop()
        self._opened.close()
        if self._drain is not None:
            self._drain.close(seconds if settled else 0.0)

    def _own_calls(self) -> list[CapturedCall]:
        """Those that this process began: adopted ones are left to whoever adopts them next."""
        return [call for call in list(self._calls.values()) if not call.orphan]

    # On the caller's path: all of it takes microseconds.

    def _ready(self) -> None:
        if self._labour.begins(self._prepare) and self._drain is not None:
            self._drain.start()

    def _prepare(self) -> None:
        self.spool.prepare()
        self._opened.prepare()

    def _take(self, seen: Observation) -> None:
        def written() -> None:
            self._write(seen)
            with self._idle:
                self._open -= 1
            self._labour.route(lambda: self._seen_soon(seen))

        # Written down before the caller goes on, which may be killed then; what is long or packed is left to a worker.
        short = (
            seen.request.in_memory and seen.response.in_memory and seen.request.size + seen.response.size <= _AT_ONCE
        )
        if short and (seen.response.size <= _PACKED or "content-encoding" not in dict(seen.response_headers)):
            written()
        else:
            self._labour.on(written)

    def _write(self, seen: Observation) -> None:
        """Write an exchange down that starts a call, or tells of one."""
        try:
            place = None if seen.nothing else self.known.place_of(seen.url)
            if place is None:
                return
            if seen.method == "GET":
                call = self._asked_about(seen)
                if call is not None and not seen.broken:
                    self._opened.write(call.id, "last", place, [call.description], seen)
            else:
                self._opened.write(seen.id, "submit", place, self.known.operations(place, seen.method, seen.url), seen)
        except Exception as problem:  # a full disk, mostly: it is still in memory
            log.info("an exchange is not written down yet: %s", type(problem).__name__)

    # On the routing thread: the only one that touches calls that are not over.

    def _seen_soon(self, seen: Observation) -> None:
        """Not at once: the caller is still on its way back from the call, and threads share one interpreter."""
        self._labour.later(_CALM_S, lambda: self._seen(seen), waited_for=True)

    def _seen(self, seen: Observation) -> None:
        self._opened.prepare()
        known = self._asked_about(seen)
        if known is not None and not seen.nothing:
            if known.orphan:
                recognized(known, seen)
            known.hear(told_by(seen, known.events))
            self._advance(known)
            return
        place = self.known.place_of(seen.url)
        call = begun(place, seen) if place is not None and not seen.nothing else None
        if call is None:
            self._opened.drop(seen.id)
            seen.close()
            return
        call.deadline = time.monotonic() + call.limit_s
        self._calls[call.id] = call
        self._advance(call)
        if call.id in self._calls:
            self._labour.on(lambda: self._opened.sync(call.id))

    def _asked_about(self, seen: Observation) -> CapturedCall | None:
        asked_about = self._paths.get(urlsplit(seen.url).path, {}) if seen.method == "GET" else {}
        return next((call for call in list(asked_about.values()) if call.tells_of(seen)), None)

    def _go_on(self, left: Left) -> None:
        """Follow a call that another process began."""
        call = adopted_call(left, self.known, os.environ)
        if call is not None and call.id not in self._ending:
            self._calls[call.id] = call
            self._advance(call)

    def _advance(self, call: CapturedCall) -> None:
        if call.id not in self._calls:
            return
        for url in (call.poll_url, call.result_url):
            if url:
                self._paths.setdefault(urlsplit(url).path, {})[call.id] = call
        if call.over or call.given_up or time.monotonic() > call.deadline:
            self._finish_later(call)
            return
        self._opened.beat()
        protocol = call.description.protocol
        after = protocol.poll.after_ms / 1000 if protocol and protocol.poll else 1.0
        wait = max(self._patience_s, 2 * after) if call.tries == 0 else after
        call.due = time.monotonic() + wait
        self._labour.later(wait, lambda: self._ask_later(call))

    def _ask_later(self, call: CapturedCall) -> None:
        if call.id in self._calls and time.monotonic() >= call.due and call.poll_url is not None:
            call.due = float("inf")
            if call.askable:
                self._labour.on(lambda: self._ask(call))
            else:
                self._labour.route(lambda: self._advance(call))

    def _finish_later(self, call: CapturedCall) -> None:
        if self._calls.pop(call.id, None) is None:
            return
        for url in (call.poll_url, call.result_url):
            if url:
                calls = self._paths.get(urlsplit(url).path, {})
                calls.pop(call.id, None)
                if not calls:
                    self._paths.pop(urlsplit(url).path, None)
        self._ending[call.id] = call
        self._labour.on(lambda: self._finish(call))

    # On the workers: everything that waits for a network or a disk.

    def _ask(self, call: CapturedCall) -> None:
        url = call.poll_url
        assert url is not None
        try:
            told = told_by(self._observed(self._fetching().ask(call.place, url, call.key)), call.events)
        except NotHad as problem:
            log.info("a job was asked about in vain: %s", problem)
            told = None

        def heard() -> None:
            call.tries += 1
            if told is not None and call.id in self._calls:
                call.hear(told)
            self._advance(call)

        self._labour.route(heard)

    def _finish(self, call: CapturedCall) -> None:
        try:
            entry = spool_call(self.spool, call, self._fetching(), self._observed)
        except Exception as problem:
            log.warning("a captured call is not spooled yet: %s", type(problem).__name__)
            with self._idle:
                self.counts.failed_tries += 1
                call.resting = not self._closing and len(self._ending) <= _WAITING
            if call.resting:
                self._labour.route(lambda: self._rest(call))
                return
            self._lose(call)
            return
        self._opened.drop(call.id)
        with self._idle:
            self._ending.pop(call.id, None)
        call.close()
        self._spooled(entry)

    def _shown(self, entry: Path) -> None:
        with suppress(OSError):  # a drain may have had it already
            self.spool.sync(entry)
        self._spooled(entry)

    def _adopt(self) -> None:
        for left in self._opened.adopted():
            self._labour.route(lambda left=left: self._go_on(left))  # type: ignore[misc]

    def _spooled(self, entry: Path) -> None:
        with self._idle:
            self.counts.spooled += 1
        log.debug("spooled %s", entry.name)
        if self._drain is not None:
            self._drain.poke(entry)

    def _rest(self, call: CapturedCall) -> None:
        """On the routing thread: try again once the disk has had its time."""
        self._opened.beat()
        self._labour.later(self._retry_s, lambda: self._finish_again(call))

    def _finish_again(self, call: CapturedCall) -> None:
        with self._idle:
            resting, call.resting = call.resting, False
            if resting:
                self._labour.on(lambda: self._finish(call))

    def _lose(self, call: CapturedCall) -> None:
        with self._idle:
            if self._ending.pop(call.id, None) is not None and not self._opened.has(call.id):
                self.counts.lost += 1
        call.close()

    def _observed(self, exchange: Exchange) -> Observation:
        return observation_of(exchange, self.spool.folder, self._in_memory)

    def _fetching(self) -> Fetcher:
        with self._idle:
            if self._fetcher is None:
                self._fetcher = Fetcher()
            return self._fetcher


def _say(sentence: str) -> None:
    """Tell whoever runs the program: what is lost is not found in any folder later."""
    with suppress(OSError, ValueError, AttributeError):  # a program without a standard error, or one that closed it
        print(sentence, file=sys.stderr, flush=True)
