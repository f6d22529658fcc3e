"""The workers that live: each beats its heart in a row; who has not for a while is taken for dead, once, by one."""

import os
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select, text, update

from registry.database import Database
from registry.journal.tables import worker
from registry.times import now

STALE_MS: Final = 15_000
"""Milliseconds without a heartbeat after which a worker is taken for dead."""

_REAPING = 0x6D6D5F7265617065  # "mm_reape": PostgreSQL's advisory lock of who counts the dead


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: its id, where it runs, when it was last seen (milliseconds of the database's clock).

    ``lanes`` are those it serves, with a blank between them; none for one that works for itself alone.
    """

    id: str
    host: str
    pid: int
    lanes: str
    started_at: str
    seen_ms: int


class Workers:
    """The workers of one registry. tests/registry/journal/test_workers.py runs it on every database."""

    def __init__(self, database: Database) -> None:
        """Use an open, migrated database."""
        self._database = database

    def join(self, id: str, lanes: Collection[str] = ()) -> None:
        """Write down that this process works here, and whom for."""
        with self._database.writing() as connection:
            row = {"id": id, "host": here(), "pid": os.getpid(), "lanes": " ".join(lanes), "started_at": now()}
            connection.execute(insert(worker), row | {"seen_ms": clock_ms(connection)})

    def beat(self, id: str) -> bool:
        """Say that a worker lives; False where it was taken for dead meanwhile, and must not go on."""
        with self._database.writing() as connection:
            seen = update(worker).where(worker.c.id == id).values(seen_ms=clock_ms(connection))
            return connection.execute(seen).rowcount == 1

    def leave(self, id: str) -> None:
        """Take a worker that ends off the list."""
        with self._database.writing() as connection:
            connection.execute(delete(worker).where(worker.c.id == id))

    def all(self) -> list[Worker]:
        """Every worker on the list, the oldest first."""
        with self._database.reading() as connection:
            ordered = select(worker).order_by(worker.c.started_at, worker.c.id)
            return [Worker(*row) for row in connection.execute(ordered)]

    def living(self, lane: str | None = None) -> set[str]:
        """The ids of those that were seen of late; of a lane, of those that serve it."""
        with self._database.reading() as connection:
            clock = clock_ms(connection)
            found = [one for one in map(_read, connection.execute(select(worker))) if _lives(one, clock)]
        return {one.id for one in found if lane is None or lane in one.lanes.split()}

    @contextmanager
    def reaping(self) -> Iterator[set[str]]:
        """Strike the dead off the list, one process at a time; gives the ids of the living.

        What the caller does with the work of the dead happens before they are struck off for good: if it fails, the
        next one to come finds them again.
        """
        with self._database.writing() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _REAPING})
            clock = clock_ms(connection)
            known = [_read(row) for row in connection.execute(select(worker))]
            dead = [one.id for one in known if not _lives(one, clock)]
            if dead:
                connection.execute(delete(worker).where(worker.c.id.in_(dead)))
            yield {one.id for one in known} - set(dead)


def here() -> str:
    """This machine, as far as process ids mean the same: its name, and the namespace that they are counted in."""
    with suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"[:255]
    return socket.gethostname()[:255]


def _lives(found: Worker, clock: int) -> bool:
    if clock - found.seen_ms > STALE_MS:
        return False
    return found.host != here() or found.pid == os.getpid() or _runs(found.pid)


def _runs(pid: int) -> bool:
    """Whether a process of this machine runs; one of another user does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(row: object) -> Worker:
    return Worker(*row)  # type: ignore[misc]  # a row holds the columns in order


def clock_ms(connection: Connection) -> int:
    """Milliseconds by the one clock that all who share the database have."""
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1_000_000
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())
