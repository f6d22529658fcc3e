"""What keeps the database itself from changing the log, and how to see that it still does.

Triggers stop mistakes and ordinary statements. Whoever owns the database can
drop them: that shows only against checkpoints kept elsewhere.
"""

import sqlite3

from sqlalchemy import Connection, text

TABLES = ("log_entry", "log_tile", "log_checkpoint")
_GUARDED = (*TABLES, "record")  # the catalog's own migration makes the guards of records
_PROTECTED = frozenset(_GUARDED)

# name -> a piece of its definition that a guard without effect would lack
_SQLITE = {f"{table}_no_{verb}": "RAISE(ABORT" for table in _GUARDED for verb in ("update", "delete", "replace")} | {
    "log_entry_contiguous": "MAX(idx)"
}
_POSTGRESQL = {f"{table}_no_{verb}": "RAISE EXCEPTION" for table in _GUARDED for verb in ("change", "truncate")} | {
    "log_entry_contiguous": "max(idx)"
}


def protect(connection: sqlite3.Connection) -> None:
    """Deny this connection to drop or alter what the log rests on, and to write the schema by hand."""
    connection.set_authorizer(_authorize)


def missing_guards(connection: Connection) -> list[str]:
    """What is wrong with the guards, one sentence each; empty when all stand."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        found = {name: (sql, True) for name, sql in rows}
        expected = _SQLITE
    else:
        rows = connection.execute(
            text(
                "SELECT t.tgname, p.prosrc, t.tgenabled = 'A' FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
        )
        found = {name: (source, always) for name, source, always in rows}
        expected = _POSTGRESQL
    return [why for name, needle in expected.items() if (why := _fault(name, needle, found.get(name)))]


def advisory(connection: Connection) -> bool:
    """Whether the program's own role could drop the guards, so that they stop mistakes only.

    True on SQLite, where whoever can write the file can change all of it.
    """
    if connection.dialect.name == "sqlite":
        return True
    owner = text("SELECT bool_or(pg_has_role(relowner, 'MEMBER')) FROM pg_class WHERE oid = to_regclass('log_entry')")
    return bool(connection.execute(owner).scalar())


def _fault(name: str, needle: str, found: tuple[str, bool] | None) -> str | None:
    if found is None:
        return f"guard {name} is missing"
    definition, always = found
    if needle not in definition:
        return f"guard {name} was replaced by one without effect"
    return None if always else f"guard {name} is not enabled for every session"


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    denied = (
        (action == sqlite3.SQLITE_DROP_TRIGGER and second in _PROTECTED)
        or (action == sqlite3.SQLITE_DROP_TABLE and first in _PROTECTED)
        or (action == sqlite3.SQLITE_ALTER_TABLE and second in _PROTECTED)
        or (action == sqlite3.SQLITE_PRAGMA and str(first).lower() == "writable_schema" and second is not None)
    )
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
