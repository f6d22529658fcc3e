"""A worker that is kept at work while its databases come and go."""

import sqlite3
from contextlib import closing

import pytest

from registry.journal.workers import Workers
from replay import keeping, worker
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
