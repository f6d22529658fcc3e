"""Keeps records and finds them again by id, digest, exchange or what they speak of."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, LargeBinary, bindparam, delete, func, insert, literal, or_, select, text
from sqlalchemy.sql import Select

from registry.canonical import JSON, parse
from registry.catalog.tables import about, asset, erasure_intent, generation, label, lineage, record
from registry.database import Database, Protect, all_rows, insert_rows, raw
from registry.digest import Digest
from registry.errors import AmbiguousPrefix, Corrupted, InvalidValue, NotFound
from registry.manifest import Manifest, id_of, one_line

HEAD = "0003_journal"
SHORTEST_PREFIX = 8  # hex digits of an id

# What every look-up asks. Built once: SQLAlchemy then finds the compiled form by one key instead of walking the tree.
_GET = select(record.c.id, record.c.kind, record.c.body, record.c.keyid, record.c.signature).where(
    record.c.id == bindparam("id")
)
_ORIGIN = select(generation.c.id, generation.c.replay_of).where(generation.c.id == bindparam("id"))
_ORIGINS = select(generation.c.id, generation.c.replay_of).where(generation.c.id.in_(bindparam("ids", expanding=True)))
_USES = {
    algorithm: select(asset.c.manifest, asset.c.direction, asset.c.position, asset.c.role)
    .join(generation, generation.c.id == asset.c.manifest)
    .where(column == bindparam("hex"))
    .order_by(asset.c.direction.desc(), generation.c.replay_of.is_not(None), generation.c.recorded_at)
    .limit(1000)
    for algorithm, column in (("sha256", asset.c.sha256), ("blake3", asset.c.blake3))
}
_ADD_RECORD, _ADD_GENERATION, _ADD_ASSETS, _ADD_LABELS = (
    insert(record),
    insert(generation),
    insert(asset),
    insert(label),
)
_COUNT = select(func.count()).select_from(generation)
_COUNT_NEWER = text("SELECT count(*), max(rowid) FROM generation WHERE rowid > :last")  # SQLite


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it lies in the catalog: canonical bytes and the signature over its statement."""

    id: str
    kind: str
    body: bytes
    keyid: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Use:
    """Where an asset occurs: as input or output number ``position`` of a manifest."""

    manifest: str
    direction: str
    position: int
    role: str


