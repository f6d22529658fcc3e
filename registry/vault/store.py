"""Keeps disclosures by record and pointer, and the registry's own secrets."""

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import URL, Column, LargeBinary, MetaData, String, Table, Text, and_, bindparam, delete, select, text

from registry.canonical import JSON, canonical, parse
from registry.database import Database, all_rows, insert_rows
from registry.sealing import Disclosure
from registry.times import now

HEAD = "0001_vault"

_metadata = MetaData()
_disclosure = Table(
    "disclosure",
    _metadata,
    Column("record", String(71), primary_key=True),
    Column("pointer", Text, primary_key=True),
    Column("salt", String(22), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("stored_at", String(24), nullable=False),
)
_secret = Table(
    "secret",
    _metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

_GET = (
    select(_disclosure.c.pointer, _disclosure.c.salt, _disclosure.c.value)
    .where(_disclosure.c.record == bindparam("record"))
    .order_by(_disclosure.c.pointer)
)

# Both databases speak this; SQLAlchemy has a construct of its own for each.
_KEEP = text(
    "INSERT INTO disclosure (record, pointer, salt, value, stored_at) "
    "VALUES (:record, :pointer, :salt, :value, :stored_at) ON CONFLICT DO NOTHING"
)
_MINT = text("INSERT INTO secret (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")


class Vault:
    """Disclosures at rest. tests/registry/vault/test_store.py states what every database owes."""

    def __init__(self, url: str | URL, *, lock: Path | None = None) -> None:
        self.database = Database(url, lock=lock)
        self.database.migrate("registry.vault:migrations", HEAD)

    def put(self, record: str, disclosures: Sequence[Disclosure]) -> None:
        """Keep the disclosures of one record, durably; keeping the same ones twice is no error."""
        if not disclosures:
            return
        stored_at = now()
        rows = [
            {
                "record": record,
                "pointer": found.pointer,
                "salt": found.salt,
                "value": canonical(found.value),
                "stored_at": stored_at,
            }
            for found in disclosures
        ]
        with self.database.writing() as connection:
            insert_rows(connection, _KEEP, rows)

    def get(self, record: str) -> list[Disclosure]:
        """The disclosures of a record that have not been erased, by pointer."""
        with self.database.reading() as connection:
            rows = all_rows(connection, _GET, {"record": record})
        return [Disclosure(pointer, salt, parse(value)) for pointer, salt, value in rows]

    def get_many(self, records: Sequence[str]) -> dict[str, list[Disclosure]]:
        """The disclosures of several records in one query."""
        answer: dict[str, list[Disclosure]] = {record: [] for record in records}
        found = _disclosure.c
        with self.database.reading() as connection:
            for start in range(0, len(records), 500):
                some = records[start : start + 500]
                for row in connection.execute(
                    select(_disclosure).where(found.record.in_(some)).order_by(found.pointer)
                ):
                    answer[row.record].append(Disclosure(row.pointer, row.salt, parse(row.value)))
        return answer

    def holding(self, pointer: str, value: JSON) -> list[str]:
        """Ids of the records whose seal at ``pointer`` opens to ``value``, oldest first."""
        found = _disclosure.c
        query = select(found.record).where(found.pointer == pointer, found.value == canonical(value))
        with self.database.reading() as connection:
            return list(connection.execute(query.order_by(found.stored_at, found.record)).scalars())

    def erase(self, places: Iterable[tuple[str, str]]) -> int:
        """Delete disclosures by record and pointer; returns how many there were."""
        count = 0
        with self.database.writing() as connection:
            for record, pointer in places:
                here = and_(_disclosure.c.record == record, _disclosure.c.pointer == pointer)
                count += connection.execute(delete(_disclosure).where(here)).rowcount
        return count

    def records(self, *, before: str) -> list[str]:
        """Ids of the records with disclosures stored before a time; the sweep looks for orphans among them."""
        query = select(_disclosure.c.record).where(_disclosure.c.stored_at < before).distinct()
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())

    def sealed_blake3(self) -> set[str]:
        """The storage keys behind every sealed digest that was not erased."""
        query = select(_disclosure.c.value).where(_disclosure.c.pointer.like("%/digest"))
        with self.database.reading() as connection:
            values = [parse(value) for value in connection.execute(query).scalars()]
        return {value["blake3"] for value in values if isinstance(value, dict) and "blake3" in value}

    def forget(self, records: Sequence[str]) -> None:
        """Delete all disclosures of records that were never committed."""
        with self.database.writing() as connection:
            for record in records:
                connection.execute(delete(_disclosure).where(_disclosure.c.record == record))

    def secret(self, name: str) -> bytes:
        """A 256-bit secret of this registry, minted when first asked for."""
        query = select(_secret.c.value).where(_secret.c.name == name)
        with self.database.reading() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            with self.database.writing() as connection:
                connection.execute(_MINT, {"name": name, "value": secrets.token_bytes(32)})
                found = connection.execute(query).scalar_one()  # another process may have been first
        return bytes(found)

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()
