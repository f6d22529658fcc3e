"""The index's tables in a SQLite file of its own: never backed up, erasable, rebuildable."""

import os
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
)
from sqlalchemy import Index as SqlIndex
from sqlalchemy.exc import DBAPIError

from registry.catalog.store import Use
from registry.database import (
    BUSY_MS,
    Database,
    DatabaseFailed,
    UnreadWriteAhead,
    file_url,
    first_row,
    is_frozen,
    open_frozen,
)
from registry.digest import Digest, DigestSet
from registry.errors import CouldNotRun
from registry.index.text import indexed_words, match_expression
from registry.locking import exclusive

# A scribbled page shows as any of these: damaged, no database, or tables that are not what they were.
_SENSELESS = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)

SCHEMA = 3  # raise it when tables or what goes into them change: the file is then made again

_metadata = MetaData()
_state = Table(
    "state", _metadata, Column("name", String(16), primary_key=True), Column("value", Integer, nullable=False)
)
_sealed = Table(
    "sealed_digest",
    _metadata,
    Column("manifest", String(71), primary_key=True),
    Column("direction", String(6), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("role", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blake3", String(64), nullable=False),
)
SqlIndex("sealed_sha256", _sealed.c.sha256)
SqlIndex("sealed_blake3", _sealed.c.blake3)
_content = Table(
    "content",
    _metadata,
    Column("manifest", String(71), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("digest", String(71), nullable=False),
)
SqlIndex("content_digest", _content.c.digest)
_pdq = Table(
    "pdq",
    _metadata,
    Column("manifest", String(71), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("bits", LargeBinary, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("stable", Integer, nullable=False),
)
_unread = Table(
    "unread",
    _metadata,
    Column("manifest", String(71), primary_key=True),
    Column("pointer", String(32), primary_key=True),
    Column("reason", String(200), nullable=False),
)
_NEXT = select(_state.c.value).where(_state.c.name == "next")
_WORDS = """CREATE VIRTUAL TABLE words USING fts5(
    manifest UNINDEXED, text, tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'")"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """PDQ of output ``position``: 32 bytes of bits, quality 0 to 100, number of stable bits 0 to 256."""

    manifest: str
    position: int
    bits: bytes
    quality: int
    stable: int


@dataclass(frozen=True, slots=True)
class Unread:
    """What has no fingerprint, and why: the output at ``pointer``, or the whole manifest where that is empty."""

    manifest: str
    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of one manifest."""

    manifest: str
    prompt: str = ""
    sealed: Sequence[tuple[Use, DigestSet]] = ()
    contents: Sequence[tuple[int, str]] = ()
    fingerprints: Sequence[Fingerprint] = field(default=())
    unread: Sequence[Unread] = ()


class IndexDamaged(CouldNotRun):
    """The file was no sound database; it is derived, so it was thrown away."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"{path} was damaged and is thrown away; run the command again, it is made anew from the log")


class _IndexFile(Database):
    """A database that may be thrown away, and is where SQLite cannot make sense of it."""

    def __init__(self, path: Path, lock: Path) -> None:
        super().__init__(file_url(path), lock=lock)
        self._file, self._guard = path, lock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._discarding(), super().reading() as connection:
            yield connection

    @contextmanager
    def writing(self, *, locked: bool = False) -> Iterator[Connection]:
        with self._discarding(), super().writing(locked=locked) as connection:
            yield connection

    @contextmanager
    def _discarding(self) -> Iterator[None]:
        """Answer what a half-read file would say wrong with an error, never with silence."""
        try:
            yield
        except DatabaseFailed as problem:
            cause = getattr(problem.__cause__, "orig", problem.__cause__)  # SQLAlchemy's wrapping, or the driver's own
            if getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _SENSELESS:
                raise
            self.dispose()
            with exclusive(self._guard):
                for side in ("", "-wal", "-shm"):
                    self._file.with_name(self._file.name + side).unlink(missing_ok=True)
            raise IndexDamaged(self._file) from problem


class _IndexInMemory(Database):
    """A copy of an index that may only be read, so that it can follow the log all the same; gone with this process."""

    def __init__(self, path: Path) -> None:
        name = f"file:mintmark-index-{secrets.token_hex(8)}?mode=memory&cache=shared"
        super().__init__(f"sqlite:///{name}&uri=true")
        self._alive = sqlite3.connect(name, uri=True, check_same_thread=False)  # the database ends with its last user
        if path.is_file():
            try:
                stored = open_frozen(path) or sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
                with closing(stored):
                    stored.backup(self._alive)
            except (sqlite3.DatabaseError, UnreadWriteAhead):
                self._alive.close()  # derived: what cannot be read is made again
                self._alive = sqlite3.connect(name, uri=True, check_same_thread=False)

    def dispose(self) -> None:
        super().dispose()
        self._alive.close()


class Index:
    """Words, sealed digests, decoded-content digests and PDQ fingerprints of the records up to a log index.

    tests/registry/index/test_store.py states what it owes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_suffix(".lock")
        self._is_copy = not os.access(path.parent, os.W_OK) or is_frozen(path)
        self.database: Database = _IndexInMemory(path) if self._is_copy else _IndexFile(path, self._lock)
        try:
            self._prepare()
        except IndexDamaged:  # nothing was asked of it yet, so nothing was answered wrong
            self._prepare()

    def next(self) -> int:
        """The log index of the first record that is not in here yet."""
        with self.database.reading() as connection:
            return _next(connection)

    def advance(self, start: int, end: int, entries: Iterable[Entry], forget: Iterable[str]) -> bool:
        """Take in the records of log indexes ``start`` to ``end - 1``.

        Args:
            start: must be ``next()``; False is the answer where another process was faster.
            end: the new ``next()``.
            entries: what came in; a manifest that is here already is replaced.
            forget: manifests whose rows go away first (erased ones come back with what is left of them).
        """
        with self.database.writing() as connection:
            if _next(connection) != start:
                return False
            gone = sorted(set(forget))
            for manifest in gone:
                _forget(connection, manifest)
            for entry in entries:
                _forget(connection, entry.manifest)
                _add(connection, entry)
            connection.execute(_state.update().where(_state.c.name == "next"), {"value": end})
            if gone:
                # FTS5 keeps deleted terms in its segments until it is rebuilt
                connection.exec_driver_sql("INSERT INTO words(words) VALUES ('rebuild')")
        return True

    def uses(self, digest: Digest) -> list[Use]:
        """Where a sealed digest occurs."""
        column = _sealed.c.sha256 if digest.algorithm == "sha256" else _sealed.c.blake3
        query = select(_sealed.c.manifest, _sealed.c.direction, _sealed.c.position, _sealed.c.role).where(
            column == digest.hex
        )
        with self.database.reading() as connection:
            return [Use(*row) for row in connection.execute(query.order_by(_sealed.c.direction.desc()).limit(1000))]

    def blake3_of(self, sha256: str) -> str | None:
        """The storage key behind a sealed SHA-256."""
        with self.database.reading() as connection:
            return connection.execute(select(_sealed.c.blake3).where(_sealed.c.sha256 == sha256).limit(1)).scalar()

    def sealed_blake3(self) -> set[str]:
        """The storage keys behind every sealed digest."""
        with self.database.reading() as connection:
            return set(connection.execute(select(_sealed.c.blake3).distinct()).scalars())

    def with_content(self, digest: str) -> list[tuple[str, int]]:
        """Manifest and output position of everything that decodes to this content (``blake3:…``)."""
        query = select(_content.c.manifest, _content.c.position).where(_content.c.digest == digest).limit(1000)
        with self.database.reading() as connection:
            return [(row.manifest, row.position) for row in connection.execute(query)]

    def content(self, manifest: str, position: int = 0) -> str | None:
        """The decoded-content digest of an output."""
        here = (_content.c.manifest == manifest) & (_content.c.position == position)
        with self.database.reading() as connection:
            return connection.execute(select(_content.c.digest).where(here)).scalar()

    def contents(self, manifests: Collection[str]) -> dict[tuple[str, int], str]:
        """The decoded-content digests of all outputs of some manifests, by manifest and position."""
        query = select(_content).where(_content.c.manifest.in_(manifests))
        with self.database.reading() as connection:
            return {(row.manifest, row.position): row.digest for row in connection.execute(query)}

    def fingerprints(self) -> list[Fingerprint]:
        """Every PDQ fingerprint."""
        with self.database.reading() as connection:
            return [Fingerprint(*row) for row in connection.execute(select(_pdq))]

    def unread(self) -> list[Unread]:
        """Everything that could not be fingerprinted; it is found by its bytes alone."""
        with self.database.reading() as connection:
            query = select(_unread).order_by(_unread.c.manifest, _unread.c.pointer)
            return [Unread(*row) for row in connection.execute(query)]

    def with_words(self, text: str, limit: int | None = None) -> list[str]:
        """Manifests whose disclosed prompt holds every word of ``text``: the best ``limit``, else all in no order."""
        expression = match_expression(text)
        if expression is None:
            return []
        best = "" if limit is None else f" ORDER BY rank LIMIT {int(limit)}"
        with self.database.reading() as connection:
            query = f"SELECT manifest FROM words WHERE words MATCH ?{best}"
            found = connection.exec_driver_sql(query, (expression,))
            return [row[0] for row in found]

    def count(self) -> int:
        """How many manifests have words or fingerprints in here."""
        with self.database.reading() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM words").scalar() or 0)

    def rebuild(self) -> None:
        """Throw everything away; the next reader follows the log from its start.

        Raises:
            DatabaseFailed: the file may only be read.
        """
        if self._is_copy:
            raise DatabaseFailed(str(self.path), "it may only be read")
        with self.database.writing() as connection:
            _create(connection)

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()

    def _prepare(self) -> None:
        if self._version() != SCHEMA:
            with self.database.writing() as connection:
                if _version(connection) != SCHEMA:
                    _create(connection)

    def _version(self) -> int:
        with self.database.reading() as connection:
            return _version(connection)


def truncate_wal(database: Database) -> bool:
    """Empty the write-ahead file of a SQLite database, which still holds what was erased.

    Returns:
        False while another connection holds it.

    Raises:
        DatabaseFailed: the file is damaged, gone or cannot be written.
    """
    try:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # SQLite would wait for a reader as long as for a writer, half a minute; the caller has its own patience.
            connection.exec_driver_sql("PRAGMA busy_timeout=50")
            try:
                row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").first()
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
    except DBAPIError as problem:
        raise database.failure(problem) from problem
    return row is not None and row[0] == 0


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar() or 0)


def _create(connection: Connection) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS words")
    _metadata.drop_all(connection)
    _metadata.create_all(connection)
    connection.exec_driver_sql(_WORDS)
    connection.execute(insert(_state), {"name": "next", "value": 0})
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")


def _next(connection: Connection) -> int:
    row = first_row(connection, _NEXT)
    return int(row[0]) if row else 0  # a row of the table's making: see _create


def _forget(connection: Connection, manifest: str) -> None:
    for table in (_sealed, _content, _pdq, _unread):
        connection.execute(sa.delete(table).where(table.c.manifest == manifest))
    connection.exec_driver_sql("DELETE FROM words WHERE manifest = ?", (manifest,))


def _add(connection: Connection, entry: Entry) -> None:
    text = " ".join(indexed_words(entry.prompt))
    connection.exec_driver_sql("INSERT INTO words (manifest, text) VALUES (?, ?)", (entry.manifest, text))
    if sealed := [
        {
            "manifest": use.manifest,
            "direction": use.direction,
            "position": use.position,
            "role": use.role,
            "sha256": digests.sha256,
            "blake3": digests.blake3,
        }
        for use, digests in entry.sealed
    ]:
        connection.execute(insert(_sealed), sealed)
    if contents := [{"manifest": entry.manifest, "position": n, "digest": digest} for n, digest in entry.contents]:
        connection.execute(insert(_content), contents)
    if prints := [
        {"manifest": p.manifest, "position": p.position, "bits": p.bits, "quality": p.quality, "stable": p.stable}
        for p in entry.fingerprints
    ]:
        connection.execute(insert(_pdq), prints)
    if unread := [{"manifest": u.manifest, "pointer": u.pointer, "reason": u.reason} for u in entry.unread]:
        connection.execute(insert(_unread), unread)
