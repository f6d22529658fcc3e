"""A server that cannot begin, or breaks off, leaves no worker running behind it."""

import signal
import threading

import pytest
from click.testing import CliRunner

from registry.errors import RegistryError
from registry.http.serving import Listener
from registry.journal.workers import Workers
from replay.commands.serve import serve
from replay.keeping import Keeper


@pytest.fixture
def served(local_registry, monkeypatch):
    """What `mintmark serve` came to, and the names of the threads that it left."""
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.home))
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = set(threading.enumerate())

    def do():
        done = CliRunner().invoke(serve, ["--port", "0"])
        left = [one.name for one in set(threading.enumerate()) - before if one.name.startswith("mintmark")]
        return done, left

    yield do
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_server_whose_key_is_gone_starts_no_worker(local_registry, served, monkeypatch):
    started = []
    monkeypatch.setattr(Keeper, "start", lambda keeper: started.append(keeper))
    _ = local_registry.recorder
    for key in (local_registry.home / "keys").iterdir():
        key.write_text("no key")

    done, left = served()

    assert isinstance(done.exception, RegistryError) and (started, left) == ([], [])


def test_a_server_that_breaks_off_ends_its_worker(local_registry, served, monkeypatch):
    def broken(listener, registry, work=None):
        assert len(Workers(registry.catalog.database).all()) == 1
        raise RuntimeError("the application could not be made")

    monkeypatch.setattr(Listener, "serve", broken)

    done, left = served()

    assert isinstance(done.exception, RuntimeError), done.output
    assert left == [] and Workers(local_registry.catalog.database).all() == []
