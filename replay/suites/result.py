"""A run's result: the document of schemas/run/v1, made from what was found. Pure: no I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drift.significance.decision import Decision
from registry.canonical import JSON
from registry.errors import counted
from registry.journal.runs import Run
from replay.judging import Judgement
from replay.suites.deciding import Found
from replay.suites.plan import Plan

FORMAT = "mintmark/run/v1"
KINDS = ("reproduced", "within-noise", "drifted", "not-replayable", "undecided")


@dataclass(frozen=True, slots=True)
class Gate:
    """The test of all free samples together, its manifests, and the sentence for people."""

    decision: Decision
    manifests: Sequence[str]
    sentence: str
    test: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the journal knows of a run's replays: seconds and cost by generation, what its budget has become."""

    seconds: Mapping[str, float | None]
    costs: Mapping[str, Mapping[str, JSON]]
    total: Sequence[Mapping[str, JSON]]
    budget: Mapping[str, JSON] | None


def result_of(
    run: Run,
    plan: Plan,
    found: Sequence[Found],
    gate: Gate | None,
    facts: Facts,
    drift: Mapping[tuple[str, int], Sequence[str]],
    *,
    finished_at: str,
) -> dict[str, JSON]:
    """The document; ``drift`` gives the drift records' ids by manifest and ordinal."""
    kinds: Counter[str] = Counter(one.verdict.kind for one in found if one.verdict is not None)
    allowed = {
        "not-replayable": kinds["not-replayable"] <= plan.allow.not_replayable,
        "undecided": kinds["undecided"] <= plan.allow.undecided,
    }
    errors = [one for one in found if one.error is not None]
    code, reason = exit_of(plan, found, gate, canceled=run.state == "canceled")
    return {
        "format": FORMAT,
        "id": run.id,
        "suite": {"name": plan.suite.name, "sha256": plan.suite.sha256, "lock_sha256": plan.suite.lock_sha256},
        "target": {"provider": plan.target.provider, "model": plan.target.model},
        "state": "canceled" if run.state == "canceled" else "finished",
        "started_at": run.created_at,
        "finished_at": finished_at,
        "exit_code": code,
        "exit_reason": reason,
        "options": {"offline": plan.options.offline, "repeat": plan.options.repeat},
        "budget": facts.budget,
        "cost": list(facts.total),
        "counts": {
            "manifests": len(found),
            "replays": sum(row.state == "made" for one in found for row in one.rows),
            "verdicts": {kind: kinds[kind] for kind in KINDS},
            "errors": len(errors),
        },
        "gate": None if gate is None else {
            "verdict": gate.decision.answer,
            "sentence": gate.sentence,
            "test": dict(gate.test),
            "manifests": list(gate.manifests),
        },
        "manifests": [_manifest(one, plan, allowed, facts, drift) for one in found],
    }  # fmt: skip


def exit_of(plan: Plan, found: Sequence[Found], gate: Gate | None, *, canceled: bool) -> tuple[int, str]:
    """The exit code, and the sentence that says which of them it is: 1 before 3 before 4 before 0."""
    kinds: Counter[str] = Counter(one.verdict.kind for one in found if one.verdict is not None)
    drifted = kinds["drifted"]
    together = gate is not None and gate.decision.answer == "drifted"
    if drifted or together:
        said = f"{drifted} of {counted(len(found), 'manifest')}" if drifted else "no single manifest is named"
        return 1, f"drifted: {said}{'; the suite as a whole has changed' if together else ''}"
    errors = [one.error for one in found if one.error is not None]
    if errors:
        classes = ", ".join(f"{name} {count}×" for name, count in sorted(Counter(e.class_ for e in errors).items()))  # noqa: RUF001
        return 3, f"could not run: {counted(len(errors), 'manifest')} without an answer ({classes})"
    if canceled:
        return 4, "undecided: the run was canceled"
    open_ = [one.verdict for one in found if one.verdict is not None and one.verdict.kind == "undecided"]
    if short := sum(verdict.reason_code == "budget" for verdict in open_):
        return 4, f"undecided: the budget does not pay for {counted(short, 'manifest')}"
    over = [
        f"{kinds[kind]} {kind} where the suite allows {most}"
        for kind, most in (("not-replayable", plan.allow.not_replayable), ("undecided", plan.allow.undecided))
        if kinds[kind] > most
    ]
    if over:
        return 4, f"undecided: {' and '.join(over)}"
    limited = sum(one.verdict is not None and one.verdict.reason_code == "limits" for one in found)
    return 0, _green(kinds, limited)


