"""The jobs in the engine's own database, seen from outside: enqueue, list, wake, take over, try again."""

import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from dbos import DBOS, DBOSClient, EnqueueOptions, Serializer, WorkflowStatus, error
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from registry.database import DatabaseFailed, file_url, without_secret
from registry.errors import InvalidValue, NotFound
from registry.settings import Settings

APPLICATION: Final = "mintmark"
VERSION: Final = "1"
"""Of the jobs' names and arguments; a worker takes jobs of its own version only. Raise it when they change."""

INTERACTIVE: Final = "interactive"
BATCH: Final = "batch"
SHARES: Final = "shares"
OWN: Final = "own-"
"""What the name of a queue begins with that one worker alone listens to; the worker's id follows."""
SUITE: Final = "suite"
SHARE: Final = "share"
NOTICE: Final = "notice"
MAIL: Final = "mail"

Lane = Literal["interactive", "batch"]
State = Literal["queued", "running", "done", "failed", "dead", "canceled"]
_STATES: Final[dict[str, State]] = {
    "ENQUEUED": "queued", "DELAYED": "queued", "PENDING": "running", "SUCCESS": "done", "ERROR": "dead",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "dead", "CANCELLED": "canceled",
}  # fmt: skip
_MIXED: Final[dict[str, tuple[str, ...]]] = {"failed": ("ERROR",), "dead": ("CANCELLED",)}
"""Further names of a state with the engine, of rows that only their content tells from another state's."""

_MOST_DEATHS: Final = 10
_QUICK_MS: Final = 300_000  # a worker that dies later than so long after it took a job did not die of it
_DEATHS: Final = "deaths"
_FURTHER: Final = "further"


@dataclass(frozen=True, slots=True)
class Job:
    """One job: ``args`` are ids, ``worker`` who has it, times in milliseconds since 1970, ``error`` what went wrong.

    A job is ``failed`` where it was one attempt, and a further one waits, ``dead`` where none does.
    """

    id: str
    kind: str
    state: State
    args: tuple[Any, ...]
    queue: str | None
    worker: str | None
    created_ms: int
    updated_ms: int
    deaths: int
    error: str | None

    @property
    def lane(self) -> Lane:
        """Which lane it belongs to; notices go with what people wait for."""
        return "batch" if self.kind in (SUITE, SHARE) and self.args[1:2] == ("batch",) else "interactive"


