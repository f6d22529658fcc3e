"""Reads the log's rows: entries, tiles, checkpoints."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, func, select

from registry.database import all_rows, first_row, raw
from registry.log.checkpoint import Checkpoint
from registry.log.errors import LogUnusable
from registry.log.leaf import Leaf, id_prefix
from registry.log.merkle import WIDTH
from registry.log.tables import entry_id, log_checkpoint, log_entry, log_tile
from registry.log.tiles import FULL

PAGE = 4096  # rows per query when all are read

_LAST = select(log_entry.c.idx, log_entry.c.body).order_by(log_entry.c.idx.desc()).limit(1)
_SIZE = select(func.coalesce(func.max(log_entry.c.idx) + 1, 0))
# Built once: building a statement costs more than running it.
_BETWEEN = (log_entry.c.idx >= bindparam("start"), log_entry.c.idx < bindparam("end"))
_PAGE = (
    select(log_entry.c.idx, log_entry.c.leaf_hash, log_entry.c.body)
    .where(*_BETWEEN)
    .order_by(log_entry.c.idx)
    .limit(PAGE)
)
_BODY = select(log_entry.c.body).where(log_entry.c.idx == bindparam("index"))
_LEAVES = select(log_entry.c.leaf_hash).where(*_BETWEEN).order_by(log_entry.c.idx)
_TILE = select(log_tile.c.hashes).where(log_tile.c.level == bindparam("level"), log_tile.c.idx == bindparam("number"))
_ROOTS = (
    select(log_tile.c.root)
    .where(
        log_tile.c.level == bindparam("level"),
        log_tile.c.idx >= bindparam("start"),
        log_tile.c.idx < bindparam("end"),
    )
    .order_by(log_tile.c.idx)
)
_SIGNED = select(func.coalesce(func.max(log_checkpoint.c.size), 0))


def size(connection: Connection) -> int:
    """How many entries the log has."""
    row = first_row(connection, _SIZE)
    return int(row[0]) if row else 0


def signed_size(connection: Connection) -> int:
    """How many entries the newest stored checkpoint covers."""
    row = first_row(connection, _SIGNED)
    return int(row[0]) if row else 0


def last(connection: Connection) -> tuple[int, Leaf] | None:
    """The newest entry with its index."""
    row = first_row(connection, _LAST)
    return None if row is None else (row[0], Leaf.parse(raw(row[1])))


def body(connection: Connection, index: int) -> bytes:
    """The bytes of one entry.

    Raises:
        LogUnusable: there is none.
    """
    found = connection.execute(_BODY, {"index": index}).scalar()
    if found is None:
        raise LogUnusable(f"the log has no entry {index}; its entries are 0 to {size(connection) - 1}")
    return raw(found)


def index_of(connection: Connection, record: str) -> int | None:
    """Where a record stands, by its id; None if it is not in the log."""
    rows = connection.execute(select(log_entry.c.idx, log_entry.c.body).where(entry_id == id_prefix(record)))
    return next((int(row.idx) for row in rows if Leaf.parse(raw(row.body)).id == record), None)


def bodies(connection: Connection, start: int, end: int) -> Iterator[Sequence[tuple[int, bytes, bytes]]]:
    """Index, leaf hash and body of the entries in [start, end), as they are stored, a page at a time."""
    while start < end:
        rows = all_rows(connection, _PAGE, {"start": start, "end": end})
        if not rows:
            return
        if any(type(body) is not bytes or type(stored) is not bytes for _, stored, body in rows):
            rows = [(index, raw(stored), raw(body)) for index, stored, body in rows]
        yield rows
        start = rows[-1][0] + 1


def tile(connection: Connection, level: int, number: int, width: int) -> bytes:
    """The first ``width`` hashes of a tile, 32 * width bytes; partial ones are derived from below.

    Raises:
        LogUnusable: the log is not that long, or rows are missing.
    """
    if width == FULL:
        found = connection.execute(_TILE, {"level": level, "number": number}).scalar()
        hashes = raw(found or b"")
    else:
        hashes = row_of_hashes(connection, level, number * FULL, number * FULL + width)
    if len(hashes) != width * WIDTH or width < 1:
        raise LogUnusable(f"tile {level}/{number} is not {width} hashes wide here; run `mintmark log audit`")
    return hashes


def row_of_hashes(connection: Connection, level: int, start: int, end: int) -> bytes:
    """What tiles of a level are made of: leaf hashes, or the roots of the full tiles one level below."""
    if level == 0:
        rows = connection.execute(_LEAVES, {"start": start, "end": end})
    else:
        rows = connection.execute(_ROOTS, {"level": level - 1, "start": start, "end": end})
    return b"".join(map(raw, rows.scalars()))


def latest_checkpoint(connection: Connection) -> Checkpoint | None:
    """The newest stored checkpoint."""
    row = connection.execute(select(log_checkpoint.c.note).order_by(log_checkpoint.c.size.desc()).limit(1)).scalar()
    return None if row is None else Checkpoint.parse(raw(row))


def checkpoint_at(connection: Connection, size: int) -> Checkpoint | None:
    """The stored checkpoint of one size."""
    row = connection.execute(select(log_checkpoint.c.note).where(log_checkpoint.c.size == size)).scalar()
    return None if row is None else Checkpoint.parse(raw(row))
