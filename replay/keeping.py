"""Keeps a worker at work: until a signal, or beside a server; one that was taken for dead begins anew."""

import os
import signal
import threading
from collections.abc import Sequence
from typing import Final

from registry.home import Registry
from replay.jobs import Lane
from replay.worker import GRACE_S, Worker, say
from replay.workflows import Planned, told

_LOOK_S: Final = 0.2
_PAUSE_S: Final = 2.0  # after a worker that could not begin


class Keeper:
    """A worker in this process, and the next one when others have taken it for dead."""

    def __init__(self, registry: Registry, *, threads: int, lanes: Sequence[Lane] = ("interactive", "batch")) -> None:
        self._registry, self._threads, self._lanes = registry, threads, lanes
        self._told = threading.Event()
        self._worker, self._ended = self._begin(), False
        self._thread = threading.Thread(target=self._keep, name="mintmark-keeper", daemon=True)

    @property
    def id(self) -> str:
        """The name under which others see the worker now."""
        return self._worker.id

    def start(self) -> None:
        """Take jobs from now on.

        Raises:
            DatabaseFailed: a database cannot be reached.
        """
        self._worker.start()
        self._thread.start()

    def stop(self, grace: float = GRACE_S) -> None:
        """End; see ``Worker.stop``."""
        self._told.set()
        self._thread.join()
        if not self._ended:
            self._worker.stop(grace)

    def _begin(self) -> Worker:
        return Worker(self._registry, Planned(), threads=self._threads, lanes=self._lanes)

    def _keep(self) -> None:
        failed = False
        while not self._told.wait(_PAUSE_S if failed else _LOOK_S):
            try:
                self._renew()
                failed = False
            except Exception as problem:  # a database that is away may come back
                if not failed:
                    say(f"no worker could begin; it is tried again until one can: {told(problem)}")
                failed = True

    def _renew(self) -> None:
        """Put a new worker in the place of one that others took for dead."""
        if not self._ended:
            if not self._worker.wait(0):
                return
            say("this worker stood still for so long that its jobs were given to others; it begins anew")
            self._ended = True
            self._worker.stop(0)
        worker = self._begin()
        try:
            worker.start()
        except BaseException:
            worker.stop(0)
            raise
        self._worker, self._ended = worker, False


def keep_working(registry: Registry, *, threads: int, lanes: Sequence[Lane]) -> None:
    """Work until SIGTERM or SIGINT."""
    told = threading.Event()

    def end(number: int, frame: object) -> None:
        if told.is_set():
            os._exit(128 + number)
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    keeper = Keeper(registry, threads=threads, lanes=lanes)
    keeper.start()
    say(f"worker {keeper.id} takes jobs of {registry.home} ({', '.join(lanes)}; {threads} at a time)")
    told.wait()
    say("ending: what waits is handed over, what cannot be left is finished")
    keeper.stop()
    registry.close()
    say("stopped")
    os._exit(0)  # a call that outlived its grace would hold the process for as long as its provider likes