def _green(kinds: Mapping[str, int], limited: int) -> str:
    if not kinds["reproduced"] and not kinds["within-noise"]:
        open_ = " and ".join(f"{kinds[kind]} {kind}" for kind in ("not-replayable", "undecided") if kinds[kind])
        return f"nothing was reproduced, and the suite allows it: {open_ or 'no manifests'}"
    told = {**kinds, "within-noise": kinds["within-noise"] - limited}
    parts = [f"{told[kind]} {kind.replace('-', ' ')}" for kind in KINDS if told.get(kind)]
    if limited:
        parts.insert(bool(kinds["reproduced"]) + bool(told["within-noise"]), f"{limited} inside the limits")
    (first, *others) = parts or ["0 asked for"]
    count, _, word = first.partition(" ")
    return ", ".join([f"{count} of {sum(kinds.values())} {word}", *others])


def _manifest(
    one: Found,
    plan: Plan,
    allowed: Mapping[str, bool],
    facts: Facts,
    drift: Mapping[tuple[str, int], Sequence[str]],
) -> dict[str, JSON]:
    case, verdict = one.case, one.verdict
    sent = {"model": plan.target.model or case.model}
    tests = [judged.test for answer in one.judged for judged in answer if judged.test is not None]
    level = next((judged.level for answer in one.judged for judged in answer), case.policy.level)
    policy: dict[str, Any] = {
        "level": level,
        "alpha": case.policy.alpha,
        "limits": {name: {"min": ends.min, "max": ends.max} for name, ends in case.policy.limits.items()},
        "replays": {"baseline": case.policy.replays.baseline, "gate": case.policy.replays.gate,
                    "max": case.policy.replays.max},
        "min_power": None if case.policy.min_power is None else {
            "power": case.policy.min_power.power, "effect": case.policy.min_power.effect,
            "size": case.policy.min_power.size},
    }  # fmt: skip
    return {
        "id": case.id,
        "original": case.replaced,
        "name": case.name,
        "operation": case.operation,
        "provider": case.provider,
        "model": case.model,
        "sent_model": sent["model"],
        "media": list(case.kinds),
        "policy": policy,
        "regime": one.regime.value,
        "calibration": case.calibration,
        "baseline": case.outputs,
        "verdict": None if verdict is None else dict(verdict.to_json()),
        "error": None if one.error is None else {"class": one.error.class_, "why": one.error.why},
        "allowed": verdict is not None and allowed.get(verdict.kind, False) and verdict.reason_code != "budget",
        "test": dict(tests[-1]) if tests else None,
        "replays": [
            _replay(row, judged, facts, drift.get((case.id, row.ordinal), ()))
            for row, judged in zip(one.rows, one.judged, strict=True)
        ],
    }


def _replay(row: Any, judged: Sequence[Judgement], facts: Facts, drift: Sequence[str]) -> dict[str, JSON]:  # noqa: ANN401
    made = row.generation or ""
    return {
        "ordinal": row.ordinal,
        "purpose": row.purpose,
        "generation": row.generation,
        "outcome": row.outcome or row.state,
        "seconds": facts.seconds.get(made),
        "cost": facts.costs.get(made),
        "verdicts": [dict(one.verdict.to_json()) for one in judged],
        "scores": [[score.to_json() for score in one.scores] for one in judged],
        "drift": list(drift),
    }
