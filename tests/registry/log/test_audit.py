"""What an audit finds, and what is never signed, after somebody changed the log."""

from dataclasses import replace

import pytest

from registry.keyfile import FileSigner
from registry.log import merkle, writing
from registry.log.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from registry.log.errors import LogForked, LogTruncated

NOW = "2026-11-20T12:00:00.000Z"
RECORD = "generation"
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
def test_an_audit_finds_what_an_administrator_changed(log, signer, origin, name, entries, unguarded):
    entries.fill(log, 300)
    log.checkpoint(signer, origin)
    statement, expected = TAMPERED[name]
    trust = [VerifierKey(origin, signer.public)]
    with log.database.reading() as connection:
        clean = log.audit(connection, trust)
    assert (clean.ok, clean.size, clean.checkpoints, clean.unknown_signers, clean.unsigned_tail) == (True, 300, 1, 0, 0)

    unguarded(statement)

    with log.database.reading() as connection:
        findings = log.audit(connection, trust).findings
    assert any(expected in finding for finding in findings), findings


CHAIN = {
    "time going backwards": ({"time": "2026-11-19T12:00:00.000Z"}, "entry 5: its time"),
    "another key record": ({"keys": 3}, "entry 5: it names key record 3 where 0 was in force"),
}


@pytest.mark.parametrize("name", CHAIN)
def test_an_audit_finds_entries_that_do_not_follow_their_neighbours(log, name, entries, unguarded):
    """Whoever holds the signing key can rewrite bodies, hashes and checkpoints; the order of time and keys remains."""
    entries.fill(log, 10)
    change, expected = CHAIN[name]
    with log.database.reading() as connection:
        body = replace(log.entry(connection, 5), **change).body
    literal = "X'{}'" if log.database.is_sqlite else "'\\x{}'::bytea"
    values = [literal.format(value.hex()) for value in (body, merkle.leaf_hash(body))]

    unguarded("UPDATE log_entry SET body = {}, leaf_hash = {} WHERE idx = 5".format(*values))

    with log.database.reading() as connection:
        findings = log.audit(connection).findings
    assert findings[0].startswith(expected)


def test_an_audit_says_when_a_stranger_signed(log, signer, origin, tmp_path, entries):
    entries.fill(log, 2)
    log.checkpoint(signer, origin)
    stranger = FileSigner.create(tmp_path / "other.pem")

    with log.database.reading() as connection:
        assert log.audit(connection).unknown_signers == 1
        report = log.audit(connection, [VerifierKey(origin, stranger.public)])

    assert (report.unknown_signers, report.ok) == (1, True)


def test_nothing_is_appended_or_signed_after_the_tail_was_cut(log, signer, origin, entries, unguarded):
    entries.fill(log, 10)
    log.checkpoint(signer, origin)
    unguarded("DELETE FROM log_entry WHERE idx >= 8")

    with pytest.raises(LogTruncated, match="8 entries but once signed a checkpoint over 10"):
        with log.database.writing() as connection:
            log.append(connection, kind=RECORD, id=entries.id(8), pae=entries.pae(8), now=NOW)
        log.sequence()
    with pytest.raises(LogTruncated):
        log.checkpoint(signer, origin)


def test_a_rewritten_past_is_never_signed_again(log, signer, origin, entries, unguarded):
    entries.fill(log, 10)
    log.checkpoint(signer, origin)
    entries.fill(log, 2, start=10)
    unguarded("UPDATE log_entry SET leaf_hash = (SELECT leaf_hash FROM log_entry WHERE idx = 3) WHERE idx = 4")

    with pytest.raises(LogForked, match="size 10"):
        log.checkpoint(signer, origin)


def test_one_size_never_gets_two_roots(log, signer, origin, entries, unguarded):
    entries.fill(log, 4)
    log.checkpoint(signer, origin)
    forged = sign_checkpoint(origin, 4, b"\x00" * 32, signer)

    unguarded("DELETE FROM log_entry WHERE idx = 3")
    fill_forged = Checkpoint.parse(forged.note)

    with pytest.raises(LogForked), log.database.writing() as connection:
        writing.store_checkpoint(connection, fill_forged)
