"""Hands alembic the connection that the program opened; there is no ini file and no offline mode."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
