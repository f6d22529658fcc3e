"""The vault's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001_vault"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("record", sa.String(71), primary_key=True),
        sa.Column("pointer", sa.Text, primary_key=True),
        sa.Column("salt", sa.String(22), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.String(24), nullable=False),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
