"""Runs alembic migrations on an open connection."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection, migrations: str, current: str | None) -> bool:
    """Bring the database to the newest revision inside the caller's transaction.

    Args:
        connection: in a write transaction.
        migrations: ``package:folder`` of the scripts, such as ``registry.catalog:migrations``.
        current: the database's revision, None for an empty one.

    Returns:
        False when ``current`` is not among the scripts: a newer program wrote it.
    """
    config = Config()
    config.set_main_option("script_location", migrations)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        return False
    command.upgrade(config, "head")
    return True
