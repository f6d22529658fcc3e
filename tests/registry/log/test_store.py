import hashlib
import multiprocessing
import sqlite3
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from registry import keys
from registry.database import Database, DatabaseFailed
from registry.keyfile import FileSigner
from registry.log import merkle, sequencer, writing
from registry.log.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from registry.log.errors import LeafRefused, LogForked, LogTruncated, LogUnusable, NewerLeaf
from registry.log.guards import advisory, protect
from registry.log.leaf import LONGEST, Leaf
from registry.log.proof import LogProof
from registry.log.store import LogStore
from registry.migrating import upgrade

NOW = "2026-11-20T12:00:00.000Z"
KEYS, RECORD = "key", "generation"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database", [pytest.param("postgresql")], indirect=True)


def record_id(n: int) -> str:
    return f"sha256:{hashlib.sha256(b'record %d' % n).hexdigest()}"


def pae(n: int) -> str:
    return hashlib.sha256(b"pae %d" % n).hexdigest()


def at(second: int) -> str:
    return f"2026-11-20T12:{second // 60:02d}:{second % 60:02d}.000Z"


def fill(log: LogStore, count: int, start: int = 0, batch: int = 1000) -> None:
    """Add records number start … start + count - 1; number 0 is a key record."""
    with log.database.writing() as connection:
        for n in range(start, start + count):
            log.append(connection, kind=KEYS if n == 0 else RECORD, id=record_id(n), pae=pae(n), now=NOW)
    while log.sequence(batch):
        pass


@pytest.fixture
def log(database):
    return LogStore(database)


@pytest.fixture
def signer(tmp_path):
    return FileSigner.create(tmp_path / "log.pem")


@pytest.fixture
def origin(signer):
    return keys.origin_of(signer.public)


def unguarded(database: Database, *statements: str) -> None:
    """What a hostile administrator does: drop the guards, then change rows."""
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


def test_entries_follow_each_other_and_are_found_by_id(log):
    fill(log, 5)

    with log.database.reading() as connection:
        assert log.size(connection) == 5
        assert [log.index_of(connection, record_id(n)) for n in range(5)] == [0, 1, 2, 3, 4]
        assert log.index_of(connection, record_id(99)) is None
        assert log.entry(connection, 3) == Leaf(RECORD, record_id(3), pae(3), 0, NOW)
        with pytest.raises(LogUnusable, match="no entry 5"):
            log.entry(connection, 5)


def test_an_index_comes_with_the_record_or_with_the_sequencer(log):
    with log.database.writing() as connection:
        index = log.append(connection, kind=KEYS, id=record_id(0), pae=pae(0), now=NOW)

    if log.database.is_sqlite:
        assert (index, log.sequence()) == (0, 0)
    else:
        with log.database.reading() as connection:
            assert (index, log.size(connection), log.pending(connection)) == (None, 0, 1)
        assert (log.sequence(), log.sequence()) == (1, 0)
    with log.database.reading() as connection:
        assert (log.size(connection), log.pending(connection)) == (1, 0)


def test_what_is_rolled_back_was_never_in_the_log(log):
    fill(log, 3)

    with pytest.raises(ZeroDivisionError), log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=record_id(3), pae=pae(3), now=NOW)
        raise ZeroDivisionError
    log.sequence()

    with log.database.reading() as connection:
        assert log.size(connection) == 3
        assert log.index_of(connection, record_id(3)) is None


def test_the_first_entry_is_a_key_record(log):
    with pytest.raises(LogUnusable, match="key record"):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=record_id(1), pae=pae(1), now=NOW)
        log.sequence()


def test_every_entry_names_the_key_record_in_force(log):
    with log.database.writing() as connection:
        for n, kind in enumerate([KEYS, RECORD, RECORD, KEYS, RECORD, KEYS, KEYS, RECORD]):
            log.append(connection, kind=kind, id=record_id(n), pae=pae(n), now=NOW)
    log.sequence(3)
    while log.sequence(3):
        pass

    with log.database.reading() as connection:
        # A key record is signed under the one before it.
        assert [log.entry(connection, n).keys for n in range(8)] == [0, 0, 0, 0, 3, 3, 5, 6]


