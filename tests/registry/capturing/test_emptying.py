"""What programs left that have ended is recorded beside a server; where nothing is left, nothing is started."""

import time

import pytest

from registry.capturing import emptying
from registry.capturing.emptying import Emptier
from registry.home import create_at

CALL = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def emptier(spool, monkeypatch):
    monkeypatch.setattr(emptying, "_LOOK_S", 0.05)
    made = Emptier(spool.home)
    yield made
    made.stop()


def test_what_was_left_is_recorded_and_then_no_process_stays(spool, emptier, put, until):
    put(CALL, age=60)

    emptier.start()

    until(lambda: not list(spool.waiting()))
    until(lambda: emptier._drain._process.poll() == 0)
    registry = create_at(spool.home)[0]
    assert registry.catalog.generations() == 1
    registry.close()


def test_what_was_spooled_just_now_is_left_to_its_program(spool, emptier, put):
    put(CALL, age=0)

    emptier.start()
    time.sleep(0.3)

    assert emptier._drain._process is None and len(list(spool.waiting())) == 1


def test_where_there_is_no_spool_nothing_is_started_or_made(spool, emptier):
    emptier.start()
    time.sleep(0.2)
    emptier.stop()

    assert emptier._drain._process is None and not spool.folder.exists()


def test_a_drain_ends_with_its_server(spool, emptier, put, until, monkeypatch):
    monkeypatch.setattr(emptying, "_END_S", 60.0)  # a whole interpreter begins in that time, on a busy machine
    monkeypatch.setattr(emptying, "open_calls", lambda _: ["one that it follows"])
    put(CALL, age=60)
    emptier.start()
    until(lambda: emptier._drain._process is not None)

    emptier.stop()

    assert emptier._drain._process.poll() == 0 and not list(spool.waiting())
