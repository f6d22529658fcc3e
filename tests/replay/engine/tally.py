"""Runs small enough for tests of the engine, and workers in processes of their own that make them.

As a program it forks a worker for each line it reads, ``HOME LOG SECONDS ENVIRONMENT URLS``, and answers with its
process id: the program is imported once, so that a worker that is to be killed costs milliseconds. Without a log it
makes real runs.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from registry.home import create
from registry.journal.runs import Runs
from registry.settings import Settings
from replay.worker import Worker
from replay.workflows import Planned


class Tally:
    """Every replay takes a while, and leaves one line: ``begin`` or ``end``, manifest, ordinal, worker.

    ``waves`` runs want as many replays of each manifest one after the other; ``fails`` are manifests whose making
    breaks down; ``polls`` is how often a replay waits for its provider, ``patience`` seconds each time.
    """

    def __init__(self, log, seconds=0.0, waves=1, fails=(), polls=0, patience=0.0):
        self.log, self.seconds, self.waves, self.fails = Path(log), seconds, waves, fails
        self.polls, self.patience = polls, patience

    def advance(self, registry, run_id):
        runs = Runs(registry.catalog.database)
        rows = runs.replays(run_id)
        wanted = [(row.manifest, row.ordinal) for row in rows if row.state == "wanted"]
        made = max(row.ordinal for row in rows) + 1
        if not wanted and made < self.waves and runs.state(run_id) == "open":
            more = [(manifest, made, "look") for manifest in sorted({row.manifest for row in rows})]
            runs.want(run_id, more)
            wanted = [(manifest, made) for manifest, _, _ in more]
        if not wanted and runs.get(run_id).result is None:
            with registry.catalog.database.writing() as connection:
                runs.finish(connection, run_id, runs.state(run_id), {"over": True}, "sha256:" + 64 * "0")
        return wanted if wanted else ()

    def make_one(self, registry, run_id, manifest, ordinal, *, owner, pause, stopping):
        runs = Runs(registry.catalog.database)
        row = runs.replay(run_id, manifest, ordinal)
        if row.state != "wanted":
            return
        if runs.state(run_id) == "canceled":
            runs.settle(row, "canceled", outcome="canceled")
            return
        self.write("begin", manifest, ordinal, owner)
        if manifest in self.fails:
            raise ValueError("a prompt that nobody may read")
        for _ in range(self.polls):
            pause(self.patience)
            self.write("poll", manifest, ordinal, owner)
            if stopping():
                runs.settle(row, "canceled", outcome="canceled")
                return
        time.sleep(self.seconds)
        runs.settle(row, "made", outcome="succeeded")
        self.write("end", manifest, ordinal, owner)

    def call_key(self, registry, run_id, manifest, ordinal):
        return f"key-of-{manifest}"

    def write(self, *words):
        with self.log.open("a", encoding="utf-8") as log:
            log.write(" ".join(map(str, words)) + "\n")

    def lines(self, word):
        if not self.log.exists():
            return []
        return [line.split()[1:] for line in self.log.read_text("utf-8").splitlines() if line.startswith(word)]


def settings(home, **urls):
    return Settings(home=Path(home), actor="tester", **urls)


def child(home, log, seconds, environment, urls):
    """Work until SIGTERM, as ``mintmark worker`` does; one that was taken for dead begins anew."""
    os.environ.update(environment)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    registry, _ = create(settings(home, **urls))
    while not told.is_set():
        worker = Worker(registry, Tally(log, seconds) if log else Planned(), threads=2)
        worker.start()
        while not told.is_set() and not worker.wait(0.05):
            pass
        worker.stop(grace=5)
    os._exit(0)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    for line in sys.stdin:
        given = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(*given)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