def test_time_never_goes_backwards(log):
    with log.database.writing() as connection:
        for n, second in enumerate([5, 9, 2, 8, 11]):
            log.append(connection, kind=KEYS if n == 0 else RECORD, id=record_id(n), pae=pae(n), now=at(second))
    log.sequence()

    with log.database.reading() as connection:
        assert [log.entry(connection, n).time for n in range(5)] == [at(5), at(9), at(9), at(9), at(11)]


@pytest.mark.parametrize(
    "change",
    [{"id": "sha256:12"}, {"id": record_id(1).upper()}, {"pae": "x"}, {"now": "2026-11-20"}, {"kind": "Two words"}],
    ids=str,
)
def test_malformed_arguments_are_refused_at_the_door(log, change):
    fill(log, 1)

    with pytest.raises(LeafRefused), log.database.writing() as connection:
        log.append(connection, **{"kind": RECORD, "id": record_id(1), "pae": pae(1), "now": NOW} | change)


def test_the_longest_body_stays_within_its_limit():
    assert len(Leaf("a" * 16, record_id(0), pae(0), 10**15, NOW).body) <= LONGEST


@settings(deadline=None)
@given(data=st.binary(max_size=300))
def test_other_bytes_are_no_entry(data):
    with pytest.raises(LeafRefused):
        Leaf.parse(data)


def test_other_spellings_and_newer_versions_of_an_entry_are_told_apart():
    body = Leaf(RECORD, record_id(0), pae(0), 0, NOW).body

    assert Leaf.parse(body).body == body
    for bent in (body.replace(b":", b": "), body.replace(b'"keys":0', b'"keys":00'), body + b" ", body[:-1]):
        with pytest.raises(LeafRefused):
            Leaf.parse(bent)
    with pytest.raises(NewerLeaf):
        Leaf.parse(body.replace(b'"v":1', b'"v":2'))


