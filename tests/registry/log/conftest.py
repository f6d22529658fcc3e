"""Generated entries of a log, its key, and what a hostile administrator does."""

import hashlib
import sqlite3

import pytest
from sqlalchemy import text

from registry import keys
from registry.keyfile import FileSigner
from registry.log.store import LogStore

NOW = "2026-11-20T12:00:00.000Z"


class Entries:
    """The entries of the logs in these tests, by number; number 0 is a key record."""

    @staticmethod
    def id(n: int) -> str:
        return f"sha256:{hashlib.sha256(b'record %d' % n).hexdigest()}"

    @staticmethod
    def pae(n: int) -> str:
        return hashlib.sha256(b"pae %d" % n).hexdigest()

    def fill(self, log: LogStore, count: int, start: int = 0, batch: int = 1000) -> None:
        """Add records number start … start + count - 1."""
        with log.database.writing() as connection:
            for n in range(start, start + count):
                kind = "generation" if n else "key"
                log.append(connection, kind=kind, id=self.id(n), pae=self.pae(n), now=NOW)
        while log.sequence(batch):
            pass


@pytest.fixture(scope="session")
def entries():
    return Entries()


@pytest.fixture
def log(database):
    return LogStore(database)


@pytest.fixture
def signer(tmp_path):
    return FileSigner.create(tmp_path / "log.pem")


@pytest.fixture
def origin(signer):
    return keys.origin_of(signer.public)


@pytest.fixture
def unguarded(database):
    """What a hostile administrator does: drop the guards, then change rows."""

    def change(*statements: str) -> None:
        if database.is_sqlite:
            with sqlite3.connect(database.url.database) as connection:
                for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                    connection.execute(f"DROP TRIGGER {name}")
                for statement in statements:
                    connection.execute(statement)
            connection.close()
            return
        with database.writing() as connection:
            for table in ("log_entry", "log_tile", "log_checkpoint"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            for statement in statements:
                connection.execute(text(statement))

    return change
