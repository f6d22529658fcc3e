"""The log in a database: append, prove, sign, audit.

The head is never stored: size and root follow from the entries, so there is
nothing that could disagree with them. On SQLite an entry gets its index in
the transaction that stores its record; on PostgreSQL it waits in a table and
one sequencer at a time gives out indexes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sqlalchemy import Connection, insert

from registry.database import Database
from registry.encoding import encode64
from registry.log import guards, reading, sequencer, writing
from registry.log.audit import AuditReport, audit
from registry.log.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from registry.log.errors import LogForked, LogTruncated, LogUnusable
from registry.log.leaf import Leaf
from registry.log.merkle import consistency_proof, inclusion_proof, root
from registry.log.proof import LogProof
from registry.log.tables import log_pending
from registry.log.tiles import FULL, TileSource, entry_bundle, hash_reader
from registry.signing import Signer

PAUSE = 0.005  # seconds between looks at a sequencer that is at work


class LogStore:
    """The append-only log of one database; every method works inside the caller's transaction unless it says otherwise.

    tests/registry/log/test_store.py states what it owes on both databases.
    """

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are migrated."""
        self.database = database

    def append(self, connection: Connection, *, kind: str, id: str, pae: str, now: str) -> int | None:
        """Add a signed record to the log, in the write transaction that stores the record.

        Args:
            connection: from ``database.writing()``.
            kind: the record's kind; the first entry of a log is a ``key`` record.
            id: the record's id, ``sha256:…``.
            pae: hex SHA-256 of what the signature covers (``signing.pae_digest``).
            now: RFC 3339, UTC, milliseconds.

        Returns:
            The entry's index, or None where a sequencer will give it out.

        Raises:
            LogUnusable: the log is empty and this is no key record.
            LogTruncated: entries that a checkpoint covers are gone.
            LeafRefused: an argument breaks its syntax.
        """
        Leaf(kind, id, pae, 0, now).body  # noqa: B018 - refuse here, not in the sequencer, what has no valid form
        if self.database.is_sqlite:
            return writing.append_all(connection, [writing.Draft(kind, id, pae, now)])[0]
        connection.execute(insert(log_pending), {"kind": kind, "id": id, "pae": pae, "recorded_at": now})
        return None

    def sequence(self, limit: int = 1000) -> int:
        """Give indexes to up to ``limit`` waiting records, in a transaction of its own.

        Args:
            limit: the greatest batch.

        Returns:
            How many entries were added; 0 when none wait, or another sequencer is at work, and always on SQLite.
        """
        if self.database.is_sqlite:
            return 0
        with self.database.writing() as connection:
            return sequencer.take_batch(connection, limit)

    def settle(self, record_id: str, patience: float = 5.0) -> int | None:
        """Sequence until a committed record has its index, in transactions of its own.

        One call of ``sequence`` may find another at work that no longer sees the record.

        Args:
            record_id: appended in a transaction that is committed.
            patience: seconds after which whoever sequences next is left to it.

        Returns:
            The index; None if it still waits.
        """
        until = time.monotonic() + patience
        while True:
            self.sequence()
            with self.database.reading() as connection:
                index = self.index_of(connection, record_id)
            if index is not None or time.monotonic() > until:
                return index
            time.sleep(PAUSE)

    def checkpoint(self, signer: Signer, origin: str) -> Checkpoint:
        """A signed checkpoint over the whole log, in transactions of its own; signs only if none covers all entries.

        The signer is called while no lock is held.

        Raises:
            LogUnusable: the log is empty.
            LogTruncated, LogForked: the entries no longer give what was signed before.
        """
        with self.database.reading() as connection:
            stored = reading.latest_checkpoint(connection)
            if stored is not None and stored.origin == origin and stored.size == reading.size(connection):
                self._check_past(connection, stored)
                return stored
            fresh = self._sign(connection, signer, origin)
        with self.database.writing() as connection:
            return writing.store_checkpoint(connection, fresh)

    def size(self, connection: Connection) -> int:
        """How many entries there are."""
        return reading.size(connection)

    def pending(self, connection: Connection) -> int:
        """How many records wait for an index."""
        return sequencer.waiting(connection)

    def unsigned_tail(self, connection: Connection) -> int:
        """How many entries at the end no stored checkpoint covers: safe from crashes, not yet tamper-evident."""
        return reading.size(connection) - reading.signed_size(connection)

    def entry(self, connection: Connection, index: int) -> Leaf:
        """One entry.

        Raises:
            LogUnusable: there is none at that index.
        """
        return Leaf.parse(reading.body(connection, index))

    def entries(self, connection: Connection, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and body of the entries in [start, end)."""
        pages = reading.bodies(connection, start, end)
        return ((index, bytes(body)) for page in pages for index, _, body in page)

    def index_of(self, connection: Connection, record_id: str) -> int | None:
        """Where a record stands; None if it is not in the log (yet)."""
        return reading.index_of(connection, record_id)

    def root(self, connection: Connection, size: int) -> bytes:
        """The root over the first ``size`` entries, 32 bytes.

        Raises:
            LogUnusable: the log is shorter.
        """
        return root(size, hash_reader(size, self._source(connection)))

    def inclusion(self, connection: Connection, index: int, size: int) -> list[bytes]:
        """The proof that entry ``index`` is under the root of ``size`` entries.

        Raises:
            ProofRefused: the tree of that size has no such entry.
            LogUnusable: the log is shorter.
        """
        return inclusion_proof(index, size, hash_reader(size, self._source(connection)))

    def consistency(self, connection: Connection, first: int, second: int) -> list[bytes]:
        """The proof that the log of ``first`` entries is a prefix of the one of ``second``.

        Raises:
            ProofRefused: unless 1 <= first <= second.
            LogUnusable: the log is shorter.
        """
        return consistency_proof(first, second, hash_reader(second, self._source(connection)))

    def proof(self, connection: Connection, index: int, checkpoint: Checkpoint) -> LogProof:
        """Entry, inclusion proof and checkpoint in one file's worth.

        Raises:
            ProofRefused: the checkpoint does not cover the entry.
        """
        return self.prover(connection, checkpoint)(index)

    def prover(self, connection: Connection, checkpoint: Checkpoint) -> Callable[[int], LogProof]:
        """Gives the proofs of many entries under one checkpoint, each several times as fast as one alone.

        The answer is good for as long as the transaction; it raises what ``proof`` raises.
        """
        hashes = hash_reader(checkpoint.size, self._source(connection))

        def prove(index: int) -> LogProof:
            path = tuple(inclusion_proof(index, checkpoint.size, hashes))
            return LogProof(reading.body(connection, index), index, path, checkpoint)

        return prove

    def latest_checkpoint(self, connection: Connection) -> Checkpoint | None:
        """The newest stored checkpoint."""
        return reading.latest_checkpoint(connection)

    def tile(self, connection: Connection, level: int, number: int, width: int) -> bytes:
        """``width`` hashes of a tile, 32 * width bytes.

        Raises:
            LogUnusable: the log does not reach that far.
        """
        return reading.tile(connection, level, number, width)

    def entry_bundle(self, connection: Connection, number: int, width: int) -> bytes:
        """The entries beside a tile of level 0, as tlog-tiles serves them.

        Raises:
            LogUnusable: the log does not reach that far.
        """
        start = number * FULL
        bodies = [body for _, body in self.entries(connection, start, start + width)]
        if len(bodies) != width:
            raise LogUnusable(f"the log has no entries {start} to {start + width - 1}")
        return entry_bundle(bodies)

    def audit(self, connection: Connection, trust: Sequence[VerifierKey] = ()) -> AuditReport:
        """Hash every entry again and recompute the root at every stored checkpoint."""
        return audit(connection, trust)

    def missing_guards(self, connection: Connection) -> list[str]:
        """What is wrong with the database's own guards; empty when all stand."""
        return guards.missing_guards(connection)

    def _sign(self, connection: Connection, signer: Signer, origin: str) -> Checkpoint:
        size = reading.size(connection)
        if size == 0:
            raise LogUnusable("the log is empty, there is nothing to sign; run `mintmark init`")
        past = reading.latest_checkpoint(connection)
        if past is not None:
            self._check_past(connection, past)
        return sign_checkpoint(origin, size, self.root(connection, size), signer)

    def _check_past(self, connection: Connection, past: Checkpoint) -> None:
        """Never sign on top of a history that was rewritten."""
        size = reading.size(connection)
        if past.size > size:
            raise LogTruncated(size, past.size)
        found = self.root(connection, past.size)
        if found != past.root:
            raise LogForked(past.size, signed=encode64(past.root), found=encode64(found))

    def _source(self, connection: Connection) -> TileSource:
        return partial(reading.tile, connection)