def test_roots_and_proofs_agree_with_the_entries(log):
    """600 entries: two full tiles, a partial one, and a partial one above; proofs at every kind of size."""
    fill(log, 600, batch=250)
    with log.database.reading() as connection:
        row = [merkle.leaf_hash(body) for _, body in log.entries(connection, 0, 600)]

        def reader(level: int, index: int) -> bytes:
            return merkle.fold(b"".join(row[index << level : (index + 1) << level]))

        for size in (1, 2, 255, 256, 257, 511, 512, 600):
            root = log.root(connection, size)
            assert root == merkle.root(size, reader)
            for index in {0, size // 2, size - 1}:
                merkle.verify_inclusion(index, size, row[index], log.inclusion(connection, index, size), root)
            for first in {1, (size + 1) // 2, size}:
                before = log.root(connection, first)
                merkle.verify_consistency(first, size, before, root, log.consistency(connection, first, size))
        assert log.tile(connection, 0, 1, 256) == b"".join(row[256:512])
        assert log.tile(connection, 0, 2, 88) == b"".join(row[512:])
        assert log.tile(connection, 1, 0, 2) == merkle.fold(b"".join(row[:256])) + merkle.fold(b"".join(row[256:512]))
        assert log.entry_bundle(connection, 2, 88)[2:].startswith(b'{"id":')
        for beyond in ((0, 2, 89), (0, 2, 256), (1, 0, 3), (2, 0, 1), (0, 3, 1)):
            with pytest.raises(LogUnusable):
                log.tile(connection, *beyond)
        with pytest.raises(LogUnusable):
            log.root(connection, 601)


def test_a_checkpoint_is_signed_once_per_size_and_kept(log, signer, origin):
    fill(log, 3)

    first = log.checkpoint(signer, origin)

    assert log.checkpoint(signer, origin) == first
    assert first.verify([VerifierKey(origin, signer.public)])
    with log.database.reading() as connection:
        assert (first.size, first.root) == (3, log.root(connection, 3))
        assert log.latest_checkpoint(connection) == first
        assert log.unsigned_tail(connection) == 0
    fill(log, 2, start=3)
    with log.database.reading() as connection:
        assert log.unsigned_tail(connection) == 2
    assert log.checkpoint(signer, origin).size == 5


def test_checkpoints_signed_at_once_are_one(log, signer, origin):
    fill(log, 3)
    with log.database.reading() as connection:
        fresh = sign_checkpoint(origin, 3, log.root(connection, 3), signer)
    together = threading.Barrier(4)

    def keep(_):
        together.wait()
        with log.database.writing() as connection:
            return writing.store_checkpoint(connection, fresh)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(keep, range(4))) == {fresh}


@postgresql_only
def test_a_checkpoint_that_came_first_counts_or_is_a_fork(log, signer, origin):
    fill(log, 3)
    with log.database.reading() as connection:
        right = sign_checkpoint(origin, 3, log.root(connection, 3), signer)
    other = sign_checkpoint(origin, 3, bytes(32), signer)
    with ThreadPoolExecutor(1) as pool:
        with log.database.writing() as connection:
            writing.store_checkpoint(connection, right)
            late = pool.submit(_keep_in_its_own, log, other)
            with pytest.raises(TimeoutError):
                late.result(0.3)  # it waits for what is not committed yet
        with pytest.raises(LogForked):
            late.result(30)


def _keep_in_its_own(log, checkpoint):
    with log.database.writing() as connection:
        return writing.store_checkpoint(connection, checkpoint)


def test_an_empty_log_is_not_signed(log, signer, origin):
    with pytest.raises(LogUnusable, match="empty"):
        log.checkpoint(signer, origin)


def test_a_proof_file_stands_on_its_own(log, signer, origin):
    fill(log, 300)
    checkpoint = log.checkpoint(signer, origin)

    with log.database.reading() as connection:
        text = log.proof(connection, 257, checkpoint).text

    proof = LogProof.parse(text)
    proof.verify_inclusion()
    assert Leaf.parse(proof.body).id == record_id(257)


def test_one_prover_gives_the_same_proofs_as_many(log, signer, origin):
    fill(log, 300)
    checkpoint = log.checkpoint(signer, origin)

    with log.database.reading() as connection:
        prove = log.prover(connection, checkpoint)
        for index in (0, 1, 255, 256, 299, 0):
            assert prove(index) == log.proof(connection, index, checkpoint)
            prove(index).verify_inclusion()


ROW = "INTO log_entry (idx, leaf_hash, body) SELECT {}, leaf_hash, body FROM log_entry WHERE idx = 0"
GUARDED = {
    "update": "UPDATE log_entry SET body = body WHERE idx = 1",
    "delete": "DELETE FROM log_entry WHERE idx = 2",
    "delete all": "DELETE FROM log_entry",
    "gap": f"INSERT {ROW.format(300)}",
    "fork": f"INSERT {ROW.format(1)}",
    "negative": f"INSERT {ROW.format(-1)}",
    "tile": "UPDATE log_tile SET root = hashes",
    "tile gone": "DELETE FROM log_tile",
    "checkpoint": "UPDATE log_checkpoint SET size = 2",
    "checkpoint gone": "DELETE FROM log_checkpoint",
}
SQLITE_ONLY = {
    "replace": f"INSERT OR REPLACE {ROW.format(1)}",
    "replace the last": f"REPLACE {ROW.format(256)}",
    "replace a tile": "INSERT OR REPLACE INTO log_tile SELECT level, idx, hashes, root FROM log_tile",
    "replace a checkpoint": "INSERT OR REPLACE INTO log_checkpoint SELECT size, note, root FROM log_checkpoint",
    "ignore a gap": f"INSERT OR IGNORE {ROW.format(300)}",
    "update or replace": "UPDATE OR REPLACE log_entry SET idx = 1 WHERE idx = 2",
    "upsert": f"INSERT {ROW.format(1)} ON CONFLICT DO UPDATE SET body = x'00'",
    "drop a guard": "DROP TRIGGER log_entry_no_update",
    "drop a table": "DROP TABLE log_checkpoint",
    "rename a table": "ALTER TABLE log_entry RENAME TO other",
    "write the schema": "PRAGMA writable_schema = ON",
    "write the schema, aloud": "PRAGMA Writable_SCHEMA = ON",
}
POSTGRESQL_ONLY = {
    "truncate": "TRUNCATE log_entry",
    "truncate all": "TRUNCATE log_entry, log_tile, log_checkpoint CASCADE",
    "upsert": f"INSERT {ROW.format(1)} ON CONFLICT (idx) DO UPDATE SET body = ''",
    "as a replica": "SET session_replication_role = replica; DELETE FROM log_entry",
}


def refused(log: LogStore, signer, origin, statement: str) -> None:
    fill(log, 257)
    log.checkpoint(signer, origin)
    with log.database.reading() as connection:
        before = log.root(connection, 257), log.latest_checkpoint(connection)

    with pytest.raises(DatabaseFailed), log.database.writing() as connection:
        connection.exec_driver_sql(statement)

    with log.database.reading() as connection:
        assert (log.root(connection, 257), log.latest_checkpoint(connection)) == before
        assert log.audit(connection).ok
        assert log.missing_guards(connection) == []


@pytest.mark.parametrize("statement", GUARDED.values(), ids=GUARDED)
def test_the_database_refuses_to_change_the_log(log, signer, origin, statement):
    refused(log, signer, origin, statement)


@sqlite_only
@pytest.mark.parametrize("statement", SQLITE_ONLY.values(), ids=SQLITE_ONLY)
def test_sqlite_refuses_its_own_ways_around(log, signer, origin, statement):
    refused(log, signer, origin, statement)


@postgresql_only
@pytest.mark.parametrize("statement", POSTGRESQL_ONLY.values(), ids=POSTGRESQL_ONLY)
def test_postgresql_refuses_its_own_ways_around(log, signer, origin, statement):
    refused(log, signer, origin, statement)


def test_guards_that_are_gone_or_empty_are_named(log):
    with log.database.reading() as connection:
        assert log.missing_guards(connection) == []
    if log.database.is_sqlite:
        unguarded(
            log.database,
            "CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry BEGIN SELECT 1; END",
        )
        missing = 13
    else:
        with log.database.writing() as connection:
            connection.execute(text("DROP TRIGGER log_entry_no_change ON log_entry"))
            connection.execute(text("ALTER TABLE log_tile ENABLE TRIGGER log_tile_no_change"))
            connection.execute(text("DROP TRIGGER record_no_change ON record"))
            connection.execute(text("DROP TRIGGER record_no_truncate ON record"))
        missing = 4

    with log.database.reading() as connection:
        named = log.missing_guards(connection)

    assert len(named) == missing
    assert all("log_" in sentence or "record_" in sentence for sentence in named)
    assert any("record_no_" in sentence for sentence in named)


@sqlite_only
def test_guards_in_a_file_are_advisory(log):
    with log.database.reading() as connection:
        assert advisory(connection)


@postgresql_only
def test_guards_bind_a_role_that_does_not_own_the_tables(log):
    fill(log, 1)
    role = f"app{record_id(uuid.uuid4().int)[7:15]}"
    with log.database.writing() as connection:
        assert advisory(connection)
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"GRANT SELECT, INSERT ON log_entry, log_tile, log_checkpoint, log_pending TO {role}"))
        connection.execute(text(f"GRANT DELETE ON log_pending TO {role}"))
    try:
        with log.database.writing() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            assert not advisory(connection)
            log.append(connection, kind=RECORD, id=record_id(1), pae=pae(1), now=NOW)
            assert sequencer.take_batch(connection, 10) == 1
        with pytest.raises(DatabaseFailed, match="must be owner"), log.database.writing() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            connection.execute(text("ALTER TABLE log_entry DISABLE TRIGGER ALL"))
    finally:
        with log.database.writing() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


