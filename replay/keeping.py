"""Keeps a worker at work: until a signal, or beside a server; one that was taken for dead begins anew."""

import os
import signal
import threading
from collections.abc import Sequence

from registry.home import Registry
from replay.jobs import Lane
from replay.worker import GRACE_S, Worker, say
from replay.workflows import Planned


class Keeper:
    """A worker in this process, and the next one when others have taken it for dead."""

    def __init__(self, registry: Registry, *, threads: int, lanes: Sequence[Lane] = ("interactive", "batch")) -> None:
        self._registry, self._threads, self._lanes = registry, threads, lanes
        self._told = threading.Event()
        self._worker = self._begin()
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
        self._worker.stop(grace)

    def _begin(self) -> Worker:
        return Worker(self._registry, Planned(), threads=self._threads, lanes=self._lanes)

    def _keep(self) -> None:
        while not self._told.wait(0.2):
            if self._worker.wait(0):
                say("this worker stood still for so long that its jobs were given to others; it begins anew")
                self._worker.stop(0)
                self._worker = self._begin()
                self._worker.start()


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
