"""Adds entries at the end of the log, and the tiles that they fill."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, text

from registry.database import insert_rows
from registry.encoding import encode64
from registry.log import reading
from registry.log.checkpoint import Checkpoint
from registry.log.errors import LogForked, LogTruncated, LogUnusable
from registry.log.leaf import Leaf
from registry.log.merkle import fold, leaf_hash
from registry.log.tables import log_entry, log_tile
from registry.log.tiles import FULL

_ADD_ENTRIES = insert(log_entry)  # built once: building a statement costs more than running it
# Both databases speak this; SQLAlchemy has a construct of its own for each.
_ADD_CHECKPOINT = text(
    "INSERT INTO log_checkpoint (size, root, note) VALUES (:size, :root, :note) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A signed record that has no place in the log yet."""

    kind: str
    id: str
    pae: str  # hex SHA-256 of what its signature covers
    recorded_at: str  # RFC 3339, UTC, milliseconds


def append_all(connection: Connection, drafts: Sequence[Draft]) -> range:
    """Give each draft the next index, in order; the caller's transaction must exclude other writers.

    Returns:
        The new indexes.

    Raises:
        LogUnusable: the log is empty and the first draft is no key record.
        LogTruncated: entries that a checkpoint covers are gone.
    """
    newest = reading.last(connection)
    start = newest[0] + 1 if newest else 0
    if newest is None and drafts and drafts[0].kind != "key":
        raise LogUnusable("the log is empty, and begins with a key record; run `mintmark init`")
    signed = reading.signed_size(connection)
    if signed > start:
        raise LogTruncated(start, signed)
    rows = []
    keys, time = (newest[1].next_keys(newest[0]), newest[1].time) if newest else (0, "")
    for index, draft in enumerate(drafts, start):
        time = max(time, draft.recorded_at)  # texts of one fixed width sort as the times do
        leaf = Leaf(draft.kind, draft.id, draft.pae, keys, time)
        body = leaf.body
        rows.append({"idx": index, "leaf_hash": leaf_hash(body), "body": body})
        keys = leaf.next_keys(index)
    if rows:
        insert_rows(connection, _ADD_ENTRIES, rows)
    end = start + len(rows)
    for number in range(start // FULL, end // FULL):
        _write_tile(connection, 0, number)
    return range(start, end)


def store_checkpoint(connection: Connection, checkpoint: Checkpoint) -> Checkpoint:
    """Keep a signed checkpoint; one note per size.

    Returns:
        The stored one: another process may have been first.

    Raises:
        LogForked: the size is stored with another root.
    """
    stored = reading.checkpoint_at(connection, checkpoint.size)
    if stored is None:
        row = {"size": checkpoint.size, "root": checkpoint.root, "note": checkpoint.note}
        # PostgreSQL lets others write meanwhile; this waits for theirs, and then theirs counts.
        connection.execute(_ADD_CHECKPOINT, row)
        stored = reading.checkpoint_at(connection, checkpoint.size)
    if stored is None:
        raise LogUnusable(f"checkpoint {checkpoint.size} was not kept; run `mintmark log audit`")
    if stored.root != checkpoint.root:
        raise LogForked(checkpoint.size, signed=encode64(stored.root), found=encode64(checkpoint.root))
    return stored


def _write_tile(connection: Connection, level: int, number: int) -> None:
    """Write a tile whose last hash has just come, and the one above if that is now full too."""
    hashes = reading.row_of_hashes(connection, level, number * FULL, (number + 1) * FULL)
    row = {"level": level, "idx": number, "root": fold(hashes), "hashes": hashes}
    connection.execute(insert(log_tile), row)
    if (number + 1) % FULL == 0:
        _write_tile(connection, level + 1, number // FULL)