class Plain(Serializer):
    """Ids in, ids out: job rows are JSON that anybody can read, and reading one runs nothing."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401
        """JSON; of an error, what it says."""
        if not isinstance(data, BaseException):
            return json.dumps(data)
        return json.dumps({"error": str(data)} | ({_FURTHER: True} if isinstance(data, AttemptFailed) else {}))

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401
        """What was stored; an error comes back as one that says the same."""
        found = json.loads(serialized_data)
        if not isinstance(found, dict) or "error" not in found or found.keys() - {"error", _FURTHER}:
            return found
        return (AttemptFailed if _FURTHER in found else JobError)(found["error"])

    def name(self) -> str:
        """How rows name this form."""
        return "mintmark_json"


class JobError(Exception):
    """What ended a job, as its row tells it; ``job`` is its id, once the engine has seen it.

    One that is ``kept`` is told by whoever kept it, and by no line of the engine's log.
    """

    job: str | None = None
    kept = False


class AttemptFailed(JobError):
    """What ended one attempt, where a further one waits."""


P = ParamSpec("P")
T = TypeVar("T")


def _reaching(ask: "Callable[Concatenate[Jobs, P], T]") -> "Callable[Concatenate[Jobs, P], T]":
    """Let a method fail as ``DatabaseFailed`` where the database does, whatever the driver calls that."""

    @wraps(ask)
    def asking(jobs: "Jobs", /, *args: P.args, **options: P.kwargs) -> T:
        try:
            return ask(jobs, *args, **options)
        except (SQLAlchemyError, sqlite3.Error) as problem:
            raise _failed(jobs.url, problem) from problem

    return asking


class Jobs:
    """The jobs of one registry: everything about them that does not run them.

    Every method raises DatabaseFailed where the database of jobs cannot be reached, or not be written.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the database of jobs, made where there is none.

        Raises:
            DatabaseFailed: it cannot be reached, or not be written.
        """
        self.url = prepare(settings)
        try:
            self._client = DBOSClient(
                system_database_url=self.url,
                serializer=Plain(),
                application_name=APPLICATION,
                retry_connection_errors=False,
            )
        except SQLAlchemyError as problem:
            raise _failed(self.url, problem) from problem

    def close(self) -> None:
        """Close its connections."""
        self._client.destroy()

    @_reaching
    def add(
        self, kind: str, id: str, args: Sequence[object], queue: str, *, delay: float = 0, last: bool = False
    ) -> None:
        """Enqueue a job; one of that id that is there already stays as it is.

        Args:
            kind: what is to be run.
            id: of the job.
            args: ids, and what says which way to go with them; never a prompt.
            queue: who is to take it.
            delay: seconds before anybody may.
            last: after all others of its queue.
        """
        options: EnqueueOptions = {
            "workflow_name": kind, "queue_name": queue, "workflow_id": id, "app_version": VERSION,
            "application_name": APPLICATION,
        }  # fmt: skip
        if delay:
            options["delay_seconds"] = delay
        if last:
            options["priority"] = 100
        self._client.enqueue(options, *args)

    @_reaching
    def get(self, id: str) -> Job:
        """One job.

        Raises:
            NotFound: there is none.
        """
        found = self._client.list_workflows(workflow_ids=[id])
        if not found:
            raise NotFound("job", id, "`mintmark jobs list` shows those there are")
        return _job(found[0])

    @_reaching
    def find(self, *, states: Collection[State] = (), kinds: Collection[str] = (), prefix: str | None = None,
             most: int | None = None) -> list[Job]:  # fmt: skip
        """Jobs, the newest first."""
        status = [name for name, state in _STATES.items() if state in states]
        status += [name for state in states for name in _MIXED.get(state, ()) if name not in status]
        mixed = bool({"failed", "dead", "canceled"} & set(states))
        found = self._client.list_workflows(status=status or None, name=list(kinds) or None, workflow_id_prefix=prefix,
                                            limit=None if mixed else most, sort_desc=True)  # fmt: skip
        jobs = [_job(one) for one in found]
        return [job for job in jobs if not states or job.state in states][:most]

    @_reaching
    def retry(self, id: str, queue: str | None = None) -> Job:
        """Let a job that is over begin anew; one that waits or runs stays as it is.

        Raises:
            NotFound: there is none.
        """
        job = self.get(id)
        if job.state in ("dead", "canceled", "done"):
            self._client.update_workflow_attributes(id, {_DEATHS: 0})
            self._client.rewind_workflow(id, queue_name=queue or queue_of(job), application_version=VERSION)
        return self.get(id)

    @_reaching
    def cancel(self, id: str) -> None:
        """Take a job out of its queue; one that runs ends at its next step."""
        self._client.cancel_workflow(id)

    @_reaching
    def wake(self, worker: str, call: str) -> bool:
        """Tell a worker that a call's provider has news; False where no such worker listens."""
        try:
            self._client.send(mailbox_of(worker), call, MAIL)
        except error.DBOSNonExistentWorkflowError:
            return False
        return True

    @_reaching
    def take_over(self, living: Collection[str]) -> tuple[list[str], list[str]]:
        """Give the jobs of workers that no longer live back to the queues that others listen to.

        A job whose worker dies again and again is not given to the next one: it is dead.

        Returns:
            The ids given back, and the ids now dead.
        """
        back, dead = [], []
        for job in self.find(states=["running"]):
            if job.worker in living:
                continue
            if job.kind == MAIL:  # whoever it woke is gone with its worker
                self._client.cancel_workflow(job.id)
                continue
            quick = time.time() * 1000 - job.updated_ms < _QUICK_MS
            deaths = job.deaths + 1 if quick else 1
            self._client.update_workflow_attributes(job.id, {_DEATHS: deaths})
            if deaths >= _MOST_DEATHS:
                self._client.cancel_workflow(job.id)
                dead.append(job.id)
            else:
                self._client.resume_workflow(job.id, queue_name=queue_of(job))
                back.append(job.id)
        for job in self.find(states=["queued"]):
            if _is_nobodys(job.queue, living):
                self._client.resume_workflow(job.id, queue_name=queue_of(job))
                back.append(job.id)
        return back, dead

    @_reaching
    def orphaned(self, living: Collection[str]) -> bool:
        """Whether a worker that lives no longer has a job, running or in a queue of its own."""
        found = self._client.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
        return any(
            one.executor_id not in living if one.status == "PENDING" else _is_nobodys(one.queue_name, living)
            for one in found
        )

    @_reaching
    def move(self, id: str, queue: str) -> None:
        """Put a job that waits, or whose worker is gone, into another queue."""
        self._client.resume_workflow(id, queue_name=queue)

    @_reaching
    def drop_queue(self, name: str) -> None:
        """Forget a queue that a single worker listened to."""
        self._client.delete_queue(name)


