"""One worker: what it makes, what it waits for, what becomes of its work when it ends."""

import collections
import stat

import pytest

from registry.errors import NotFound
from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay.embedded import adopt
from replay.jobs import SUITE, Jobs
from replay.worker import Worker


def states(registry, run):
    return collections.Counter(row.state for row in Runs(registry.catalog.database).replays(run))


def over(registry, run):
    return lambda: Runs(registry.catalog.database).get(run).result is not None


@pytest.fixture
def begin(new_run):
    """Begins a run and hands it to a worker's lane."""

    def run(registry, worker, count, lane="interactive", mark=0):
        id = new_run(registry, count, mark)
        worker.jobs.add(SUITE, id, [id, lane], worker.queue or lane)
        return id

    return run


def test_every_replay_of_every_wave_is_made_once(fleet, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log", waves=3)
    worker = working(fleet, suites, own=True)

    run = begin(fleet, worker, 5)
    until(over(fleet, run))

    assert states(fleet, run) == {"made": 15}
    assert len(suites.lines("begin")) == 15
    until(lambda: worker.jobs.get(run).state == "done")


def test_a_long_run_is_made_in_shares(local_registry, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log")
    worker = working(local_registry, suites, threads=2)

    run = begin(local_registry, worker, 150, "batch")
    until(over(local_registry, run))

    assert len(suites.lines("begin")) == 150
    assert len(worker.jobs.find(kinds=["share"], prefix=run)) == 2


@pytest.mark.parametrize("lanes", [(), ("interactive",), ("batch",)])
def test_a_check_ends_whoever_else_there_is_and_takes_no_share(
    local_registry, tally, working, begin, until, tmp_path, lanes
):
    """Another check, a worker of the other lane, and one of its own lane that has its hands full."""
    suites = tally.Tally(tmp_path / "log")
    Workers(local_registry.catalog.database).join("another", lanes)
    worker = working(local_registry, suites, own=True)

    run = begin(local_registry, worker, 5, "batch")
    until(over(local_registry, run), seconds=12)

    assert len(suites.lines("begin")) == 5
    assert {job.state for job in worker.jobs.find(kinds=["share"])} == ({"canceled"} if "batch" in lanes else set())


def test_a_worker_of_one_lane_makes_what_it_would_share_itself(local_registry, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log")
    worker = working(local_registry, suites, lanes=["interactive"])

    run = begin(local_registry, worker, 70)
    until(over(local_registry, run), seconds=12)

    assert len(suites.lines("begin")) == 70


@pytest.mark.parametrize(("queue", "lanes", "adopted"), [
    ("batch", (), True), ("batch", ("interactive",), True), ("batch", ("batch",), False),
    ("own-another", (), False), ("own-nobody", ("batch",), True),
])  # fmt: skip
def test_a_check_adopts_its_run_where_nobody_serves_its_queue(
    local_registry, new_run, tally, tmp_path, queue, lanes, adopted
):
    Workers(local_registry.catalog.database).join("another", lanes)
    run = new_run(local_registry, 1)
    worker = Worker(local_registry, tally.Tally(tmp_path / "log"), own=True)
    worker.jobs.add(SUITE, run, [run, "batch"], queue)

    adopt(worker, local_registry, worker.jobs.get(run))

    assert worker.jobs.get(run).queue == (worker.queue if adopted else queue)
    worker.jobs.close()


def test_the_interactive_lane_goes_on_while_the_batch_lane_is_full(
    local_registry, tally, working, begin, until, tmp_path
):
    suites = tally.Tally(tmp_path / "log", polls=1, patience=600)
    worker = working(local_registry, suites, threads=2)
    for n in range(6):
        begin(local_registry, worker, 4, "batch", mark=n)
    until(lambda: len(suites.lines("begin")) == 2)

    run = begin(local_registry, worker, 1, mark=9)
    until(lambda: len(suites.lines("begin")) == 3)
    worker.crew.ring(f"key-of-sha256:{9:032d}{0:032d}")
    until(over(local_registry, run))

    assert len(suites.lines("end")) == 1, "nothing of the batch lane is done"


def test_mail_cuts_a_wait_short_and_without_mail_it_ends_by_itself(fleet, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log", polls=2, patience=600)
    worker = working(fleet, suites, own=True)
    run = begin(fleet, worker, 1)
    outside = Jobs(fleet.settings)
    key = suites.call_key(fleet, run, f"sha256:{0:032d}{0:032d}", 0)

    until(lambda: outside.wake(worker.id, key))
    until(lambda: len(suites.lines("poll")) == 1)
    assert outside.wake(worker.id, key)
    until(over(fleet, run))

    assert not outside.wake("nobody", key)
    suites.patience = 0.05
    until(over(fleet, begin(fleet, worker, 1, mark=1)))
    outside.close()


def test_a_canceled_run_stops_its_calls_and_begins_no_more(local_registry, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log", polls=1, patience=600)
    worker = working(local_registry, suites, threads=2, own=True)
    run = begin(local_registry, worker, 6)
    until(lambda: len(suites.lines("begin")) == 2)

    assert Runs(local_registry.catalog.database).cancel(run)
    until(over(local_registry, run))

    assert states(local_registry, run) == {"canceled": 6}
    assert len(suites.lines("begin")) == 2


def test_what_breaks_down_is_dead_tells_no_secret_and_can_be_tried_again(
    local_registry, tally, working, begin, until, tmp_path
):
    bad = f"sha256:{0:032d}{1:032d}"
    suites = tally.Tally(tmp_path / "log", fails=[bad])
    worker = working(local_registry, suites, own=True)
    run = begin(local_registry, worker, 3)

    dead = until(lambda: worker.jobs.find(states=["dead"]))[0]

    assert dead.id == run and "ValueError" in dead.error and "prompt" not in dead.error
    assert states(local_registry, run) == {"made": 2, "wanted": 1}
    assert len(suites.lines("begin")) == 4, "it was tried twice"
    suites.fails = ()
    worker.jobs.retry(run, worker.queue)
    until(over(local_registry, run))
    with pytest.raises(NotFound, match="run-none"):
        worker.jobs.retry("run-none")


def test_who_ends_hands_over_what_waits_and_the_next_goes_on(local_registry, tally, working, begin, until, tmp_path):
    suites = tally.Tally(tmp_path / "log", polls=1, patience=600)
    first = working(local_registry, suites, threads=2)
    run = begin(local_registry, first, 3)
    until(lambda: len(suites.lines("begin")) == 2)
    first.stop()
    assert states(local_registry, run) == {"wanted": 3}

    suites.patience = 0.01
    second = working(local_registry, suites, threads=2)
    until(over(local_registry, run))

    assert {words[2] for words in suites.lines("end")} == {second.id}


def test_the_file_of_jobs_is_private_in_wal_mode_and_holds_ids_only(
    local_registry, tally, working, begin, until, tmp_path
):
    worker = working(local_registry, tally.Tally(tmp_path / "log"), own=True)
    until(over(local_registry, begin(local_registry, worker, 2)))
    worker.stop()

    files = sorted(local_registry.home.glob("jobs.db*"))
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert files[0].read_bytes()[18:20] == b"\x02\x02", "the write version of a file in WAL mode, sqlite.org/fileformat"
    assert b"cos\nposix" not in b"".join(path.read_bytes() for path in files) and b"gASV" not in files[0].read_bytes()
