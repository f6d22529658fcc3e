"""Paid calls in processes of their own, made to the misbehaving emulator, and what must hold whatever they came to."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry.audit import audit
from registry.capture.description import shipped
from registry.drafting import Draft, Incoming
from registry.home import create
from registry.journal.states import RESERVING, SETTLING, CallState
from registry.manifest import Model, Prompt, Provider
from registry.record import record
from registry.settings import Settings
from registry.templating import templated

MODELS = {"openai-images": "gpt-image-2-{n}", "replicate-models": "black-forest-labs/flux-{n}"}
RESERVE = 40_000_000


class Caller:
    """Starts calls; a call that is awaited has ended, by itself or by a signal."""

    def __init__(self):
        program = [sys.executable, str(Path(__file__).with_name("caller.py"))]
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=os.environ | {"PYTHONPATH": root},
        )

    def start(self, job):
        return self._ask(job)["pid"]

    def wait(self, pid):
        return self._ask({"wait": pid})

    def kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)

    def __call__(self, job):
        return self.wait(self.start(job))

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _ask(self, value):
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def caller(running_emulator):
    """Makes paid calls in children that can be killed."""
    before = dict(os.environ)
    os.environ.update(running_emulator.environment())
    made = Caller()
    os.environ.clear()
    os.environ.update(before)
    yield made
    made.close()


class Till:
    """A registry with one generation to replay from each vendor, and a budget."""

    def __init__(self, emulator, home, databases, picture):
        self.emulator, self.home, self.databases, self.count = emulator, home, databases, 0
        self.registry = create(Settings(home=home, actor="tester", **databases))[0]
        self.budget = self.registry.budgets.create(RESERVE * 110, "USD")
        self.manifests = {name: self._recorded(name, picture) for name in MODELS}

    def _recorded(self, name, picture):
        description = shipped().by_id(name)
        path = picture(f"{name}.png")
        draft = Draft(
            provider=Provider(name=description.provider),
            model=Model(requested=MODELS[name].format(n=0)),
            operation="image.generate",
            prompt=Prompt(submitted="a stone bridge in the fog"),
            outputs=[Incoming(file=str(path))],
        )
        return record(self.registry, templated(draft, description), {str(path): path}).id

    def job(self, name, *, idempotent=False, **more):
        """A call to a vendor of its own key, and of a model nobody else asks for, so that its charges can be told."""
        self.count += 1
        base = {"home": str(self.home), "databases": self.databases, "manifest": self.manifests[name]}
        base |= {"model": MODELS[name].format(n=self.count), "key": f"call-{self.count:05d}", "run": "r-1"}
        base |= {"budget": self.budget, "reserve": RESERVE}
        return base | ({"idempotent": name} if idempotent else {}) | more

    def charges(self, job):
        """How often the model of a call was run."""
        return sum(run["model"] == job["model"] for vendor in self.emulator.vendors.values() for run in vendor.runs)

    def state(self, job):
        """Where its row stands; None where there is none."""
        stored = self.registry.calls.get(job["key"])
        return stored and stored.state

    def faults(self, jobs):
        """Everything that is wrong, as sentences; every call has come to an end by now."""
        told = [str(fault) for fault in audit(self.registry, None).faults]
        self.registry.log.sequence()
        with self.registry.catalog.database.reading() as connection:
            logged = [self.registry.log.entry(connection, n).id for n in range(self.registry.log.size(connection))]
        for job in jobs:
            told += [f"{job['key']} ({job['model']}): {why}" for why in self._faults_of(job, logged)]
        budget, rows = self.registry.budgets.get(self.budget), self.registry.calls.in_states(list(CallState))
        if budget.reserved != sum(row.reserved for row in rows if row.state in RESERVING):
            told.append(f"reserved {budget.reserved} is not what the rows hold back")
        if budget.settled != sum(row.settled for row in rows if row.state in SETTLING):
            told.append(f"settled {budget.settled} is not what the rows cost")
        if budget.left < 0:
            told.append("the budget is exceeded")
        open_now = {row.key for row in rows if row.state in RESERVING and row.state is not CallState.AMBIGUOUS}
        left = [path.name for path in (self.home / "calls").iterdir() if path.name not in open_now]
        return told + [f"{name}: its answer lies about" for name in left]

    def _faults_of(self, job, logged):
        charges, stored = self.charges(job), self.registry.calls.get(job["key"])
        made = self.registry.catalog.exchange(job["key"])
        if made is None or logged.count(made[0]) != 1:
            yield f"its generation is logged {logged.count(made[0]) if made else 0} times"
        if stored is None:
            if charges:
                yield f"{charges} charges without a row"
            return
        if made is not None and stored.generation != made[0]:
            yield f"its row names {stored.generation}"
        allowed = {"recorded": (1,), "failed": (0,), "ambiguous": (0, 1), "paid": (1,)}.get(stored.state, ())
        if charges not in allowed:
            yield f"{stored.state} with {charges} charges"


def opened(emulator, *about):
    """A till whose vendors are done with a job at the second look."""
    emulator.reset()
    for vendor in emulator.vendors.values():
        vendor.patience = 1
    made = Till(emulator, *about)
    yield made
    made.registry.close()
    for vendor in emulator.vendors.values():
        del vendor.patience


@pytest.fixture
def till(running_emulator, tmp_path, picture):
    """A till on SQLite."""
    yield from opened(running_emulator, tmp_path / ".mintmark", {}, picture)


@pytest.fixture
def postgres_till(running_emulator, tmp_path, picture, postgres_url, vault_url):
    """A till on PostgreSQL."""
    databases = {"database": postgres_url, "vault": vault_url}
    yield from opened(running_emulator, tmp_path / ".mintmark", databases, picture)
