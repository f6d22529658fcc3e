"""Runs the job engine: starts DBOS in this process, gives it the work, takes this worker's mail."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy.exc import SQLAlchemyError

from registry.database import DatabaseFailed
from replay.jobs import APPLICATION, MAIL, NOTICE, SHARE, SUITE, VERSION, JobError, Plain, mailbox_of

LISTEN_S: Final = 0.5  # seconds between two looks for mail, where the database cannot call (SQLite)
_RECEIVE_S: Final = 600.0  # one wait for mail; each leaves two rows in the database of jobs
_ENDING_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue to take jobs from: how many at a time, and the seconds between two looks."""

    name: str
    at_once: int
    look_s: float


class Engine:
    """DBOS in this process; there can be one at a time.

    Args:
        url: of the database of jobs, which ``replay.jobs.prepare`` made ready.
        worker: a name no other process ever had. DBOS gives every process the same one unless told, and two processes
            of one name run each other's jobs twice.
        work: what runs each kind of job; it may be run again from the beginning at any time, here or elsewhere.
        hear: told of each call that has mail.
    """

    def __init__(
        self, url: str, worker: str, work: Mapping[str, Callable[..., object]], hear: Callable[[str], object]
    ) -> None:
        self._url, self._work, self._hear = url, work, hear
        self.worker = worker
        self._lock = threading.Lock()
        self._listening: threading.Event | None = None
        self._ended = False
        self.running: set[str] = set()
        """The ids of the jobs that run here now."""

    def start(self, queues: list[Queue]) -> None:
        """Launch, and take jobs from these queues.

        Raises:
            DatabaseFailed: the database of jobs cannot be reached.
        """
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url,
            "executor_id": self.worker,
            "application_version": VERSION,
            "serializer": Plain(),
            "log_level": "ERROR",
            "run_migrations": False,
            "notification_listener_polling_interval_sec": LISTEN_S,
            "scheduler_polling_interval_sec": 3600.0,
        }
        global _running
        _running = self
        try:
            DBOS(config=config)
            self._launch(queues)
        except BaseException as problem:
            DBOS.destroy()  # half launched, it would refuse the next start in this process
            if isinstance(problem, SQLAlchemyError):
                raise DatabaseFailed("the database of jobs", getattr(problem, "orig", None) or problem) from problem
            raise

    def _launch(self, queues: list[Queue]) -> None:
        DBOS.listen_queues([queue.name for queue in queues])
        DBOS.launch()
        for queue in queues:
            DBOS.register_queue(
                queue.name,
                worker_concurrency=queue.at_once,
                polling_interval_sec=queue.look_s,
                on_conflict="always_update",
            )

    def listen(self) -> None:
        """Take mail from now on; until somebody waits for it, nobody looks."""
        with self._lock:
            if self._listening is None and not self._ended:
                self._listening = threading.Event()
                with SetWorkflowID(mailbox_of(self.worker)):
                    DBOS.start_workflow(_mail, self.worker)

    def stop(self) -> None:
        """End DBOS; jobs that still run stay as they are, for ``Jobs.take_over``."""
        with self._lock:
            self._ended = True
            listening = self._listening
        if listening is not None:
            with suppress(Exception):  # the database may be what fails
                DBOS.send(mailbox_of(self.worker), "", MAIL)
                listening.wait(_ENDING_S)
        DBOS.destroy()

    def run(self, kind: str, args: tuple[object, ...]) -> object:
        """Run one job."""
        id = str(DBOS.workflow_id)
        self.running.add(id)
        try:
            return self._work[kind](*args)
        except JobError as problem:
            problem.job = id
            raise
        finally:
            self.running.discard(id)

    def take_mail(self) -> None:
        """Hear of each call that has mail, until the engine ends."""
        try:
            while not self._ended:
                if call := DBOS.recv(MAIL, _RECEIVE_S):
                    self._hear(str(call))
        finally:
            if self._listening is not None:
                self._listening.set()


_running: Engine | None = None


def _run(kind: str, *args: object) -> object:
    if _running is None:
        raise RuntimeError("a job came before the engine was started")
    return _running.run(kind, args)


@DBOS.workflow(name=SUITE)
def _suite(*args: object) -> object:
    return _run(SUITE, *args)


@DBOS.workflow(name=SHARE)
def _share(*args: object) -> object:
    return _run(SHARE, *args)


@DBOS.workflow(name=NOTICE)
def _notice(*args: object) -> object:
    return _run(NOTICE, *args)


@DBOS.workflow(name=MAIL)
def _mail(worker: str) -> None:
    """Somebody else's mail is for nobody here: its worker is gone, and so is who waited for it."""
    if _running is not None and _running.worker == worker:
        _running.take_mail()
