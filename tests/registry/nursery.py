"""Forks a child for each job it reads: the program is imported once, so that a kill costs milliseconds.

Reads a list of jobs a line from standard input, runs them at once, answers with a list of what became of them.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event

import registry.erase
import registry.migrating  # alembic: late imports would make the first child slower than its kill
from drift.errors import MintmarkError
from registry.assets.local import LocalAssets
from registry.catalog.store import Catalog
from registry.database import Database
from registry.drafting import Draft, Incoming
from registry.erase import plan_erasure
from registry.home import Registry, create
from registry.keyfile import FileSigner
from registry.log.store import LogStore
from registry.manifest import Model, Prompt, Provider
from registry.record import record
from registry.settings import Settings
from registry.vault.store import Vault

_OWNERS = {
    owner.__name__: owner for owner in (Catalog, FileSigner, LocalAssets, LogStore, Registry, Vault, registry.erase, os)
}


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step):
    """Die at a step: ``Owner.function:before``, ``:after``, or ``commit DATABASE N:before|after``."""
    name, when = step.split(":")
    if name.startswith("commit "):
        _, database, number = name.split()
        _arm_commit(database, int(number), when)
        return
    owner, _, function = name.rpartition(".")
    real = getattr(_OWNERS[owner], function)

    def wrapped(*arguments, **options):
        if when == "before":
            die()
        real(*arguments, **options)
        die()

    setattr(_OWNERS[owner], function, wrapped)


def _arm_commit(database, number, when):
    left = [number]
    real = Database.writing

    def due(url):
        left[0] -= bool(url.database and url.database.endswith(database))
        return left[0] == 0

    @contextmanager
    def writing(self, **options):
        with real(self, **options) as connection:
            yield connection
        if due(self.url):
            die()

    if when == "after":
        Database.writing = writing
        return

    @event.listens_for(Engine, "commit")
    def before(connection):
        if due(connection.engine.url):
            die()


def tell(**what):
    print(json.dumps(what), flush=True)


def opened(job):
    return create(Settings(home=Path(job["home"]), actor="tester", **job.get("databases", {})))[0]


def work_open(job):
    opened(job).close()
    tell(open=True)


def work_erase(job):
    registry_ = opened(job)
    plan = plan_erasure(
        registry_,
        job["manifest"],
        fields=["prompt"],
        asset=True,
        reason="asked for by the person",
        authority="ticket 7",
    )
    tell(id=registry.erase.erase(registry_, plan))


def work_record(job):
    try:
        registry_ = opened(job)
    except MintmarkError as problem:
        tell(error=str(problem), exit=problem.exit_code)
        return
    for n in range(job["first"], job["first"] + job["count"]):
        path = Path(job["folder"]) / f"{job['name']}-{n}.txt"
        draft_file = path.with_suffix(f".{os.getpid()}")  # several children may be given the same name
        draft_file.write_text(f"words of {job['name']} number {n} " * 60)
        draft_file.rename(path)
        draft = Draft(
            provider=Provider(name="vendor"),
            model=Model(requested="m-1"),
            prompt=Prompt(submitted=f"secret prompt of {job['name']} {n}"),
            labels={"app": job["name"]},
            outputs=[Incoming(file=str(path))],
            exchange_id=job.get("exchange") or f"exchange-{job['name']}-{n}",
        )
        try:
            done = record(registry_, draft, {str(path): path})
        except MintmarkError as problem:
            tell(error=str(problem), exit=problem.exit_code)
        else:
            tell(id=done.id, new=done.new)


_WORK = {"open": work_open, "erase": work_erase, "record": work_record}


def child(job, out):
    os.dup2(out, 1)
    if job.get("limit"):
        # Reaching the limit is then an error of write(), as on a full disk, and no signal.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
    if job.get("step"):
        arm(job["step"])
    _WORK[job["work"]](job)


def start(job):
    """Fork a child; answers its process id and the pipe it tells into."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    status = 3
    try:
        child(job, write)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def serve():
    for line in sys.stdin:
        running = [(job, *start(job)) for job in json.loads(line)]
        answers = []
        for job, pid, read in running:
            first = b""
            if "kill_after" in job:
                # Counted from the first answer: a slow machine then kills recordings, too, and not only start-ups.
                first = os.read(read, 1 << 16)
                time.sleep(job["kill_after"])
                os.kill(pid, signal.SIGKILL)
            with open(read, "rb") as told:
                lines = (first + told.read()).decode().splitlines(keepends=True)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            answers.append({"status": status, "told": [json.loads(said) for said in lines if said.endswith("\n")]})
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    serve()
