"""Workers killed, stopped and cut off for minutes, with vendors that count what they charge: ``make test-faults``."""

import importlib
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from registry.audit import audit
from registry.capture.description import shipped
from registry.database import DatabaseFailed
from registry.drafting import Draft, Incoming
from registry.journal.budgets import NANOS
from registry.journal.runs import Runs
from registry.journal.workers import STALE_MS
from registry.manifest import Model, Prompt, Provider
from registry.record import record
from registry.templating import templated
from replay.consenting import Terms
from replay.costing import Money
from replay.jobs import SUITE, Jobs
from replay.suites.file import parse_suite
from replay.suites.plan import Amount
from replay.suites.planning import Asked, plan_of
from replay.suites.selecting import Lock, resolve
from replay.suites.starting import start

_SPEC = importlib.util.spec_from_file_location(
    "engine_fixtures", Path(__file__).parents[1] / "replay" / "engine" / "conftest.py"
)
_ENGINE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ENGINE)
fleet, forking, restart = _ENGINE.fleet, _ENGINE.forking, _ENGINE.restart
KILLS = int(os.environ.get("MINTMARK_FAULTS_WORKERS", "12"))
SUITE_TEXT = b"""format: mintmark/suite/v1
name: paid
select:
- labels: {app: paid}
policies:
  image.generate: {level: bytes}
"""


@pytest.fixture
def begun(fleet, emulator, picture):
    """A run of twelve paid replays of three models of a vendor whose jobs take a few polls."""
    for vendor in emulator.vendors.values():
        vendor.patience = 3
    description = shipped().by_id("replicate-models")
    for n in range(3):
        path = picture(f"{n}.png", seed=n)
        draft = Draft(
            provider=Provider(name=description.provider),
            model=Model(requested=f"black-forest-labs/flux-{n}"),
            operation="image.generate",
            prompt=Prompt(submitted="a prompt that no row of a job may hold"),
            outputs=[Incoming(file=str(path))],
            labels={"app": "paid"},
        )
        record(fleet, templated(draft, description), {str(path): path})
    suite = parse_suite(Path("suite.yaml"), SUITE_TEXT)
    cost = Amount(amount="0.04", currency="USD")
    plan = plan_of(fleet, suite, Lock(resolve(fleet, suite), "0" * 64), Asked(repeat=4, assume_cost=cost))
    terms = Terms(Money(2 * NANOS, "USD", "told"), Money(NANOS // 25, "USD", "told"), yes=True)
    plan = type(plan).from_json(plan.to_json() | {"allow_alias": True})
    yield start(fleet, plan, terms).run
    for vendor in emulator.vendors.values():
        del vendor.patience


@pytest.fixture
def paid(fleet, begun):
    """The same, handed in to whoever works."""
    jobs = Jobs(fleet.settings)
    jobs.add(SUITE, begun, [begun, "batch"], "batch")
    jobs.close()
    return begun


@pytest.fixture
def hire(fleet, emulator, forking):
    """Starts a worker in a process of its own."""
    names = ("database", "vault", "jobs")
    urls = {name: url for name in names if (url := getattr(fleet.settings, name)) is not None}
    return lambda: forking(fleet.home, None, environment=emulator.environment(), **urls)


def charges(emulator):
    return sum(len(vendor.runs) for vendor in emulator.vendors.values())


def wait_for(fleet, run, seconds=180):
    patience = time.monotonic() + seconds
    while time.monotonic() < patience:
        try:
            if (result := Runs(fleet.catalog.database).get(run).result) is not None:
                return result
        except (DatabaseFailed, OperationalError):
            pass
        time.sleep(0.1)
    pytest.fail(f"the run did not end: {[row.state for row in Runs(fleet.catalog.database).replays(run)]}")


def check(fleet, run, emulator):
    """Every replay ended, none was charged twice, what was made is logged once."""
    rows = Runs(fleet.catalog.database).replays(run)
    states = [row.state for row in rows]
    made, parked = states.count("made"), states.count("parked")
    assert made + parked == len(rows) == 12, states
    assert made <= charges(emulator) <= made + parked
    fleet.log.sequence()
    assert [str(fault) for fault in audit(fleet, None).faults] == []
    with fleet.catalog.database.reading() as connection:
        logged = [fleet.log.entry(connection, n).id for n in range(fleet.log.size(connection))]
    assert all(logged.count(row.generation) == 1 for row in rows if row.state == "made")
    return parked


def test_workers_that_are_killed_pay_nothing_twice(fleet, paid, hire, emulator):
    chance = random.Random(1)
    crew = [hire(), hire()]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 1.5))
        os.kill(crew.pop(0), signal.SIGKILL)
        crew.append(hire())

    jobs = Jobs(fleet.settings)
    if jobs.get(paid).state == "dead":  # it was killed so often that nobody is given it any more; a person says go on
        jobs.retry(paid)
    jobs.close()
    wait_for(fleet, paid)

    check(fleet, paid, emulator)


def test_a_killed_workers_calls_go_on_within_half_a_minute(fleet, paid, hire, emulator):
    first = hire()
    while charges(emulator) < 2:
        time.sleep(0.02)
    time.sleep(0.5)
    os.kill(first, signal.SIGKILL)
    began, before = time.monotonic(), charges(emulator)
    hire()

    while not any(row.state == "made" for row in Runs(fleet.catalog.database).replays(paid)):
        time.sleep(0.02)
        assert time.monotonic() - began < 30
    print(f"resumed after {time.monotonic() - began:.1f} s")

    wait_for(fleet, paid)
    assert before >= 2
    assert check(fleet, paid, emulator) <= 2


def test_a_worker_that_is_stopped_and_goes_on_pays_nothing_twice(fleet, paid, hire, emulator):
    first = hire()
    while charges(emulator) < 2:
        time.sleep(0.02)
    os.kill(first, signal.SIGSTOP)
    hire()
    time.sleep(STALE_MS / 1000 + 8)
    os.kill(first, signal.SIGCONT)

    wait_for(fleet, paid)

    check(fleet, paid, emulator)


def test_a_run_outlives_a_restart_of_its_database(fleet, paid, hire, emulator, restart):
    hire(), hire()
    while charges(emulator) < 3:
        time.sleep(0.02)

    restart("fast")
    wait_for(fleet, paid)

    check(fleet, paid, emulator)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_check_outlives_a_restart_of_its_database(fleet, begun, emulator, restart, how):
    urls = {f"MINTMARK_{name.upper()}": getattr(fleet.settings, name) for name in ("database", "vault", "jobs")}
    known = {name: url for name, url in urls.items() if url is not None}
    places = {**os.environ, **emulator.environment(), **known, "MINTMARK_HOME": str(fleet.home)}
    program = [Path(sys.executable).with_name("mintmark"), "check", "--resume", begun, "-j", "2"]
    asked = subprocess.Popen(program, env=places, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while charges(emulator) < 3:
        assert asked.poll() is None, asked.communicate()
        time.sleep(0.02)

    restart(how)
    told, problems = asked.communicate(timeout=120)

    parked = check(fleet, begun, emulator)
    assert asked.returncode == (3 if parked else 4), told + problems
    assert f"{begun}  exit {asked.returncode}" in told and "internal error" not in problems
