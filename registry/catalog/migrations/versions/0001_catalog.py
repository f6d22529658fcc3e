"""The catalog's first tables; records can be added, never changed or taken away."""

import sqlalchemy as sa
from alembic import op

revision = "0001_catalog"
down_revision = None

_SQLITE = (
    """CREATE TRIGGER record_no_update BEFORE UPDATE ON record
       BEGIN SELECT RAISE(ABORT, 'records are never changed'); END""",
    """CREATE TRIGGER record_no_delete BEFORE DELETE ON record
       BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END""",
    # INSERT OR REPLACE deletes without firing the delete trigger
    """CREATE TRIGGER record_no_replace BEFORE INSERT ON record
       WHEN EXISTS (SELECT 1 FROM record WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'records are never replaced'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION mintmark_record_guard() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'records are never changed or deleted'; END $$""",
    """CREATE TRIGGER record_no_change BEFORE UPDATE OR DELETE ON record
       FOR EACH ROW EXECUTE FUNCTION mintmark_record_guard()""",
    """CREATE TRIGGER record_no_truncate BEFORE TRUNCATE ON record
       FOR EACH STATEMENT EXECUTE FUNCTION mintmark_record_guard()""",
    "ALTER TABLE record ENABLE ALWAYS TRIGGER record_no_change",
    "ALTER TABLE record ENABLE ALWAYS TRIGGER record_no_truncate",
)


def upgrade() -> None:
    record_id = sa.String(71)
    op.create_table(
        "record",
        sa.Column("id", record_id, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("keyid", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    _generation(record_id)
    op.create_table(
        "label",
        sa.Column("manifest", record_id, sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("key", sa.String(63), primary_key=True),
        sa.Column("tag", sa.Boolean, primary_key=True),
        sa.Column("value", sa.String(256), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("label_value", "label", ["key", "value"])
    op.create_table(
        "lineage",
        sa.Column("child", record_id, sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("parent", record_id, primary_key=True),
        sa.Column("relation", sa.String(16), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("lineage_parent", "lineage", ["parent"])
    op.create_table(
        "about",
        sa.Column("record", record_id, sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("manifest", record_id, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recorded_at", sa.String(24), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("about_manifest", "about", ["manifest", "kind"])
    op.create_table(
        "erasure_intent",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    for guard in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(guard)


def _where_set(name: str, column: str) -> None:
    """An index of the rows that have a value: most have none, and each index is a page more to sync."""
    here = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, "generation", [column], sqlite_where=here, postgresql_where=here)


def _generation(record_id: sa.String) -> None:
    op.create_table(
        "generation",
        sa.Column("id", record_id, sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("recorded_at", sa.String(24), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("workflow", sa.Text),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("job_id", sa.Text),
        sa.Column("exchange_id", sa.String(128), nullable=False, unique=True),
        sa.Column("draft_mac", sa.LargeBinary, nullable=False),
        sa.Column("replay_of", record_id),
        sa.Column("outputs", sa.Integer, nullable=False),
    )
    op.create_index("generation_time", "generation", ["recorded_at", "id"])
    _where_set("generation_request", "request_id")
    _where_set("generation_job", "job_id")
    _where_set("generation_replay_of", "replay_of")
    op.create_table(
        "asset",
        sa.Column("manifest", record_id, sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("direction", sa.String(6), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("blake3", sa.String(64)),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("asset_sha256", "asset", ["sha256"])
    op.create_index("asset_blake3", "asset", ["blake3"])
