"""A database, SQLite or PostgreSQL: how connections are set up, how a write transaction begins."""

import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, ClauseElement, Connection, Engine, Executable, create_engine, event, inspect, text
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.sql.compiler import SQLCompiler

from registry.errors import CouldNotRun, InvalidValue, NewerDatabase
from registry.locking import exclusive

BUSY_MS = 30_000
_ROOM = 1 << 16  # bytes; the shared-memory file alone takes half of it
_MIGRATING = 0x6D6D5F7461626C65  # "mm_table": PostgreSQL's advisory lock of who makes or changes the tables
_FIRST_USE = 0x6D6D5F6669727374  # "mm_first": and of who looks whether the log has begun, and begins it
_CREATING = threading.Lock()
Protect = Callable[[sqlite3.Connection], None]


class DatabaseFailed(CouldNotRun):
    """The database refused: disk full, read-only, unreachable."""

    def __init__(self, where: str, problem: object) -> None:
        """Name the database and what it said."""
        super().__init__(f"{where}: {problem}; this step changed nothing, so run it again once that is mended")


class AlreadyThere(DatabaseFailed):
    """A row breaks a unique key: whoever committed first has it."""


class DatabaseDamaged(DatabaseFailed):
    """What the file holds is no sound SQLite database."""

    def __init__(self, where: str, problem: object) -> None:
        """Name the file and what SQLite said."""
        CouldNotRun.__init__(self, f"{where} is damaged ({problem}); put it aside and restore it from a backup")


class UnreadWriteAhead(CouldNotRun):
    """Records that lie in a write-ahead file which nobody may take in here."""

    def __init__(self, path: Path) -> None:
        """Name the database and its write-ahead file."""
        super().__init__(
            f"{path} may only be read, and its newest records still lie in {path.name}-wal, which SQLite reads only "
            "where it may write; copy the whole home to a folder that may be written and read it there"
        )


