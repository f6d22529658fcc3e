"""Runs that somebody asks for over HTTP: enqueued here, made by whichever worker takes them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from drift.errors import MintmarkError
from registry.canonical import JSON, canonical
from registry.errors import InvalidValue, NotFound, Refused
from registry.home import Registry
from registry.http.work import Kind
from registry.journal.budgets import nanos_of
from registry.journal.calls import Calls
from registry.journal.deliveries import Deliveries
from registry.journal.runs import Runs
from registry.journal.states import OPEN
from replay.consenting import Terms
from replay.costing import Money
from replay.jobs import BATCH, INTERACTIVE, SHARE, SUITE, Job, Jobs, Lane
from replay.report.html import render
from replay.report.pictures import Shown
from replay.suites.file import FORMAT, parse_suite
from replay.suites.plan import Amount, Plan
from replay.suites.planning import Asked, plan_of
from replay.suites.selecting import Lock, resolve
from replay.suites.starting import start, terms_with

_LANES: Mapping[Kind, Lane] = {"replay": "interactive", "suite": "batch"}

MOST: Final = 100_000
"""Replays that a run over HTTP may begin with."""


class RunRefused(Refused):
    """What was asked for cannot be run; nothing was sent and nothing is kept of it."""


class Asking:
    """What the API asks for, done with the client of the engine: see ``registry.http.work.Work``."""

    def __init__(self, registry: Registry, jobs: Jobs) -> None:
        self._registry, self._jobs = registry, jobs
        self._runs = Runs(registry.catalog.database)
        self._calls, self._deliveries = Calls(registry.catalog.database), Deliveries(registry.catalog.database)

    def begin(self, kind: Kind, asked: Mapping[str, JSON], run_id: str | None) -> tuple[str, bool]:
        """Enqueue a run; its id, and whether it is new."""
        text = asked["suite"] if kind == "suite" else self._suite_of(asked)
        new = run_id is None or not self._known(run_id)
        if run_id is None or new:
            plan, terms = self._planned(str(text), asked)
            with _refusals():
                run_id = start(self._registry, plan, terms, run_id).run
        lane = _LANES[kind]
        # Again for a run that is known: whoever made its row may have ended before this.
        self._jobs.add(SUITE, run_id, [run_id, lane], INTERACTIVE if lane == "interactive" else BATCH)
        return run_id, new

    def job(self, id: str) -> dict[str, JSON]:
        """One job as the API shows it."""
        job = self._job(id)
        return {
            "id": job.id, "kind": job.kind, "run": _run_of(job), "lane": job.lane, "state": job.state,
            "worker": job.worker, "created_ms": job.created_ms, "updated_ms": job.updated_ms, "error": job.error,
        }  # fmt: skip

    def cancel(self, id: str) -> bool:
        """End a job; a run ends by its row, which its workers watch."""
        job = self._job(id)
        if (run_id := _run_of(job)) is not None:
            return self._runs.cancel(run_id)
        if job.state not in ("queued", "running"):
            return False
        self._jobs.cancel(job.id)
        return True

    def report(self, result: Mapping[str, JSON]) -> str:
        """The page about a run that is over."""
        return render(result, Shown(self._registry))

    def wake(self, provider: str, job: str, delivery: str) -> bool:
        """Wake who polls a provider's job; False where the delivery came before, or nobody polls it."""
        if not self._deliveries.first(provider, delivery):
            return False
        call = self._calls.by_job(provider, job)
        return call is not None and call.state in OPEN and self._jobs.wake(call.owner, call.key)

    def _job(self, name: str) -> Job:
        try:
            return self._jobs.get(self._runs.resolve(name))
        except (NotFound, InvalidValue):  # a share, or a notice
            return self._jobs.get(name)

    def _known(self, run_id: str) -> bool:
        try:
            self._runs.state(run_id)
        except NotFound:
            return False
        return True

    def _suite_of(self, asked: Mapping[str, JSON]) -> str:
        """A suite of one manifest; JSON is YAML."""
        id = self._registry.catalog.resolve(asked["manifest"])
        suite = {"format": FORMAT, "name": "replay", "select": [{"manifest": id}], "allow_alias": asked["allow_alias"]}
        return json.dumps(suite | ({"target": {"model": asked["model"]}} if asked["model"] else {}))

    def _planned(self, text: str, asked: Mapping[str, JSON]) -> tuple[Plan, Terms]:
        assumed, budget = asked["assume_cost"], asked["budget"]
        how = Asked(
            offline=asked.get("offline", False),
            repeat=asked.get("repeat") or asked.get("times") or 1,
            assume_cost=None if assumed is None else Amount(**assumed),
        )
        with _refusals():
            suite = parse_suite(Path("the suite"), text.encode())
            manifests = resolve(self._registry, suite)
            if (count := how.repeat * len(manifests)) > MOST:
                raise RunRefused(f"these are {count:,} replays, and one run may have {MOST:,}; ask for several runs")
            digest = hashlib.sha256(canonical(list(manifests))).hexdigest()
            plan = plan_of(self._registry, suite, Lock(manifests, digest), how)
        return plan, terms_with(Terms(_money(budget), _money(assumed)), suite.budget)


@contextmanager
def _refusals() -> Iterator[None]:
    """What a command says by its exit status, the API says by 422."""
    try:
        yield
    except Refused:
        raise
    except MintmarkError as problem:
        if problem.exit_code not in (2, 4, 5):
            raise
        raise RunRefused(getattr(problem, "over_http", str(problem))) from None


def _money(asked: JSON) -> Money | None:
    return None if asked is None else Money(nanos_of(asked["amount"]), asked["currency"], "by the cost assumed")


def _run_of(job: Job) -> str | None:
    return str(job.args[0]) if job.kind in (SUITE, SHARE) else None
