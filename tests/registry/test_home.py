"""A registry's first use: what it leaves on disk, who may read it, and homes that share a database."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.home import KeysMissing, OtherKeys, create
from registry.keyfile import FileSigner
from registry.settings import Settings


@pytest.fixture
def lax():
    """New files are everybody's to read unless a program says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def settings(home, **databases):
    return Settings(home=home, actor="tester", **databases)


def kinds(registry):
    with registry.catalog.database.reading() as connection:
        assert registry.log.pending(connection) == 0
        return [registry.log.entry(connection, index).kind for index in range(registry.log.size(connection))]


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX has them")
def test_nobody_else_reads_a_registry_made_in_a_folder_that_was_open(tmp_path, lax):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)

    registry, new = create(settings(home))
    registry.index.next()
    registry.vault.secret("draft")

    assert new
    assert home.stat().st_mode & 0o777 == 0o700
    files = [path for path in home.iterdir() if ".db" in path.name]
    assert {"mintmark.db", "vault.db", "index.db"} <= {path.name for path in files}
    assert {path.name: path.stat().st_mode & 0o077 for path in files if path.stat().st_mode & 0o077} == {}
    registry.close()


def test_a_home_may_have_any_name(tmp_path):
    home = tmp_path / "what? 100%#now"

    registry, _ = create(settings(home))
    registry.index.next()
    registry.close()

    assert [path.name for path in tmp_path.iterdir()] == [home.name]
    assert {"mintmark.db", "vault.db", "index.db"} <= {path.name for path in home.iterdir()}
    again, new = create(settings(home))
    assert not new
    assert kinds(again) == ["key"]
    again.close()


@pytest.mark.parametrize(("name", "signer"), [("recorder.pem", "recorder"), ("log.pem", "log_signer")])
def test_a_key_that_the_log_does_not_name_signs_nothing(tmp_path, name, signer):
    registry, _ = create(settings(tmp_path / "home"))
    path = registry.home / "keys" / name
    path.unlink()
    FileSigner.create(path)

    with pytest.raises(OtherKeys, match="copy keys/"):
        getattr(registry, signer)

    assert kinds(registry) == ["key"]
    registry.close()


def test_homes_that_begin_one_log_at_once_begin_it_once(tmp_path, postgres_url, vault_url):
    together = threading.Barrier(3)

    def begin(name):
        together.wait()
        return create(settings(tmp_path / name, database=postgres_url, vault=vault_url))

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(begin, ("a", "b", "c")))

    assert sorted(new for _, new in made) == [False, False, True]
    assert kinds(made[0][0]) == ["key"]
    for registry, new in made:
        if not new:
            with pytest.raises(KeysMissing, match="copy keys/"):
                registry.append("annotation", b"{}")
    assert kinds(made[0][0]) == ["key"]
    for registry, _ in made:
        registry.close()


def test_a_key_record_that_waits_for_its_place_has_begun_the_log(tmp_path, postgres_url, vault_url, monkeypatch):
    databases = {"database": postgres_url, "vault": vault_url}
    with monkeypatch.context() as broken:
        broken.setattr("registry.log.store.LogStore.settle", lambda *_: None)  # as if it had ended there
        create(settings(tmp_path / "a", **databases))[0].close()

    registry, new = create(settings(tmp_path / "b", **databases))

    assert not new
    assert kinds(registry) == ["key"]
    registry.close()
