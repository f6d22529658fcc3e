"""Which replays a run wants next, told by what its rows say. Pure: no I/O, the same rows give the same answer."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from drift.floor import Regime
from registry.journal.runs import RunReplay
from replay.suites.plan import Case, Plan

Purpose = Literal["first", "gate", "confirm", "look"]


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """One replay that somebody is to make: of which manifest, its number among the run's replays of it, and why."""

    manifest: str
    ordinal: int
    purpose: Purpose


def by_manifest(rows: Sequence[RunReplay]) -> Mapping[str, list[RunReplay]]:
    """The rows of each manifest, by ordinal."""
    found: dict[str, list[RunReplay]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one.ordinal):
        found[row.manifest].append(row)
    return found


def first(case: Case, plan: Plan) -> int:
    """How many replays of a manifest are made before anything is known of the present version."""
    count = max(case.policy.replays.gate if case.sampled else 1, plan.options.repeat)
    return max(1, min(count, len(case.recorded))) if plan.options.offline else count


def beginning(plan: Plan) -> tuple[Wanted, ...]:
    """What every run begins with, in the order of its manifests."""
    return tuple(
        Wanted(case.id, ordinal, "gate" if case.sampled else "first")
        for case in plan.cases
        for ordinal in range(first(case, plan))
    )


def further(
    plan: Plan,
    rows: Sequence[RunReplay],
    *,
    unconfirmed: Callable[[Case, Sequence[RunReplay]], bool],
    suspects: Callable[[], Mapping[str, int]],
) -> tuple[Wanted, ...]:
    """What is to be made besides what is there; nothing where all that can be said will be said.

    Args:
        plan: of the run.
        rows: every replay of it.
        unconfirmed: whether the only replay of a seeded manifest lies beyond its noise floor.
        suspects: asked once every gate replay has ended: of each suspect how many replays the next look takes, the
            strongest suspect first.
    """
    known = by_manifest(rows)
    confirmations = [
        Wanted(case.id, len(mine), "confirm")
        for case in plan.cases
        if case.regime is Regime.SEEDED and _whole(mine := known[case.id]) and not _has(mine, "confirm")
        and _room(case, plan, len(mine)) and unconfirmed(case, mine)
    ]  # fmt: skip
    sampled = [case for case in plan.cases if case.sampled]
    gated = [row for case in sampled for row in known[case.id]]
    if not sampled or any(row.state == "wanted" for row in gated):
        return tuple(confirmations)
    cases = {case.id: case for case in sampled}
    looks = [
        Wanted(manifest, ordinal, "look")
        for manifest, number in suspects().items()
        if _whole(known[manifest]) and _room(cases[manifest], plan, number - 1)
        for ordinal in range(len(known[manifest]), number)
    ]
    return (*confirmations, *looks)


def _whole(rows: Sequence[RunReplay]) -> bool:
    """Whether every replay was made: of a manifest whose provider failed no more are asked for."""
    return bool(rows) and all(row.state == "made" for row in rows)


def _has(rows: Sequence[RunReplay], purpose: Purpose) -> bool:
    return any(row.purpose == purpose for row in rows)


def _room(case: Case, plan: Plan, ordinal: int) -> bool:
    """Whether there can be a replay of that number: offline only of what is recorded."""
    return not plan.options.offline or ordinal < len(case.recorded)
