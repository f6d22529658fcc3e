"""Ends a run: verdicts, drift records, the signed run record and the result, each exactly once."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from drift.verdict import none_broken, of_assertions
from registry.canonical import JSON, canonical
from registry.home import Registry
from registry.journal.budgets import Budgets, amount_text
from registry.journal.runs import Run, Runs
from registry.schema import validate
from registry.times import now
from replay.measuring import Measured
from replay.recording import record_drift
from replay.suites.deciding import Deciding, Found
from replay.suites.plan import Plan
from replay.suites.result import Facts, Gate, result_of


class Moved(Exception):
    """The run was canceled, or wants something again, while it was judged: whoever ends it looks at it anew."""


_LONGEST = 2048  # characters of a sentence in a record


def finish(registry: Registry, run: Run, plan: Plan, deciding: Deciding) -> Mapping[str, JSON]:
    """Judge everything, log it, and write the result down; the result that counts is the one written first.

    Raises:
        Moved: the run is no longer as it was read; nothing about its end was written.
    """
    found = [deciding.found(case) for case in plan.cases]
    drift = {} if plan.options.offline else _drift_records(registry, plan, found)
    gate = _gate(deciding)
    result = result_of(run, plan, found, gate, _facts(registry, plan, found), drift, finished_at=now())
    validate("run/v1", result)
    runs = Runs(registry.catalog.database)
    body = canonical(_record(result, plan))

    def check(connection: Connection) -> str | None:
        known = runs.record_of(connection, run.id)
        if known is None and not runs.still(connection, run):
            raise Moved
        return known

    def derive(connection: Connection, record_id: str) -> None:
        about = [case.id for case in plan.cases]
        registry.catalog.insert_about(connection, record_id, "run", str(result["finished_at"]), about)
        runs.finish(connection, run.id, "canceled" if run.state == "canceled" else "finished", result, record_id)

    registry.append("run", body, derive=derive, check=check)
    written: Mapping[str, JSON] = runs.get(run.id).result
    return written


def _drift_records(registry: Registry, plan: Plan, found: Sequence[Found]) -> dict[tuple[str, int], list[str]]:
    """One for each output of each replay; made twice, they are the same records."""
    ids: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in found:
        for row, judged in zip(one.rows, one.judged, strict=True):
            for output, judgement in enumerate(judged):
                if judgement.scores and row.generation:
                    ids[one.case.id, row.ordinal].append(
                        record_drift(registry, one.case.original, row.generation, output, judgement, at=row.updated_at,
                                     actor=plan.actor)
                    )  # fmt: skip
    return dict(ids)


def _gate(deciding: Deciding) -> Gate | None:
    sampling = deciding.sampling
    decision = sampling.gate
    if decision is None:
        return None
    seen = "" if decision.answer != "within-noise" else " ".join(one.sentence for one in sampling.sensitivity.values())
    tested = sampling.tested.values()
    test = {
        **decision.to_json(),
        "baseline_runs": list(dict.fromkeys(run for one in tested for run in one.baseline_runs)),
        "replay_runs": list(dict.fromkeys(run for one in tested for run in one.replay_runs)),
    }
    told = (decision.sentence, seen, _unbroken(deciding, decision.answer))
    return Gate(decision, sampling.manifests, " ".join(filter(None, told)), test)


def _unbroken(deciding: Deciding, answer: str) -> str:
    """What a pass says of rare failures, by the gate's own replays; nothing where one of them is broken."""
    rows = [row for manifest in deciding.sampling.manifests for row in deciding.rows[manifest] if row.state == "made"]
    made = [Measured.from_json(one) for row in rows for one in row.scores or ()]
    if answer != "within-noise" or any(of_assertions(one.known, one.failed) for one in made):
        return ""
    return none_broken(len(made))


def _facts(registry: Registry, plan: Plan, found: Sequence[Found]) -> Facts:
    """Seconds and cost, from the manifests of what was made."""
    seconds: dict[str, float | None] = {}
    costs: dict[str, Mapping[str, JSON]] = {}
    total: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in (row for one in found for row in one.rows if row.generation):
        manifest = registry.catalog.manifest(row.generation or "")
        took, cost = manifest.outcome.latency_ms.total, manifest.cost
        seconds[row.generation or ""] = None if took is None else took / 1000
        if cost.amount is not None and cost.currency is not None and not plan.options.offline:
            costs[row.generation or ""] = {"amount": cost.amount, "currency": cost.currency, "kind": cost.kind}
            total[cost.currency, cost.kind] += Decimal(cost.amount)
    summed = [
        {"currency": currency, "amount": f"{amount:f}", "kind": kind}
        for (currency, kind), amount in sorted(total.items())
    ]
    return Facts(seconds, costs, summed, _budget(registry, plan))


def _budget(registry: Registry, plan: Plan) -> dict[str, JSON] | None:
    if plan.budget is None:
        return None
    left = Budgets(registry.catalog.database).get(plan.budget.id)
    return {
        "amount": amount_text(left.amount),
        "currency": left.currency,
        "spent": amount_text(left.settled),
        "reserved": amount_text(left.reserved),
    }


def _record(result: Mapping[str, JSON], plan: Plan) -> dict[str, JSON]:
    """What is signed: the answers with the records behind them, and the digest of the whole result."""
    gate = result["gate"]
    value: dict[str, JSON] = {
        "format": "mintmark/run/v1",
        "recorded_at": result["finished_at"],
        "run": result["id"],
        "suite": result["suite"],
        "target": result["target"],
        "exit_code": result["exit_code"],
        "exit_reason": result["exit_reason"],
        "gate": None if gate is None else {**gate, "sentence": gate["sentence"][:_LONGEST]},
        "manifests": [
            {
                "id": one["id"],
                "verdict": one["verdict"],
                "error": None if one["error"] is None else one["error"]["class"],
                "calibration": one["calibration"],
                "replays": [each["generation"] for each in one["replays"] if each["generation"]],
                "drift": [record for each in one["replays"] for record in each["drift"]],
            }
            for one in result["manifests"]
        ],
        "result": hashlib.sha256(canonical(dict(result))).hexdigest(),
        "actor": plan.actor,
    }
    validate("record/v1", value)
    return value
