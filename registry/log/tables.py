"""The log's tables. Rows are inserted, never changed: see ``guards``."""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    literal_column,
)

from registry.log.leaf import ID_AT, ID_WIDTH

metadata = MetaData()

_WIDE = BigInteger().with_variant(Integer, "sqlite")  # SQLite: the row's own key, no second index

log_entry = Table(
    "log_entry",
    metadata,
    Column("idx", _WIDE, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
# The id stands at a fixed place in every body; 16 of its digits find it with a 26-byte index row.
# Written as literals: with bound parameters no planner recognises the expression.
entry_id = func.substr(log_entry.c.body, literal_column(str(ID_AT)), literal_column(str(ID_WIDTH)))
Index("log_entry_id", entry_id)

# Full tiles only; ``root`` is the hash of the tile's subtree, one hash of the level above.
log_tile = Table(
    "log_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", _WIDE, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
)

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", _WIDE, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

# PostgreSQL: committed records that wait for their index. Stays empty on SQLite.
log_pending = Table(
    "log_pending",
    metadata,
    Column("serial", _WIDE, Identity(always=True), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("id", String(71), nullable=False, unique=True),
    Column("pae", String(64), nullable=False),
    Column("recorded_at", String(24), nullable=False),
)
