"""The log's tables and their guards; entries can be added at the end, nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0002_log"
down_revision = "0001_catalog"

_TABLES = {
    "log_entry": "idx = NEW.idx",
    "log_tile": "level = NEW.level AND idx = NEW.idx",
    "log_checkpoint": "size = NEW.size",
}


def upgrade() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "log_entry",
        sa.Column("idx", wide, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.execute("CREATE INDEX log_entry_id ON log_entry (substr(body, 15, 16))")
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("idx", wide, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", wide, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_pending",
        sa.Column("serial", wide, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("id", sa.String(71), nullable=False, unique=True),
        sa.Column("pae", sa.String(64), nullable=False),
        sa.Column("recorded_at", sa.String(24), nullable=False),
    )
    for guard in _sqlite() if op.get_bind().dialect.name == "sqlite" else _postgresql():
        op.execute(guard)


def _sqlite() -> list[str]:
    guards = []
    for table, same in _TABLES.items():
        guards += [
            f"""CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
                BEGIN SELECT RAISE(ABORT, '{table} rows are never changed'); END""",
            f"""CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
                BEGIN SELECT RAISE(ABORT, '{table} rows are never deleted'); END""",
            # INSERT OR REPLACE deletes without firing the delete trigger
            f"""CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
                WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
                BEGIN SELECT RAISE(ABORT, '{table} rows are never replaced'); END""",
        ]
    contiguous = """CREATE TRIGGER log_entry_contiguous BEFORE INSERT ON log_entry
        WHEN NEW.idx <> (SELECT COALESCE(MAX(idx), -1) + 1 FROM log_entry)
        BEGIN SELECT RAISE(ABORT, 'log entries follow each other without a gap'); END"""
    return [*guards, contiguous]


def _postgresql() -> list[str]:
    guards = [
        """CREATE FUNCTION mintmark_log_guard() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME; END $$""",
        # VOLATILE, as is the default: it must see the rows that its own statement inserted before
        """CREATE FUNCTION mintmark_log_contiguous() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN
                IF NEW.idx <> (SELECT COALESCE(max(idx), -1) + 1 FROM log_entry) THEN
                  RAISE EXCEPTION 'log entries follow each other without a gap';
                END IF;
                RETURN NEW;
              END $$""",
        """CREATE TRIGGER log_entry_contiguous BEFORE INSERT ON log_entry
           FOR EACH ROW EXECUTE FUNCTION mintmark_log_contiguous()""",
        "ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_contiguous",
    ]
    for table in _TABLES:
        guards += [
            f"""CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION mintmark_log_guard()""",
            f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION mintmark_log_guard()""",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
        ]
    return guards
