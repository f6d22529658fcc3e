import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.database import Database
from registry.log import merkle, sequencer, writing
from registry.log.checkpoint import VerifierKey, sign_checkpoint
from registry.log.errors import LeafRefused, LogForked, LogUnusable, NewerLeaf
from registry.log.guards import protect
from registry.log.leaf import LONGEST, Leaf
from registry.log.proof import LogProof
from registry.log.store import LogStore
from registry.migrating import upgrade

NOW = "2026-11-20T12:00:00.000Z"
KEYS, RECORD = "key", "generation"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database", [pytest.param("postgresql")], indirect=True)


def at(second: int) -> str:
    return f"2026-11-20T12:{second // 60:02d}:{second % 60:02d}.000Z"


def test_entries_follow_each_other_and_are_found_by_id(log, entries):
    entries.fill(log, 5)

    with log.database.reading() as connection:
        assert log.size(connection) == 5
        assert [log.index_of(connection, entries.id(n)) for n in range(5)] == [0, 1, 2, 3, 4]
        assert log.index_of(connection, entries.id(99)) is None
        assert log.entry(connection, 3) == Leaf(RECORD, entries.id(3), entries.pae(3), 0, NOW)
        with pytest.raises(LogUnusable, match="no entry 5"):
            log.entry(connection, 5)


def test_an_index_comes_with_the_record_or_with_the_sequencer(log, entries):
    with log.database.writing() as connection:
        index = log.append(connection, kind=KEYS, id=entries.id(0), pae=entries.pae(0), now=NOW)

    if log.database.is_sqlite:
        assert (index, log.sequence()) == (0, 0)
    else:
        with log.database.reading() as connection:
            assert (index, log.size(connection), log.pending(connection)) == (None, 0, 1)
        assert (log.sequence(), log.sequence()) == (1, 0)
    with log.database.reading() as connection:
        assert (log.size(connection), log.pending(connection)) == (1, 0)


def test_what_is_rolled_back_was_never_in_the_log(log, entries):
    entries.fill(log, 3)

    with pytest.raises(ZeroDivisionError), log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=entries.id(3), pae=entries.pae(3), now=NOW)
        raise ZeroDivisionError
    log.sequence()

    with log.database.reading() as connection:
        assert log.size(connection) == 3
        assert log.index_of(connection, entries.id(3)) is None


def test_the_first_entry_is_a_key_record(log, entries):
    with pytest.raises(LogUnusable, match="key record"):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=entries.id(1), pae=entries.pae(1), now=NOW)
        log.sequence()


def test_every_entry_names_the_key_record_in_force(log, entries):
    with log.database.writing() as connection:
        for n, kind in enumerate([KEYS, RECORD, RECORD, KEYS, RECORD, KEYS, KEYS, RECORD]):
            log.append(connection, kind=kind, id=entries.id(n), pae=entries.pae(n), now=NOW)
    log.sequence(3)
    while log.sequence(3):
        pass

    with log.database.reading() as connection:
        # A key record is signed under the one before it.
        assert [log.entry(connection, n).keys for n in range(8)] == [0, 0, 0, 0, 3, 3, 5, 6]


def test_time_never_goes_backwards(log, entries):
    with log.database.writing() as connection:
        for n, second in enumerate([5, 9, 2, 8, 11]):
            log.append(
                connection, kind=KEYS if n == 0 else RECORD, id=entries.id(n), pae=entries.pae(n), now=at(second)
            )
    log.sequence()

    with log.database.reading() as connection:
        assert [log.entry(connection, n).time for n in range(5)] == [at(5), at(9), at(9), at(9), at(11)]


@pytest.mark.parametrize(
    "change",
    [{"id": "sha256:12"}, {"id": f"SHA256:{64 * 'A'}"}, {"pae": "x"}, {"now": "2026-11-20"}, {"kind": "Two words"}],
    ids=str,
)
def test_malformed_arguments_are_refused_at_the_door(log, change, entries):
    entries.fill(log, 1)

    with pytest.raises(LeafRefused), log.database.writing() as connection:
        log.append(connection, **{"kind": RECORD, "id": entries.id(1), "pae": entries.pae(1), "now": NOW} | change)


def test_the_longest_body_stays_within_its_limit(entries):
    assert len(Leaf("a" * 16, entries.id(0), entries.pae(0), 10**15, NOW).body) <= LONGEST


@settings(deadline=None)
@given(data=st.binary(max_size=300))
def test_other_bytes_are_no_entry(data):
    with pytest.raises(LeafRefused):
        Leaf.parse(data)


