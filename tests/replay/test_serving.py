"""A server that cannot begin, or breaks off, leaves no worker running behind it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.capturing.context import Said
from registry.capturing.spool import Spool
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


def left_in(spool):
    """A captured call that waits for longer than any program takes that still runs."""
    marked = {"provider": "studio", "model": "painter-7", "operation": "image.generate", "settings": {}, "outputs": [],
              "started": "2026-11-20T10:00:00.000Z", "ended": "2026-11-20T10:00:01.000Z", "error": "none"}  # fmt: skip
    entry = {"marked": marked, "said": Said().to_json(), "attempts": 0}
    os.utime(spool.commit(spool.begin("00000000-0000-4000-8000-000000000000"), entry), (0, 0))


def test_a_server_records_what_an_ended_program_left(local_registry, served, until, monkeypatch):
    left_in(spool := Spool(local_registry.home))
    counts = []

    def until_recorded(listener, registry, work=None):
        counts.append(until(registry.catalog.generations))

    monkeypatch.setattr(Listener, "serve", until_recorded)

    done, _ = served()

    assert (done.exit_code, counts) == (0, [1]), done.output
    assert list(spool.waiting()) == []


def test_so_does_a_worker(local_registry, until):
    left_in(spool := Spool(local_registry.home))
    program = Path(sys.executable).with_name("mintmark")

    with subprocess.Popen([program, "worker"], env=os.environ | {"MINTMARK_HOME": str(local_registry.home)}) as worker:
        try:
            until(lambda: not list(spool.waiting()), seconds=60)
        finally:
            worker.terminate()

    assert worker.returncode == 0
    assert list(spool.waiting()) == [] and local_registry.catalog.generations() == 1
