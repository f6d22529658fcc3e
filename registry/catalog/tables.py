"""The catalog's tables; the records are the truth, the other tables can be made again from them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

record = Table(
    "record",
    metadata,
    Column("id", String(71), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("keyid", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

generation = Table(
    "generation",
    metadata,
    Column("id", String(71), ForeignKey("record.id"), primary_key=True),
    Column("recorded_at", String(24), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("model", String(256), nullable=False),
    Column("workflow", Text),
    Column("outcome", String(16), nullable=False),
    Column("request_id", Text),
    Column("job_id", Text),
    Column("exchange_id", String(128), nullable=False, unique=True),
    Column("draft_mac", LargeBinary, nullable=False),
    Column("replay_of", String(71)),
    Column("outputs", Integer, nullable=False),
)
Index("generation_time", generation.c.recorded_at, generation.c.id)
Index("generation_request", generation.c.request_id)
Index("generation_job", generation.c.job_id)
Index("generation_replay_of", generation.c.replay_of)

# Digests that stand open in manifests; sealed ones resolve through the derived index.
asset = Table(
    "asset",
    metadata,
    Column("manifest", String(71), ForeignKey("record.id"), primary_key=True),
    Column("direction", String(6), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("role", String(64), nullable=False),
    Column("sha256", String(64)),
    Column("blake3", String(64)),
    Column("media_type", String(128), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("asset_sha256", asset.c.sha256)
Index("asset_blake3", asset.c.blake3)

# Labels of the manifest and tags added later, both searchable in one place.
label = Table(
    "label",
    metadata,
    Column("manifest", String(71), ForeignKey("record.id"), primary_key=True),
    Column("key", String(63), primary_key=True),
    Column("tag", Boolean, primary_key=True),
    Column("value", String(256), nullable=False),
    sqlite_with_rowid=False,
)
Index("label_value", label.c.key, label.c.value)

lineage = Table(
    "lineage",
    metadata,
    Column("child", String(71), ForeignKey("record.id"), primary_key=True),
    Column("parent", String(71), primary_key=True),
    Column("relation", String(16), primary_key=True),
    sqlite_with_rowid=False,
)
Index("lineage_parent", lineage.c.parent)

# Drift, review, annotation and erasure records, by the generation they speak of.
about = Table(
    "about",
    metadata,
    Column("record", String(71), ForeignKey("record.id"), primary_key=True),
    Column("manifest", String(71), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("recorded_at", String(24), nullable=False),
    sqlite_with_rowid=False,
)
Index("about_manifest", about.c.manifest, about.c.kind)

# What an erasure has promised and not yet finished; ids, pointers and digests only.
erasure_intent = Table(
    "erasure_intent",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", String(24), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