def mailbox_of(worker: str) -> str:
    """The id of the job that takes a worker's mail."""
    return f"{worker}.{MAIL}"


def prepare(settings: Settings) -> str:
    """Make the database of jobs where there is none, for its owner's eyes only; the answer is its URL.

    The engine leaves SQLite in its slow journal mode, so the file is set to WAL before the engine sees it.

    Raises:
        DatabaseFailed: it cannot be reached, or not be written.
        InvalidValue: ``jobs`` is no URL.
    """
    tell_shortly()
    url = settings.jobs or file_url(settings.home / "jobs.db").render_as_string()
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):  # the latter of a port that is no number
        raise InvalidValue("jobs", without_secret(url), "sqlite:///… or postgresql+psycopg://…") from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InvalidValue("jobs", parsed.render_as_string(), "sqlite:///… or postgresql+psycopg://…")
    try:
        if parsed.get_backend_name() == "sqlite":
            _private_wal(str(parsed.database))
        DBOS.migrate(url)
    except (SQLAlchemyError, sqlite3.Error, OSError, error.DBOSException) as problem:
        raise _failed(url, problem) from problem
    return url


def _private_wal(path: str) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _failed(url: str, problem: Exception) -> DatabaseFailed:
    said = getattr(problem, "orig", None) or problem
    return DatabaseFailed(f"the database of jobs, {make_url(url).render_as_string()}", said)


def _job(found: WorkflowStatus) -> Job:
    given = found.input["args"] if found.input else ()
    deaths = int((found.attributes or {}).get(_DEATHS, 0))
    state = "dead" if found.status == "CANCELLED" and deaths >= _MOST_DEATHS else _STATES[found.status]
    if isinstance(found.error, AttemptFailed):
        state = "failed"
    why = None if found.error is None else str(found.error)
    if found.name == NOTICE and state == "queued":
        why = next(iter(given[5:6]), None)  # of the attempt before
    if state == "dead" and why is None:
        why = f"{deaths} workers died while they ran it"
    created = found.created_at or 0
    return Job(found.workflow_id, found.name, state, tuple(given), found.queue_name, found.executor_id, created,
               found.updated_at or created, deaths, why)  # fmt: skip


def _is_nobodys(queue: str | None, living: Collection[str]) -> bool:
    """Whether a queue is one that a single worker listened to, which lives no longer."""
    return (queue or "").startswith(OWN) and str(queue).removeprefix(OWN) not in living


def queue_of(job: Job) -> str:
    """The queue that any worker of the job's lane listens to."""
    return SHARES if job.kind == SHARE else job.lane


class _Short(logging.Handler):
    """One line for each warning of the engine, without traceback: those may quote what no log line may hold."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it to standard error; of what broke a job off what its row says, of anything else its kind."""
        cause = record.exc_info[1] if record.exc_info else None
        if isinstance(cause, JobError) and cause.kept:
            return
        if isinstance(cause, JobError) and cause.job is not None:
            dead = "" if isinstance(cause, AttemptFailed) else " is dead"
            print(f"mintmark: job {cause.job}{dead}: {cause}".splitlines()[0], file=sys.stderr, flush=True)
            return
        why = "" if cause is None else f" {str(cause) if isinstance(cause, JobError) else type(cause).__name__}"
        said = f"{record.getMessage().splitlines()[0]}{why}".splitlines()[0][:300]
        print(f"mintmark: job engine: {said}", file=sys.stderr, flush=True)


def tell_shortly() -> None:
    """Let the engine's log speak in single lines; it adds no handler where there is one."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(handler, _Short) for handler in logger.handlers):
        logger.handlers[:] = [_Short(logging.ERROR)]
        logger.propagate = False
