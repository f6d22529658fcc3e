"""Forks a child for each paid call it is told to make: the program is imported once, so that a kill costs little.

Reads a JSON object a line from standard input: ``start`` forks a child and answers with its pid, ``wait`` answers with
what became of one. The child replays a manifest under a key, and dies or stops at a step where it is told to.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import registry.migrating  # noqa: F401 - alembic: late imports would make the first child slower than its kill
from drift.errors import MintmarkError
from registry.assets.local import LocalAssets
from registry.capture.description import shipped
from registry.catalog.store import Catalog
from registry.home import create
from registry.journal.answers import Answers
from registry.journal.calls import Calls
from registry.settings import Settings
from replay.paying import Paying
from replay.preparing import Change, prepare, run_again
from replay.providers.http.channel import Channel
from replay.providers.http.engine import HttpProvider

_OWNERS = {owner.__name__: owner for owner in (Answers, Calls, Catalog, Channel, HttpProvider, LocalAssets)}
KEY_HEADER = "Idempotency-Key"


def at(step, deed):
    """Do something at a step: ``Owner.function:before``, ``:after``, or ``:after 2`` for the second time."""
    name, when = step.split(":")
    when, _, number = when.partition(" ")
    owner, _, function = name.rpartition(".")
    real, left = getattr(_OWNERS[owner], function), [int(number or 1)]

    def wrapped(*arguments, **options):
        left[0] -= 1
        if left[0] == 0 and when == "before":
            deed()
        answer = real(*arguments, **options)
        if left[0] == 0 and when == "after":
            deed()
        return answer

    setattr(_OWNERS[owner], function, wrapped)


def send(signal_number):
    return lambda: os.kill(os.getpid(), signal_number)


def know_keys(name):
    """Let a vendor know repeated requests by their key, as some do; none of those described here says so."""
    known = shipped()._by_id
    told = known[name]
    protocol = replace(told.protocol, idempotency=KEY_HEADER)
    known[name] = replace(told, caps=replace(told.caps, idempotency=True), protocol=protocol)


def work(job):
    if job.get("idempotent"):
        know_keys(job["idempotent"])
    for step, number in (("die", signal.SIGKILL), ("stop", signal.SIGSTOP)):
        if job.get(step):
            at(job[step], send(number))
    opened = create(Settings(home=Path(job["home"]), actor="tester", **job.get("databases", {})))[0]
    ready = prepare(opened, job["manifest"], Change(model=job["model"]))
    paying = Paying(job["key"], job.get("budget"), job.get("reserve", 0), "USD", run=job.get("run"))
    made = run_again(opened, ready, replace(paying, pause=lambda seconds: None))
    print(json.dumps({"id": made.id, "outcome": made.manifest.outcome.class_}), flush=True)


def start(job):
    descriptor, name = tempfile.mkstemp()
    child = os.fork()
    if child:
        os.close(descriptor)
        return child, name
    os.dup2(descriptor, 1)
    os.close(0)
    status = 0
    try:
        work(job)
    except MintmarkError as problem:
        print(json.dumps({"error": str(problem), "exit": problem.exit_code, "class": type(problem).__name__}))
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        status = 70
    os._exit(status)


def main():
    told = {}
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            _, status = os.waitpid(job["wait"], 0)
            path = Path(told.pop(job["wait"]))
            said = [json.loads(text) for text in path.read_text().splitlines()]
            path.unlink()
            print(json.dumps({"status": os.waitstatus_to_exitcode(status), "told": said}), flush=True)
        else:
            child, name = start(job)
            told[child] = name
            print(json.dumps({"pid": child}), flush=True)


if __name__ == "__main__":
    main()
