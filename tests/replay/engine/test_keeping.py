"""A worker that is kept at work while its databases come and go."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from registry.database import DatabaseFailed
from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay import embedded, keeping, worker
from replay.jobs import SUITE, Jobs
from replay.keeping import Keeper
from replay.workflows import Planned


@pytest.fixture
def rename(local_registry):
    """Takes the table of jobs away, and brings it back."""

    def to(before, after):
        with closing(sqlite3.connect(local_registry.home / "jobs.db", timeout=30)) as jobs:
            jobs.execute(f"ALTER TABLE {before} RENAME TO {after}")

    return to


def test_a_lost_worker_is_replaced_once_its_database_is_back(local_registry, rename, until, monkeypatch, capsys):
    monkeypatch.setattr(worker, "BEAT_S", 0.05)
    monkeypatch.setattr(keeping, "_PAUSE_S", 0.3)
    workers, keeper, told = Workers(local_registry.catalog.database), Keeper(local_registry, threads=1), []
    keeper.start()
    first, jobs = keeper.id, local_registry.settings.jobs

    def said(words):
        told.append(capsys.readouterr().err)
        return words in "".join(told)

    object.__setattr__(local_registry.settings, "jobs", "sqlite:////proc/nowhere/jobs.db")
    rename("workflow_status", "away")
    workers.leave(first)
    until(lambda: said("no worker could begin"), seconds=15)
    rename("away", "workflow_status")
    object.__setattr__(local_registry.settings, "jobs", jobs)
    until(lambda: keeper.id != first and keeper.id in workers.living(), seconds=15)
    keeper.stop(1)

    assert said("the jobs of this worker wait") and "".join(told).count("no worker could begin") == 1
    assert not workers.living()


def test_a_check_ends_when_its_jobs_cannot_be_reached(local_registry, rename, capsys):
    alone = worker.Worker(local_registry, Planned(), threads=1, own=True)
    alone.start()
    rename("workflow_status", "away")

    alone.stop(0)

    assert "the jobs of this worker wait" in capsys.readouterr().err


def test_a_check_outlives_a_crash_of_its_database(fleet, tally, new_run, restart, until, tmp_path, monkeypatch):
    suites = tally.Tally(tmp_path / "log", 0.2)
    monkeypatch.setattr(embedded, "Planned", lambda: suites)
    run, problems = new_run(fleet, 8), []

    def follow():
        try:
            embedded.drive(fleet, run, threads=2)
        except BaseException as problem:
            problems.append(problem)

    following = threading.Thread(target=follow)
    following.start()
    until(lambda: len(suites.lines("end")) >= 2)
    restart("immediate")
    following.join(60)

    assert not following.is_alive() and problems == []
    assert {row.state for row in Runs(fleet.catalog.database).replays(run)} == {"made"}


def test_a_check_that_ends_by_an_error_leaves_its_run_to_who_lives(
    local_registry, tally, new_run, tmp_path, monkeypatch
):
    suites = tally.Tally(tmp_path / "log", polls=1, patience=600)
    monkeypatch.setattr(embedded, "Planned", lambda: suites)
    run = new_run(local_registry, 2)

    def fail():
        if suites.lines("begin"):
            raise RuntimeError("the table of a terminal")

    with pytest.raises(RuntimeError):
        embedded.drive(local_registry, run, tell=fail)

    jobs = Jobs(local_registry.settings)
    job = jobs.get(run)
    jobs.close()
    assert (job.state, job.queue) == ("queued", "batch")


def test_what_waits_in_the_queue_of_a_dead_check_is_taken_over(
    local_registry, tally, new_run, until, working, tmp_path
):
    run, jobs = new_run(local_registry, 1), Jobs(local_registry.settings)
    jobs.add(SUITE, run, [run, "batch"], "own-nobody")

    working(local_registry, tally.Tally(tmp_path / "log"))
    until(lambda: jobs.get(run).state == "done")

    jobs.close()


def test_a_job_that_the_engine_took_and_lost_is_queued_again(
    local_registry, tally, new_run, until, tmp_path, monkeypatch
):
    suites = tally.Tally(tmp_path / "log", polls=1, patience=600)
    run, alone = new_run(local_registry, 1), worker.Worker(local_registry, suites, threads=1, own=True)
    alone.start()
    alone.jobs.add(SUITE, run, [run, "batch"], alone.queue)
    until(lambda: suites.lines("begin"))
    moved = []
    monkeypatch.setattr(alone.jobs, "move", lambda *given: moved.append(given))

    alone.reap()
    alone._engine.running.clear()
    alone.reap()
    assert moved == []
    alone.reap()
    alone.stop(0)

    assert moved == [(run, alone.queue)]


def test_a_database_of_jobs_that_fails_is_told_as_such(local_registry, rename):
    jobs = Jobs(local_registry.settings)
    rename("workflow_status", "away")

    for ask in (
        lambda: jobs.get("a"),
        jobs.find,
        lambda: jobs.orphaned(()),
        lambda: jobs.add("suite", "a", [], "batch"),
    ):
        with pytest.raises(DatabaseFailed, match="the database of jobs"):
            ask()
    jobs.close()


def test_who_cannot_look_after_the_others_says_so_once(
    local_registry, tally, until, tmp_path, rename, monkeypatch, capsys
):
    monkeypatch.setattr(worker, "REAP_S", 0.05)
    rounds, beat = [], worker.Worker._beat
    monkeypatch.setattr(worker.Worker, "_beat", lambda self: (rounds.append(1), beat(self))[1])
    alone = worker.Worker(local_registry, tally.Tally(tmp_path / "log"), threads=1)
    alone.start()
    rename("workflow_status", "away")
    until(lambda: len(rounds) > 8)
    alone.stop(0)

    assert capsys.readouterr().err.count("could not look after the other workers") == 1


def test_a_command_that_could_not_run_ends_whoever_still_waits():
    """As a thread of the engine does for a database that is away."""
    script = (
        "import threading; from registry import cli; cli._LAST_S = 0.1\n"
        "cli.run = lambda words: threading.Thread(target=threading.Event().wait).start() or 3\n"
        "cli.main()"
    )

    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 3


def test_a_call_that_is_under_way_is_not_cut_by_that():
    script = (
        "import threading, time; from concurrent.futures import ThreadPoolExecutor; from registry import cli\n"
        "cli._LAST_S = 0.1\n"
        "def waiting(words):\n"
        "    ThreadPoolExecutor(2, 'mintmark-batch').submit(lambda: (time.sleep(1.5), print('the answer is kept')))\n"
        "    threading.Thread(target=threading.Event().wait).start()\n"
        "    return 3\n"
        "cli.run = waiting\n"
        "cli.main()"
    )

    ended = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (3, "the answer is kept\n")


class Full:
    """Runs whose replays the disk has no room for."""

    def __init__(self, items):
        self.items, self.tried = items, []

    def advance(self, registry, run_id):
        return self.items

    def make_one(self, registry, run_id, manifest, ordinal, **how):
        self.tried.append(manifest)
        raise DatabaseFailed("mintmark.db", "database or disk is full")

    def call_key(self, registry, run_id, manifest, ordinal):
        return manifest


def test_a_disk_that_stays_full_ends_a_run_once_not_replay_after_replay(local_registry, new_run, monkeypatch):
    monkeypatch.setattr("replay.lasting.PATIENCE_S", 0.1)
    suites = Full([(f"sha256:{n:064d}", 0) for n in range(5)])
    monkeypatch.setattr(embedded, "Planned", lambda: suites)

    with pytest.raises(embedded.RunDead, match="disk is full"):
        embedded.drive(local_registry, new_run(local_registry, 5), threads=1)

    assert len(set(suites.tried)) == 1
