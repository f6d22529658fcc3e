"""What programs left that have ended is recorded beside a server; where nothing is left, nothing is started."""

import os
import time

import pytest

from registry.capturing import emptying
from registry.capturing.context import Said
from registry.capturing.emptying import Emptier
from registry.capturing.spool import Spool
from registry.home import create_at

MARKED = {"provider": "studio", "model": "painter-7", "operation": "image.generate", "prompt": "x", "seed": None,
          "settings": {}, "started": "2026-11-20T10:00:00.000Z", "ended": "2026-11-20T10:00:01.000Z",
          "error": "no paint", "outputs": []}  # fmt: skip


@pytest.fixture
def spool(tmp_path):
    create_at(tmp_path / ".mintmark")[0].close()
    return Spool(tmp_path / ".mintmark")


@pytest.fixture
def emptier(spool, monkeypatch):
    monkeypatch.setattr(emptying, "_LOOK_S", 0.05)
    made = Emptier(spool.home)
    yield made
    made.stop()


def put(spool, age):
    entry = {"marked": MARKED, "said": Said().to_json(), "attempts": 0}
    made = spool.commit(spool.begin("00000000-0000-4000-8000-000000000000"), entry)
    os.utime(made, (time.time() - age, time.time() - age))


def until(is_so, seconds=20):
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def test_what_was_left_is_recorded_and_then_no_process_stays(spool, emptier):
    put(spool, age=60)

    emptier.start()

    assert until(lambda: not list(spool.waiting()))
    assert until(lambda: emptier._drain._process.poll() == 0)
    registry = create_at(spool.home)[0]
    assert registry.catalog.generations() == 1
    registry.close()


def test_what_was_spooled_just_now_is_left_to_its_program(spool, emptier):
    put(spool, age=0)

    emptier.start()
    time.sleep(0.3)

    assert emptier._drain._process is None and len(list(spool.waiting())) == 1


def test_where_there_is_no_spool_nothing_is_started_or_made(spool, emptier):
    emptier.start()
    time.sleep(0.2)
    emptier.stop()

    assert emptier._drain._process is None and not spool.folder.exists()


def test_a_drain_ends_with_its_server(spool, emptier, monkeypatch):
    monkeypatch.setattr(emptying, "open_calls", lambda _: ["one that it follows"])
    put(spool, age=60)
    emptier.start()
    assert until(lambda: emptier._drain._process is not None)

    emptier.stop()

    assert emptier._drain._process.poll() == 0 and not list(spool.waiting())
