"""The threads of a recorder: one that does things in order, and several that wait for networks and disks."""

import heapq
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from registry.capturing.fetching import begin_own

log: Final = logging.getLogger("mintmark.capture")

WORKERS: Final = 4
Work: TypeAlias = Callable[[], None]


@dataclass(order=True, slots=True)
class _Due:
    at: float
    number: int
    work: Work = field(compare=False)


class Labour:
    """Work in order (``route``, ``later``), and beside each other (``on``).

    ``busy`` counts what was given and is not done; ``idle`` is told of every change of it, and guards it.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self.busy = 0
        self.idle = threading.Condition()
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._threads: list[threading.Thread] = []

    def begins(self, prepare: Work) -> bool:
        """Start the threads, after ``prepare``; False where they run already."""
        if self._threads:
            return False
        with self.idle:
            if self._threads:
                return False
            prepare()
            loops = [self._route, *[self._labour] * WORKERS]
            self._threads = [threading.Thread(target=loop, name="mintmark-capture", daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()
        return True

    def stop(self) -> None:
        """Let the threads end, after what was given before."""
        for _ in self._threads:
            self._work.put(None)
        self._queue.put(None)

    def route(self, work: Work) -> None:
        """Do it in order, soon."""
        self._more()
        self._queue.put(work)

    def later(self, seconds: float, work: Work, *, waited_for: bool = False) -> None:
        """Do it in order, not before its time; only on the routing thread. It counts as busy where it is waited for."""
        if waited_for:
            self._more()
        done = (lambda: self._done(work)) if waited_for else work
        heapq.heappush(self._due, _Due(time.monotonic() + seconds, next(self._numbers), done))

    def on(self, work: Work) -> None:
        """Do it beside everything else: it may wait."""
        self._more()
        self._work.put(work)

    def _route(self) -> None:
        begin_own()
        while True:
            pause = max(0.0, self._due[0].at - time.monotonic()) if self._due else None
            try:
                work = self._queue.get(timeout=pause)
            except queue.Empty:
                heapq.heappop(self._due).work()
                continue
            if work is None:
                return
            self._done(work)

    def _labour(self) -> None:
        begin_own()
        while (work := self._work.get()) is not None:
            self._done(work)

    def _more(self) -> None:
        with self.idle:
            self.busy += 1

    def _done(self, work: Work) -> None:
        try:
            work()
        except Exception as problem:
            log.warning("capture failed: %s", type(problem).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
        finally:
            with self.idle:
                self.busy -= 1
                self.idle.notify_all()
