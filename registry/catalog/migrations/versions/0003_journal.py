"""The journal's tables: work on its way; nothing here is evidence, so nothing here is guarded."""

import sqlalchemy as sa
from alembic import op

revision = "0003_journal"
down_revision = "0002_log"


def upgrade() -> None:
    _money()
    _runs()
    _workers()


def _money() -> None:
    op.create_table(
        "budget",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.String(24), nullable=False),
    )
    op.create_table(
        "call",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("manifest", sa.String(71)),
        sa.Column("run", sa.String(40)),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("request_digest", sa.String(71), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("budget", sa.String(40)),
        sa.Column("currency", sa.String(32)),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger),
        sa.Column("job", sa.Text),
        sa.Column("generation", sa.String(71)),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("intended_at", sa.String(24), nullable=False),
        sa.Column("updated_at", sa.String(24), nullable=False),
        sa.Column("note", sa.Text),
    )
    op.create_index("call_state", "call", ["state", "updated_at"])
    op.create_index("call_manifest", "call", ["manifest"])
    op.create_index("call_job", "call", ["provider", "job"])


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("suite", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.Column("updated_at", sa.String(24), nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("record", sa.String(71)),
    )
    op.create_index("run_time", "run", ["created_at", "id"])
    op.create_table(
        "run_replay",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("manifest", sa.String(71), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("generation", sa.String(71)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("scores", sa.LargeBinary),
        sa.Column("why", sa.Text),
        sa.Column("updated_at", sa.String(24), nullable=False),
    )


def _workers() -> None:
    wide = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "worker",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("lanes", sa.String(64), nullable=False),
        sa.Column("started_at", sa.String(24), nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "admission",
        sa.Column("serial", wide, sa.Identity(always=True), primary_key=True),
        sa.Column("bucket", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("admission_bucket", "admission", ["bucket", "at_ms"])
    op.create_table(
        "webhook_delivery",
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("delivery", sa.String(128), primary_key=True),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
    )