def test_other_spellings_and_newer_versions_of_an_entry_are_told_apart(entries):
    body = Leaf(RECORD, entries.id(0), entries.pae(0), 0, NOW).body

    assert Leaf.parse(body).body == body
    for bent in (body.replace(b":", b": "), body.replace(b'"keys":0', b'"keys":00'), body + b" ", body[:-1]):
        with pytest.raises(LeafRefused):
            Leaf.parse(bent)
    with pytest.raises(NewerLeaf):
        Leaf.parse(body.replace(b'"v":1', b'"v":2'))


def test_roots_and_proofs_agree_with_the_entries(log, entries):
    """600 entries: two full tiles, a partial one, and a partial one above; proofs at every kind of size."""
    entries.fill(log, 600, batch=250)
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


def test_a_checkpoint_is_signed_once_per_size_and_kept(log, signer, origin, entries):
    entries.fill(log, 3)

    first = log.checkpoint(signer, origin)

    assert log.checkpoint(signer, origin) == first
    assert first.verify([VerifierKey(origin, signer.public)])
    with log.database.reading() as connection:
        assert (first.size, first.root) == (3, log.root(connection, 3))
        assert log.latest_checkpoint(connection) == first
        assert log.unsigned_tail(connection) == 0
    entries.fill(log, 2, start=3)
    with log.database.reading() as connection:
        assert log.unsigned_tail(connection) == 2
    assert log.checkpoint(signer, origin).size == 5


def test_checkpoints_signed_at_once_are_one(log, signer, origin, entries):
    entries.fill(log, 3)
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
def test_a_checkpoint_that_came_first_counts_or_is_a_fork(log, signer, origin, entries):
    entries.fill(log, 3)
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


def test_a_proof_file_stands_on_its_own(log, signer, origin, entries):
    entries.fill(log, 300)
    checkpoint = log.checkpoint(signer, origin)

    with log.database.reading() as connection:
        text = log.proof(connection, 257, checkpoint).text

    proof = LogProof.parse(text)
    proof.verify_inclusion()
    assert Leaf.parse(proof.body).id == entries.id(257)


def test_one_prover_gives_the_same_proofs_as_many(log, signer, origin, entries):
    entries.fill(log, 300)
    checkpoint = log.checkpoint(signer, origin)

    with log.database.reading() as connection:
        prove = log.prover(connection, checkpoint)
        for index in (0, 1, 255, 256, 299, 0):
            assert prove(index) == log.proof(connection, index, checkpoint)
            prove(index).verify_inclusion()


def _append_many(url: str, lock: str, entries, first: int, count: int) -> None:
    log = LogStore(Database(url, lock=lock, protect=protect))
    for n in range(first, first + count):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=entries.id(n), pae=entries.pae(n), now=at(n % 60))


def test_sixteen_processes_append_at_once(tmp_path, entries):
    url, lock = f"sqlite:///{tmp_path}/mintmark.db", tmp_path / "writer.lock"
    log = LogStore(Database(url, lock=lock, protect=protect))
    with log.database.writing() as connection:
        upgrade(connection, "registry.catalog:migrations", None)
    entries.fill(log, 1)
    log.database.dispose()
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=_append_many, args=(url, lock, entries, 1 + 20 * n, 20)) for n in range(16)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 16
    with log.database.reading() as connection:
        report = log.audit(connection)
        assert (report.size, report.findings) == (321, ())
        assert {log.index_of(connection, entries.id(n)) for n in range(321)} == set(range(321))


@postgresql_only
def test_two_sequencers_give_every_record_one_place(log, entries):
    entries.fill(log, 1)
    with log.database.writing() as connection:
        for n in range(1, 301):
            log.append(connection, kind=RECORD, id=entries.id(n), pae=entries.pae(n), now=NOW)
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
def test_a_record_committed_behind_a_sequencer_s_back_is_settled(log, entries):
    """The sequencer took its batch before the record was committed, and the record's own call finds it at work."""
    entries.fill(log, 1)
    with log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=entries.id(1), pae=entries.pae(1), now=NOW)
    settled = []
    with log.database.writing() as busy:
        assert sequencer.take_batch(busy, 10) == 1
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=entries.id(2), pae=entries.pae(2), now=NOW)
        assert log.settle(entries.id(2), patience=0.02) is None
        waiting = threading.Thread(target=lambda: settled.append(log.settle(entries.id(2))))
        waiting.start()
    waiting.join()

    assert settled == [2]


@postgresql_only
def test_a_second_sequencer_steps_back_while_one_works(log, entries):
    entries.fill(log, 1)
    with log.database.writing() as connection:
        log.append(connection, kind=RECORD, id=entries.id(1), pae=entries.pae(1), now=NOW)

    with log.database.writing() as connection:
        assert sequencer.take_batch(connection, 10) == 1
        assert log.sequence() == 0
    assert log.sequence() == 0

    with log.database.reading() as connection:
        assert log.size(connection) == 2
