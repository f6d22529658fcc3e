"""Audits a whole registry: every log entry, tile and checkpoint, and every record against its entry."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from registry.canonical import parse
from registry.catalog.store import StoredRecord
from registry.home import Registry
from registry.keys import Snapshot, role_for
from registry.log.checkpoint import VerifierKey
from registry.log.errors import LogError
from registry.log.leaf import Leaf
from registry.manifest import id_of
from registry.signing import PAYLOAD_TYPE, output_subjects, pae, payload, verify_signature

BATCH = 500  # records at a time; memory stays constant


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found; ``faults`` are sentences, none when all is well."""

    entries: int
    checkpoints: int
    unsigned_tail: int
    faults: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing was changed."""
        return not self.faults


def audit(registry: Registry, trust: Sequence[VerifierKey] | None = None) -> Audit:
    """Check log and records.

    Args:
        registry: to be checked.
        trust: keys that should have signed; without them, checkpoints are recomputed but
            their signers are not held against anything.
    """
    with registry.catalog.database.reading() as connection:
        log = registry.log.audit(connection, trust or ())
        faults = list(log.findings) + registry.log.missing_guards(connection)
        if trust is not None and log.unknown_signers:
            faults.append(f"{log.unknown_signers} checkpoints are signed by no trusted key")
        snapshots: dict[int, Snapshot] = {}
        for start in range(0, log.size, BATCH):
            leaves = list(_leaves(registry.log.entries(connection, start, start + BATCH)))
            records = {found.id: found for found in registry.catalog.each([leaf.id for _, leaf in leaves])}
            for index, leaf in leaves:
                faults += _record_faults(index, leaf, records.get(leaf.id), snapshots)
        stored, logged = registry.catalog.records(connection), log.size + registry.log.pending(connection)
        if stored > logged:
            faults.append(f"{stored - logged} records lie in the catalog that never entered the log")
    return Audit(log.size, log.checkpoints, log.unsigned_tail, faults)


def _leaves(entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, Leaf]]:
    """What can be read; the log's own audit has named what cannot."""
    for index, body in entries:
        with suppress(LogError):
            yield index, Leaf.parse(body)


def _record_faults(
    index: int, leaf: Leaf, stored: StoredRecord | None, snapshots: dict[int, Snapshot]
) -> Iterator[str]:
    where = f"entry {index} ({leaf.kind} {leaf.id[7:19]})"
    if stored is None:
        yield f"{where}: the record is gone"
        return
    if id_of(stored.body) != stored.id:
        yield f"{where}: the record's bytes no longer give its id"
        return
    value = parse(stored.body)
    if value.get("format") != f"mintmark/{leaf.kind}/v1":
        yield f"{where}: logged as {leaf.kind}, its format is {str(value.get('format'))[:40]}"
        return
    if leaf.kind == "key":
        snapshots[index] = Snapshot.from_json(value)
    outputs = output_subjects(value) if stored.kind == "generation" else []
    signed = pae(PAYLOAD_TYPE, payload(stored.kind, stored.body, outputs))
    if stored.kind != leaf.kind or hashlib.sha256(signed).hexdigest() != leaf.pae:
        yield f"{where}: the record is not the one that was logged"
        return
    key = snapshots[leaf.keys].valid(stored.keyid, role_for(leaf.kind), index) if leaf.keys in snapshots else None
    if key is None:
        yield f"{where}: signed by a key that was not valid there"
        return
    try:
        verify_signature(key.public, signed, stored.signature)
    except LogError as problem:
        yield f"{where}: {problem}"