class Database:
    """One database; ``reading`` and ``writing`` are the only ways to a connection.

    Args:
        url: ``sqlite:///…`` or ``postgresql+psycopg://…``; of a file, what ``file_url`` gives.
        lock: SQLite only: the file that serialises writers between processes
            (a queue at the file lock is fairer than SQLite's own retries).
        protect: called with each new SQLite connection (guards of the log).
    """

    def __init__(self, url: str | URL, *, lock: Path | None = None, protect: Protect | None = None) -> None:
        try:
            self.url = make_url(url)
            if self.url.get_backend_name() not in ("sqlite", "postgresql"):
                raise InvalidValue("database", self.url.render_as_string(), "sqlite:///… or postgresql+psycopg://…")
            self.engine: Engine = create_engine(
                self.url,
                pool_pre_ping=self.url.get_backend_name() != "sqlite",
                hide_parameters=True,  # what is sealed stands in no error, log or traceback
                # What rows are locked for is read again after the lock: a server's other default would hide it.
                **({} if self.url.get_backend_name() == "sqlite" else {"isolation_level": "READ COMMITTED"}),
            )
        except (ArgumentError, NoSuchModuleError, ValueError):  # the last of a port that is no number
            raise InvalidValue("database", without_secret(str(url)), "sqlite:///… or postgresql+psycopg://…") from None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.name = Path(self.url.database or "").name if self.is_sqlite else self.url.render_as_string()
        self._shared = threading.local()
        self._is_file = self.is_sqlite and _is_path(self.url.database)
        self._lock = lock if self.is_sqlite else None
        if self.is_sqlite:
            self._prepare_sqlite(protect)

    def _prepare_sqlite(self, protect: Protect | None) -> None:
        @event.listens_for(self.engine, "do_connect")
        def create_private(*_: object) -> sqlite3.Connection | None:
            if self._is_file and is_frozen(path := Path(self.url.database or "")):
                return open_frozen(path)
            _create_private(self.url.database)
            return None

        @event.listens_for(self.engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None  # this module says BEGIN itself
            # An immutable file keeps the mode it has.
            journal = () if self._is_file and is_frozen(Path(self.url.database or "")) else ("journal_mode=WAL",)
            for pragma in (
                f"busy_timeout={BUSY_MS}",
                *journal,
                "synchronous=FULL",
                "secure_delete=ON",
                "foreign_keys=ON",
                "temp_store=MEMORY",
            ):
                connection.execute(f"PRAGMA {pragma}")
            if protect is not None:
                protect(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection inside one consistent read transaction."""
        if (shared := getattr(self._shared, "connection", None)) is not None:
            yield shared
            return
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    # Past SQLAlchemy: a deferred BEGIN touches no file, and the pool ends it when it takes it back.
                    _driver(connection).execute("BEGIN")
                yield connection
        except (DBAPIError, sqlite3.Error) as problem:
            raise self.failure(problem) from problem

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let every ``reading`` of this thread share one transaction: one state of the database, one set-up.

        What is written meanwhile, here or elsewhere, shows after it.
        """
        if getattr(self._shared, "connection", None) is not None:
            yield
            return
        with self.reading() as connection:
            self._shared.connection = connection
            try:
                yield
            finally:
                self._shared.connection = None

    @contextmanager
    def within(self, connection: Connection) -> Iterator[None]:
        """Let every ``reading`` of this thread see what this open transaction sees."""
        before = getattr(self._shared, "connection", None)
        self._shared.connection = connection
        try:
            yield
        finally:
            self._shared.connection = before

    @contextmanager
    def writing(self, *, locked: bool = False) -> Iterator[Connection]:
        """A connection inside a write transaction, committed at the end, rolled back by any error.

        Args:
            locked: the caller holds ``alone()`` already.
        """
        try:
            with (
                nullcontext() if locked else self.alone(),
                self.engine.connect() as connection,
                connection.begin(),
            ):
                if self.is_sqlite:
                    # By hand: an event for it would slow every statement on every connection by a third.
                    _driver(connection).execute("BEGIN IMMEDIATE")
                yield connection
        except (DBAPIError, sqlite3.Error) as problem:
            raise self.failure(problem) from problem

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the writers' lock, where there is one."""
        with ExitStack() as held:
            if self._lock is not None:
                try:
                    held.enter_context(exclusive(self._lock))
                except OSError as problem:  # no folder any more, no right to write there, no descriptor left
                    raise DatabaseFailed(str(self._lock), problem.strerror or problem) from problem
            yield

    @contextmanager
    def alone_everywhere(self) -> Iterator[None]:
        """Begin a registry alone among the machines that share a PostgreSQL database.

        SQLite needs nothing here: who shares the file shares the home, and its ``init.lock``.
        """
        if self.is_sqlite:
            yield
            return
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _FIRST_USE})
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _FIRST_USE})
        except DBAPIError as problem:
            raise self.failure(problem) from problem

    def migrate(self, migrations: str, head: str) -> None:
        """Bring the tables to ``head``; cheap when they are there.

        Args:
            migrations: package with the alembic scripts.
            head: the newest revision this program knows.

        Raises:
            NewerDatabase: the database is ahead of this program.
        """
        if self.revision() == head:
            return
        # alembic takes 0.2 s to import, which a look-up must not pay
        upgrade = import_module("registry.migrating").upgrade
        with self.writing() as connection:
            if not self.is_sqlite:  # until the transaction ends; SQLite's are one at a time anyway
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            current = _revision(connection)
            if current != head and not upgrade(connection, migrations, current):
                raise NewerDatabase(self.name, str(current))

    def revision(self) -> str | None:
        """The revision of the tables; None where there are none."""
        with self.reading() as connection:
            return _revision(connection)

    def failure(self, problem: DBAPIError | sqlite3.Error) -> DatabaseFailed:
        """What the database's own error means."""
        said = problem.orig if isinstance(problem, DBAPIError) else problem
        code = getattr(said, "sqlite_errorcode", 0) & 0xFF  # the low byte of an extended code is its class
        if isinstance(problem, IntegrityError | sqlite3.IntegrityError):
            return AlreadyThere(self.name, said)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return DatabaseDamaged(str(self.url.database), said)
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and self._disk_is_full():
            return DatabaseFailed(self.name, f"{said} (no space left on its disk)")
        return DatabaseFailed(self.name, said)

    def _disk_is_full(self) -> bool:
        """SQLite calls a disk without room for its side files an I/O error."""
        with suppress(OSError):
            return shutil.disk_usage(Path(self.url.database or ".").absolute().parent).free < _ROOM
        return False

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def insert_rows(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    """Run one INSERT for each row, all rows with the same columns.

    Of SQLite it goes straight to the driver: SQLAlchemy's work around a statement takes longer than a small INSERT
    itself, and recording is made of them. Values must be what the driver takes: no type here converts any.

    Args:
        connection: from ``Database.writing``.
        statement: built once by the caller, since its text is kept for as long as it is.
        rows: at least one.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(statement, list(rows))
        return
    wording, names = _wording(statement, tuple(rows[0]))
    _driver(connection).executemany(wording, [tuple(row[name] for name in names) for row in rows])


def first_row(connection: Connection, statement: Executable) -> Sequence[Any] | None:
    """The first row of a SELECT without parameters, by the same short way; None where there is none."""
    if connection.dialect.name != "sqlite":
        return connection.execute(statement).first()
    return cast("Sequence[Any] | None", _driver(connection).execute(_wording(statement, ())[0]).fetchone())


def all_rows(connection: Connection, statement: Executable, values: Mapping[str, object]) -> Sequence[Any]:
    """All rows of a SELECT whose parameters ``values`` name, by the same short way: tuples in the order of columns."""
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, values).all()
    wording, names = _wording(statement, tuple(values))
    given = {**_own_values(statement), **values}
    return _driver(connection).execute(wording, [given[name] for name in names]).fetchall()


@lru_cache(maxsize=64)
def _wording(statement: ClauseElement, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A statement as SQLite takes it, and which columns its parameters are in order."""
    compiled = statement.compile(
        dialect=SQLiteDialect_pysqlite(paramstyle="qmark"),
        column_keys=list(columns) or None,
        compile_kwargs={} if columns else {"literal_binds": True},
    )
    return str(compiled), tuple(compiled.positiontup or ()) if isinstance(compiled, SQLCompiler) else ()


@lru_cache(maxsize=64)
def _own_values(statement: ClauseElement) -> dict[str, Any]:
    """What a statement holds itself, by parameter name: the number of its LIMIT."""
    return dict(statement.compile(dialect=SQLiteDialect_pysqlite()).params)


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def without_secret(url: str) -> str:
    """A URL that cannot be taken apart, without who asks and with which password."""
    return re.sub(r"//.*@", "//***@", url)


def file_url(path: Path) -> URL:
    """The URL of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path))


def is_frozen(path: Path) -> bool:
    """Whether a database is there, and SQLite may not make the side files beside it that its WAL mode needs."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def open_frozen(path: Path) -> sqlite3.Connection | None:
    """Open a frozen database; None where SQLite can do so by itself, because its side files are there.

    It is opened as immutable: SQLite then takes no locks and makes no side files (sqlite.org/uri.html, ``immutable``).

    Raises:
        UnreadWriteAhead: what was written last would be missing without a word.
    """
    wal, shared = (path.with_name(path.name + side) for side in ("-wal", "-shm"))
    if shared.exists():
        return None
    if wal.exists() and wal.stat().st_size:
        raise UnreadWriteAhead(path)
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)


def raw(value: bytes | memoryview | str) -> bytes:
    """The bytes of a BLOB column; SQLite lets whoever edits the file put text there, and that must look altered."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def _create_private(path: str | None) -> None:
    """Make a new database file for its owner's eyes only; SQLite gives its side files the same rights.

    A file that exists is never opened here: closing it would take SQLite's locks away from this whole process,
    which is also why one thread at a time does this.
    """
    if path and _is_path(path):
        with _CREATING, suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _is_path(name: str | None) -> bool:
    return bool(name) and name != ":memory:" and not str(name).startswith("file:")  # the last is a URI of SQLite's own


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