class Catalog:
    """Records and the tables derived from them. tests/registry/catalog/test_store.py runs it on every database.

    Methods that take a connection take part in the caller's transaction.
    """

    def __init__(self, url: str | URL, *, lock: Path | None = None, protect: Protect | None = None) -> None:
        self.database = Database(url, lock=lock, protect=protect)
        self._counting = threading.Lock()
        self._counted = (0, 0)  # generations, and the rowid of the newest of them

    def migrate(self) -> None:
        """Bring the tables up to date."""
        self.database.migrate("registry.catalog:migrations", HEAD)

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()

    # --- writing

    def insert(self, connection: Connection, stored: StoredRecord) -> None:
        """Add a record; its derived rows are added by ``insert_generation`` or ``insert_about``."""
        row = {
            "id": stored.id,
            "kind": stored.kind,
            "body": stored.body,
            "keyid": stored.keyid,
            "signature": stored.signature,
        }
        insert_rows(connection, _ADD_RECORD, [row])

    def insert_generation(self, connection: Connection, manifest_id: str, manifest: Manifest, draft_mac: bytes) -> None:
        """Add what makes a manifest findable; sealed values stay out."""
        workflow = manifest.context.workflow
        row = {
            "id": manifest_id,
            "recorded_at": manifest.recorded_at,
            "operation": manifest.operation,
            "provider": manifest.provider.name,
            "model": manifest.model.requested,
            "workflow": workflow if isinstance(workflow, str) else None,
            "outcome": manifest.outcome.class_,
            "request_id": manifest.outcome.request_id,
            "job_id": manifest.outcome.job_id,
            "exchange_id": manifest.recorder.exchange_id,
            "draft_mac": draft_mac,
            "replay_of": manifest.replay_of,
            "outputs": len(manifest.outputs),
        }
        insert_rows(connection, _ADD_GENERATION, [row])
        if assets := list(_asset_rows(manifest_id, manifest)):
            insert_rows(connection, _ADD_ASSETS, assets)
        if labels := [
            {"manifest": manifest_id, "key": key, "tag": False, "value": value}
            for key, value in manifest.labels.items()
            if isinstance(value, str)
        ]:
            insert_rows(connection, _ADD_LABELS, labels)
        if parents := {(parent.id, parent.relation) for parent in manifest.parents}:
            rows = [{"child": manifest_id, "parent": parent, "relation": relation} for parent, relation in parents]
            connection.execute(insert(lineage), rows)

    def insert_about(
        self, connection: Connection, record_id: str, kind: str, recorded_at: str, manifests: Iterable[str]
    ) -> None:
        """Note which manifests a drift, review, annotation or erasure record speaks of."""
        rows = [
            {"record": record_id, "manifest": manifest, "kind": kind, "recorded_at": recorded_at}
            for manifest in sorted(set(manifests))
        ]
        connection.execute(insert(about), rows)

    def set_tags(self, connection: Connection, manifest: str, tags: Mapping[str, str | None]) -> None:
        """Let later tags replace earlier ones of the same key; None takes a tag away."""
        for key, value in tags.items():
            here = (label.c.manifest == manifest) & (label.c.key == key) & label.c.tag
            connection.execute(delete(label).where(here))
            if value is not None:
                connection.execute(insert(label), {"manifest": manifest, "key": key, "tag": True, "value": value})

    # --- reading

    def get(self, record_id: str) -> StoredRecord:
        """The record of that id.

        Raises:
            NotFound: there is none.
            Corrupted: its bytes no longer give its id.
        """
        with self.database.reading() as connection:
            rows = all_rows(connection, _GET, {"id": record_id})
        if not rows:
            raise NotFound("record", record_id)
        ((found, kind, stored, keyid, signature),) = rows
        body = raw(stored)
        if (actual := id_of(body)) != record_id:
            raise Corrupted(f"the record {record_id}", expected=record_id, actual=actual)
        return StoredRecord(found, kind, body, keyid, raw(signature))

    def has(self, record_id: str) -> bool:
        """Whether there is such a record."""
        with self.database.reading() as connection:
            return connection.execute(select(record.c.id).where(record.c.id == record_id)).first() is not None

    def manifest(self, manifest_id: str) -> Manifest:
        """The manifest of that id.

        Raises:
            NotFound: there is none, or the record is of another kind.
            Corrupted: as ``get``.
        """
        stored = self.get(manifest_id)
        if stored.kind != "generation":
            raise NotFound("generation", manifest_id, f"that record is of kind {stored.kind}")
        return Manifest.trusted(stored.body)

    def exchange(self, exchange_id: str, connection: Connection | None = None) -> tuple[str, bytes] | None:
        """Manifest id and draft MAC of an exchange; None where it is new."""
        query = select(generation.c.id, generation.c.draft_mac).where(generation.c.exchange_id == exchange_id)
        if connection is not None:
            row = connection.execute(query).first()
        else:
            with self.database.reading() as own:
                row = own.execute(query).first()
        return None if row is None else (row.id, bytes(row.draft_mac))

    def resolve(self, name: str, *, kind: str | None = "generation") -> str:
        """The full id behind ``@last``, an id, or an unambiguous prefix of 8 hex digits and more.

        Raises:
            NotFound, AmbiguousPrefix, InvalidValue.
        """
        if name == "@last":
            return self._last()
        digits = name.removeprefix("sha256:")
        if len(digits) < SHORTEST_PREFIX or len(digits) > 64 or set(digits) - set("0123456789abcdef"):
            raise InvalidValue("id", name, "an id, a prefix of 8 hexadecimal digits or more, or @last")
        first, after = f"sha256:{digits}", f"sha256:{digits}g"  # "g" sorts behind every hex digit
        query = select(record.c.id).where(record.c.id >= first, record.c.id < after).limit(20)
        if kind is not None:
            query = query.where(record.c.kind == kind)
        with self.database.reading() as connection:
            found = list(connection.execute(query).scalars())
        if not found:
            raise NotFound(kind or "record", name)
        if len(found) > 1:
            raise AmbiguousPrefix(name, len(found))
        return str(found[0])

    def uses(self, digest: Digest) -> list[Use]:
        """Where an unsealed digest occurs: outputs before inputs, originals before replays, oldest first."""
        with self.database.reading() as connection:
            return [Use(*row) for row in all_rows(connection, _USES[digest.algorithm], {"hex": digest.hex})]

    def blake3_of(self, sha256: str) -> str | None:
        """The storage key of an unsealed SHA-256."""
        with self.database.reading() as connection:
            return connection.execute(select(asset.c.blake3).where(asset.c.sha256 == sha256).limit(1)).scalar()

    def by_call(self, name: str) -> list[str]:
        """Manifests whose request id or job id is ``name``."""
        kept = one_line(name)
        query = select(generation.c.id).where(or_(generation.c.request_id == kept, generation.c.job_id == kept))
        with self.database.reading() as connection:
            return list(connection.execute(query.order_by(generation.c.recorded_at).limit(100)).scalars())

    def about(self, manifest: str, kind: str | None = None) -> list[StoredRecord]:
        """Records that speak of a manifest, oldest first."""
        query = select(record).join(about, about.c.record == record.c.id).where(about.c.manifest == manifest)
        if kind is not None:
            query = query.where(about.c.kind == kind)
        return self._records(query.order_by(about.c.recorded_at, about.c.record))

    def replays(self, manifest: str) -> list[str]:
        """Ids of the replays of a manifest, oldest first."""
        query = select(generation.c.id).where(generation.c.replay_of == manifest)
        with self.database.reading() as connection:
            return list(connection.execute(query.order_by(generation.c.recorded_at, generation.c.id)).scalars())

    def relatives(self, manifest: str) -> list[tuple[str, str, str]]:
        """Edges of the lineage graph at a manifest: (child, parent, relation)."""
        here = or_(lineage.c.child == manifest, lineage.c.parent == manifest)
        query = select(lineage.c.child, lineage.c.parent, lineage.c.relation).where(here)
        with self.database.reading() as connection:
            return [(row.child, row.parent, row.relation) for row in connection.execute(query)]

    def tags(self, manifest: str) -> dict[str, str]:
        """The tags in force."""
        query = (
            select(label.c.key, label.c.value).where(label.c.manifest == manifest, label.c.tag).order_by(label.c.key)
        )
        with self.database.reading() as connection:
            return {row.key: row.value for row in connection.execute(query.order_by(label.c.key))}

    def each(self, ids: Sequence[str]) -> Iterator[StoredRecord]:
        """Records by id, in the order asked for; unknown ids are left out."""
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            found = {stored.id: stored for stored in self._records(select(record).where(record.c.id.in_(some)))}
            yield from (found[one] for one in some if one in found)

    def users(self, blake3: str) -> list[str]:
        """Manifests that use an asset by an unsealed digest."""
        with self.database.reading() as connection:
            return list(
                connection.execute(select(asset.c.manifest).where(asset.c.blake3 == blake3).distinct()).scalars()
            )

    def erasures(self) -> list[dict[str, JSON]]:
        """Every erasure record, each with its id."""
        found = self._records(select(record).where(record.c.kind == "erasure"))
        return [parse(one.body) | {"id": one.id} for one in found]

    def open_blake3(self, sha256: Sequence[str]) -> set[str]:
        """BLAKE3 of the unsealed assets of some SHA-256."""
        found: set[str] = set()
        with self.database.reading() as connection:
            for start in range(0, len(sha256), 500):
                some = asset.c.sha256.in_(sha256[start : start + 500])
                found.update(connection.execute(select(asset.c.blake3).where(some).distinct()).scalars())
        return found

    def stored_assets(self) -> set[str]:
        """BLAKE3 of every unsealed asset that a manifest names."""
        with self.database.reading() as connection:
            query = select(asset.c.blake3).where(asset.c.blake3.is_not(None)).distinct()
            return set(connection.execute(query).scalars())

    def mentions(self, text: str) -> bool:
        """Whether any record's bytes hold ``text`` (ASCII); reads every record."""
        needle = literal(text.encode(), LargeBinary)
        at = (
            func.instr(record.c.body, needle)
            if self.database.is_sqlite
            else func.position(needle.op("IN")(record.c.body))
        )
        query = select(record.c.id).where(at > 0).limit(1)
        with self.database.reading() as connection:
            return connection.execute(query).first() is not None

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those ids that are records."""
        with self.database.reading() as connection:
            found: set[str] = set()
            for start in range(0, len(ids), 500):
                here = record.c.id.in_(ids[start : start + 500])
                found |= set(connection.execute(select(record.c.id).where(here)).scalars())
            return found

    def records(self, connection: Connection) -> int:
        """How many records of every kind there are."""
        return int(connection.execute(select(func.count()).select_from(record)).scalar_one())

    def generations(self) -> int:
        """How many generations are recorded; on SQLite only what is new is counted, because none ever goes away."""
        with self.database.reading() as connection:
            if not self.database.is_sqlite:
                return int(connection.execute(_COUNT).scalar_one())
            with self._counting:
                count, last = self._counted
                ((more, newest),) = all_rows(connection, _COUNT_NEWER, {"last": last})
                self._counted = count + more, newest or last
                return self._counted[0]

    def replay_origins(self, manifests: Sequence[str]) -> dict[str, str | None]:
        """Manifest → what it is a replay of, for those that are generations."""
        with self.database.reading() as connection:
            if len(manifests) == 1:  # as after nearly every look-up
                return dict(all_rows(connection, _ORIGIN, {"id": manifests[0]}))
            found: dict[str, str | None] = {}
            for start in range(0, len(manifests), 500):
                rows = connection.execute(_ORIGINS, {"ids": list(manifests[start : start + 500])})
                found |= {row.id: row.replay_of for row in rows}
            return found

    def roots(self, manifests: Sequence[str]) -> dict[str, str]:
        """Manifest → the generation it began with: itself, or what it is a replay (of a replay …) of."""
        roots = {manifest: manifest for manifest in manifests}
        while origins := {
            root: origin for root, origin in self.replay_origins(sorted(set(roots.values()))).items() if origin
        }:
            roots = {manifest: origins.get(root, root) for manifest, root in roots.items()}
        return roots

    # --- erasure intents

    def add_intent(self, connection: Connection, intent: str, created_at: str, body: bytes) -> None:
        """Promise an erasure."""
        connection.execute(insert(erasure_intent), {"id": intent, "created_at": created_at, "body": body})

    def close_intent(self, connection: Connection, intent: str) -> None:
        """The promise is kept."""
        connection.execute(delete(erasure_intent).where(erasure_intent.c.id == intent))

    def intents(self) -> list[tuple[str, bytes]]:
        """Promises that are still open, oldest first."""
        query = select(erasure_intent.c.id, erasure_intent.c.body).order_by(erasure_intent.c.created_at)
        with self.database.reading() as connection:
            return [(row.id, bytes(row.body)) for row in connection.execute(query)]

    def _last(self) -> str:
        # Not a replay: who replays @last twice means the same generation both times.
        originals = select(generation.c.id).where(generation.c.replay_of.is_(None))
        newest = originals.order_by(generation.c.recorded_at.desc(), generation.c.id.desc()).limit(1)
        with self.database.reading() as connection:
            found = connection.execute(newest).scalar()
        if found is None:
            raise NotFound("generation", "@last", "nothing is recorded yet; `mintmark record FILE …` does")
        return str(found)

    def _records(self, query: Select[tuple[JSON, ...]]) -> list[StoredRecord]:
        with self.database.reading() as connection:
            return [
                StoredRecord(row.id, row.kind, raw(row.body), row.keyid, raw(row.signature))
                for row in connection.execute(query)
            ]


def _asset_rows(manifest_id: str, manifest: Manifest) -> Iterator[dict[str, JSON]]:
    for direction, assets in (("input", manifest.inputs), ("output", manifest.outputs)):
        for position, found in enumerate(assets):
            digests = found.digests
            yield {
                "manifest": manifest_id,
                "direction": direction,
                "position": position,
                "role": found.role,
                "sha256": digests.sha256 if digests else None,
                "blake3": digests.blake3 if digests else None,
                "media_type": found.media_type,
                "bytes": found.bytes,
            }
