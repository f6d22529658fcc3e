"""Workers that are killed, stopped, many: nothing is made twice. Longer ones: tests/faults/campaign_workers.py."""

import collections
import os
import signal
from pathlib import Path

import pytest

from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay.embedded import drive
from replay.generating import Ask, generate
from replay.jobs import SUITE, Jobs
from replay.suites.file import parse_suite
from replay.suites.plan import Plan
from replay.suites.planning import Asked, plan_of
from replay.suites.selecting import Lock, resolve
from replay.suites.starting import Terms, start


@pytest.fixture
def hand_in():
    """Puts a run into a lane."""

    def put(registry, run, lane="batch"):
        jobs = Jobs(registry.settings)
        jobs.add(SUITE, run, [run, lane], lane)
        jobs.close()

    return put


def over(registry, run):
    return lambda: Runs(registry.catalog.database).get(run).result is not None


def test_a_killed_workers_run_goes_on_elsewhere(local_registry, tally, forking, new_run, hand_in, until, tmp_path):
    suites = tally.Tally(tmp_path / "log")
    run = new_run(local_registry, 12)
    hand_in(local_registry, run)
    first = forking(local_registry.home, suites.log, 0.2)
    until(lambda: len(suites.lines("end")) >= 3)

    os.kill(first, signal.SIGKILL)
    forking(local_registry.home, suites.log, 0.0)
    until(over(local_registry, run))

    begun = collections.Counter(line[0] for line in suites.lines("begin"))
    twice = [manifest for manifest, count in begun.items() if count > 1]
    assert len(begun) == 12 and len(twice) <= 2, "only what was under way is begun again; its journal goes on with it"
    assert len({line[2] for line in suites.lines("end")}) == 2


def test_a_worker_that_is_told_to_end_leaves_nothing_behind(
    local_registry, tally, forking, new_run, hand_in, until, tmp_path
):
    suites = tally.Tally(tmp_path / "log")
    run = new_run(local_registry, 8)
    hand_in(local_registry, run)
    first = forking(local_registry.home, suites.log, 0.2)
    until(lambda: suites.lines("end"))

    os.kill(first, signal.SIGTERM)
    until(lambda: not Workers(local_registry.catalog.database).all())
    begun, ended = suites.lines("begin"), suites.lines("end")

    assert sorted(begun) == sorted(ended), "what was begun is finished"
    jobs = Jobs(local_registry.settings)
    assert jobs.get(run).state == "queued"
    jobs.close()


SUITE_TEXT = b"""format: mintmark/suite/v1
name: many
select:
- labels: {app: x}
policies:
  image.generate: {level: bytes}
"""


def begun(registry):
    """A run of every manifest with the label, to be made by somebody."""
    suite = parse_suite(Path("suite.yaml"), SUITE_TEXT)
    plan = plan_of(registry, suite, Lock(resolve(registry, suite), "0" * 64), Asked(repeat=1))
    assert isinstance(plan, Plan)
    return start(registry, plan, Terms()).run


def verdicts(registry, run):
    result = Runs(registry.catalog.database).get(run).result
    told = [{key: one[key] for key in ("id", "verdict", "test", "allowed")} for one in result["manifests"]]
    return told, result["gate"], result["exit_code"]


def test_four_workers_say_what_one_says(local_registry, forking, hand_in, until):
    for seed in range(6):
        generate(
            local_registry, Ask("procedural", "procedural-image@1", prompt="x", seed=str(seed), labels={"app": "x"})
        )
    alone, together = begun(local_registry), begun(local_registry)
    drive(local_registry, alone)

    for _ in range(4):
        forking(local_registry.home, None)
    until(lambda: len(Workers(local_registry.catalog.database).living()) == 4)
    hand_in(local_registry, together)
    until(over(local_registry, together))

    assert verdicts(local_registry, together) == verdicts(local_registry, alone)
    jobs = Jobs(local_registry.settings)
    assert {job.state for job in jobs.find(kinds=["share"], prefix=together)} == {"done"}
    written = b"".join(path.read_bytes() for path in local_registry.home.glob("jobs.db*"))
    assert together.encode() in written and b"lighthouse" not in written
    jobs.close()
