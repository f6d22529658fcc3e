"""Who lives, who is dead, and who may say so."""

import subprocess
import sys

import pytest
from sqlalchemy import insert, update

from registry.journal.tables import worker
from registry.journal.workers import STALE_MS, Workers, here


@pytest.fixture
def workers(database):
    return Workers(database)


def age(database, id, by):
    """Let a worker have been seen last some milliseconds earlier."""
    with database.writing() as connection:
        earlier = update(worker).where(worker.c.id == id).values(seen_ms=worker.c.seen_ms - by)
        connection.execute(earlier)


def add(database, id, pid, host):
    with database.writing() as connection:
        row = {"id": id, "host": host, "pid": pid, "lanes": "", "seen_ms": 2**62}
        row["started_at"] = "2026-01-01T00:00:00.000Z"
        connection.execute(insert(worker), row)


def test_who_joins_lives_until_it_leaves(workers):
    workers.join("a")
    workers.join("b", ["batch"])

    assert workers.living() == {"a", "b"}
    assert (workers.living("batch"), workers.living("interactive")) == ({"b"}, set())
    workers.leave("a")
    assert [one.id for one in workers.all()] == ["b"]


def test_a_heart_that_stood_still_is_struck_off_and_learns_of_it(database, workers):
    workers.join("a")
    workers.join("b")
    age(database, "a", STALE_MS + 1)

    assert workers.living() == {"b"}
    assert workers.beat("a"), "nobody has said that it is dead yet"
    age(database, "a", STALE_MS + 1)
    with workers.reaping() as living:
        assert living == {"b"}
    assert not workers.beat("a")


def test_an_ended_process_of_this_machine_is_dead_at_once_and_one_elsewhere_is_not(database, workers):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    add(database, "here", gone.pid, here())
    add(database, "elsewhere", gone.pid, "another machine")

    assert workers.living() == {"elsewhere"}


def test_the_dead_stay_on_the_list_when_their_work_could_not_be_given_away(database, workers):
    workers.join("a")
    age(database, "a", STALE_MS + 1)

    with pytest.raises(ConnectionError), workers.reaping():
        raise ConnectionError

    assert [one.id for one in workers.all()] == ["a"]
