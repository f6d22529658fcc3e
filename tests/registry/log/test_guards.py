"""What the database itself refuses to do to the log."""

import uuid

import pytest
from sqlalchemy import text

from registry.database import DatabaseFailed
from registry.log import sequencer
from registry.log.guards import advisory
from registry.log.store import LogStore

NOW = "2026-11-20T12:00:00.000Z"
RECORD = "generation"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database", [pytest.param("postgresql")], indirect=True)
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


def refused(log: LogStore, signer, origin, statement: str, entries) -> None:
    entries.fill(log, 257)
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
def test_the_database_refuses_to_change_the_log(log, signer, origin, statement, entries):
    refused(log, signer, origin, statement, entries)


@sqlite_only
@pytest.mark.parametrize("statement", SQLITE_ONLY.values(), ids=SQLITE_ONLY)
def test_sqlite_refuses_its_own_ways_around(log, signer, origin, statement, entries):
    refused(log, signer, origin, statement, entries)


@postgresql_only
@pytest.mark.parametrize("statement", POSTGRESQL_ONLY.values(), ids=POSTGRESQL_ONLY)
def test_postgresql_refuses_its_own_ways_around(log, signer, origin, statement, entries):
    refused(log, signer, origin, statement, entries)


def test_guards_that_are_gone_or_empty_are_named(log, unguarded):
    with log.database.reading() as connection:
        assert log.missing_guards(connection) == []
    if log.database.is_sqlite:
        unguarded(
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
def test_guards_bind_a_role_that_does_not_own_the_tables(log, entries):
    entries.fill(log, 1)
    role = f"app{entries.id(uuid.uuid4().int)[7:15]}"
    with log.database.writing() as connection:
        assert advisory(connection)
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"GRANT SELECT, INSERT ON log_entry, log_tile, log_checkpoint, log_pending TO {role}"))
        connection.execute(text(f"GRANT DELETE ON log_pending TO {role}"))
    try:
        with log.database.writing() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            assert not advisory(connection)
            log.append(connection, kind=RECORD, id=entries.id(1), pae=entries.pae(1), now=NOW)
            assert sequencer.take_batch(connection, 10) == 1
        with pytest.raises(DatabaseFailed, match="must be owner"), log.database.writing() as connection:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            connection.execute(text("ALTER TABLE log_entry DISABLE TRIGGER ALL"))
    finally:
        with log.database.writing() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