TAMPERED = {
    "another body": ("UPDATE log_entry SET body = (SELECT body FROM log_entry WHERE idx = 7) WHERE idx = 5", "entry 5"),
    "body and hash": (
        "UPDATE log_entry SET body = (SELECT body FROM log_entry WHERE idx = 7), "
        "leaf_hash = (SELECT leaf_hash FROM log_entry WHERE idx = 7) WHERE idx = 5",
        "checkpoint 300",
    ),
    "truncated tail": ("DELETE FROM log_entry WHERE idx > 290", "the end is missing"),
    "gap": ("DELETE FROM log_entry WHERE idx = 100", "entry 101 stands where entry 100 belongs"),
    "tile": ("UPDATE log_tile SET hashes = root", "tile 0/0"),
    "tile gone": ("DELETE FROM log_tile", "tile 0/0 is missing"),
    "tile too many": ("INSERT INTO log_tile SELECT level, 7, root, hashes FROM log_tile", "2 full tiles where"),
    "checkpoint moved": ("UPDATE log_checkpoint SET size = 299", "checkpoint 299"),
    "note changed": ("UPDATE log_checkpoint SET note = root", "checkpoint 300"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_an_audit_finds_what_an_administrator_changed(log, signer, origin, name):
    fill(log, 300)
    log.checkpoint(signer, origin)
    statement, expected = TAMPERED[name]
    trust = [VerifierKey(origin, signer.public)]
    with log.database.reading() as connection:
        clean = log.audit(connection, trust)
    assert (clean.ok, clean.size, clean.checkpoints, clean.unknown_signers, clean.unsigned_tail) == (True, 300, 1, 0, 0)

    unguarded(log.database, statement)

    with log.database.reading() as connection:
        findings = log.audit(connection, trust).findings
    assert any(expected in finding for finding in findings), findings


CHAIN = {
    "time going backwards": ({"time": "2026-11-19T12:00:00.000Z"}, "entry 5: its time"),
    "another key record": ({"keys": 3}, "entry 5: it names key record 3 where 0 was in force"),
}


@pytest.mark.parametrize("name", CHAIN)
def test_an_audit_finds_entries_that_do_not_follow_their_neighbours(log, name):
    """Whoever holds the signing key can rewrite bodies, hashes and checkpoints; the order of time and keys remains."""
    fill(log, 10)
    change, expected = CHAIN[name]
    with log.database.reading() as connection:
        body = replace(log.entry(connection, 5), **change).body
    literal = "X'{}'" if log.database.is_sqlite else "'\\x{}'::bytea"
    values = [literal.format(value.hex()) for value in (body, merkle.leaf_hash(body))]

    unguarded(log.database, "UPDATE log_entry SET body = {}, leaf_hash = {} WHERE idx = 5".format(*values))

    with log.database.reading() as connection:
        findings = log.audit(connection).findings
    assert findings[0].startswith(expected)


def test_an_audit_says_when_a_stranger_signed(log, signer, origin, tmp_path):
    fill(log, 2)
    log.checkpoint(signer, origin)
    stranger = FileSigner.create(tmp_path / "other.pem")

    with log.database.reading() as connection:
        assert log.audit(connection).unknown_signers == 1
        report = log.audit(connection, [VerifierKey(origin, stranger.public)])

    assert (report.unknown_signers, report.ok) == (1, True)


def test_nothing_is_appended_or_signed_after_the_tail_was_cut(log, signer, origin):
    fill(log, 10)
    log.checkpoint(signer, origin)
    unguarded(log.database, "DELETE FROM log_entry WHERE idx >= 8")

    with pytest.raises(LogTruncated, match="8 entries but once signed a checkpoint over 10"):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=record_id(8), pae=pae(8), now=NOW)
        log.sequence()
    with pytest.raises(LogTruncated):
        log.checkpoint(signer, origin)


def test_a_rewritten_past_is_never_signed_again(log, signer, origin):
    fill(log, 10)
    log.checkpoint(signer, origin)
    fill(log, 2, start=10)
    unguarded(
        log.database, "UPDATE log_entry SET leaf_hash = (SELECT leaf_hash FROM log_entry WHERE idx = 3) WHERE idx = 4"
    )

    with pytest.raises(LogForked, match="size 10"):
        log.checkpoint(signer, origin)


def test_one_size_never_gets_two_roots(log, signer, origin):
    fill(log, 4)
    log.checkpoint(signer, origin)
    forged = sign_checkpoint(origin, 4, b"\x00" * 32, signer)

    unguarded(log.database, "DELETE FROM log_entry WHERE idx = 3")
    fill_forged = Checkpoint.parse(forged.note)

    with pytest.raises(LogForked), log.database.writing() as connection:
        writing.store_checkpoint(connection, fill_forged)


def _append_many(url: str, lock: str, first: int, count: int) -> None:
    log = LogStore(Database(url, lock=lock, protect=protect))
    for n in range(first, first + count):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=record_id(n), pae=pae(n), now=at(n % 60))


def test_sixteen_processes_append_at_once(tmp_path):
    url, lock = f"sqlite:///{tmp_path}/mintmark.db", tmp_path / "writer.lock"
    log = LogStore(Database(url, lock=lock, protect=protect))
    with log.database.writing() as connection:
        upgrade(connection, "registry.catalog:migrations", None)
    fill(log, 1)
    log.database.dispose()
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_append_many, args=(url, lock, 1 + 20 * n, 20)) for n in range(16)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 16
    with log.database.reading() as connection:
        report = log.audit(connection)
        assert (report.size, report.findings) == (321, ())
        assert {log.index_of(connection, record_id(n)) for n in range(321)} == set(range(321))


@postgresql_only
def test_two_sequencers_give_every_record_one_place(log):
    fill(log, 1)
    with log.database.writing() as connection:
        for n in range(1, 301):
            log.append(connection, kind=RECORD, id=record_id(n), pae=pae(n), now=NOW)
    added = []

    def run() -> None:
        for _ in range(200):
            added.append(log.sequence(7))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(added) == 300
    with log.database.reading() as connection:
        report = log.audit(connection)
        assert (report.size, report.findings, log.pending(connection)) == (301, (), 0)


@postgresql_only
def test_a_record_committed_behind_a_sequencer_s_back_is_settled(log):
    """The sequencer took its batch before the record was committed, and the record's own call finds it at work."""
    fill(log, 1)
    with log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=record_id(1), pae=pae(1), now=NOW)
    settled = []
    with log.database.writing() as busy:
        assert sequencer.take_batch(busy, 10) == 1
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=record_id(2), pae=pae(2), now=NOW)
        assert log.settle(record_id(2), patience=0.02) is None
        waiting = threading.Thread(target=lambda: settled.append(log.settle(record_id(2))))
        waiting.start()
    waiting.join()

    assert settled == [2]


@postgresql_only
def test_a_second_sequencer_steps_back_while_one_works(log):
    fill(log, 1)
    with log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=record_id(1), pae=pae(1), now=NOW)

    with log.database.writing() as connection:
        assert sequencer.take_batch(connection, 10) == 1
        assert log.sequence() == 0
    assert log.sequence() == 0

    with log.database.reading() as connection:
        assert log.size(connection) == 2
