"""What a run would take and what it could decide, before anything is sent: calls, costs, attainable p, power."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import msgspec

from drift.floor import Regime
from drift.media.media import Kind
from drift.significance.resolution import attainable_of, floor_needed
from drift.significance.rules import suite_rule
from drift.significance.sensitivity import power_for
from drift.significance.sequential import BASELINE, baseline_needed, looks_that_can_reject
from drift.significance.suite import Prompt, suite_replays_needed
from registry.canonical import JSON
from registry.errors import counted
from registry.home import Registry
from replay.calibrating import calibration_called
from replay.consenting import Terms
from replay.suites.billing import Bill, bill_of
from replay.suites.plan import Case, MinPower, Plan
from replay.suites.sampling import Sampling
from replay.suites.wanting import first

_TRIED = 8  # manifests in whose baselines a change is tried: more show smaller ones


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a plan comes to; ``operations`` and ``gate`` are what the statistics can and cannot decide."""

    plan: Plan
    bill: Bill
    budget: str | None
    operations: Mapping[str, Sequence[str]]
    gate: Mapping[str, JSON] | None
    sentences: Sequence[str]

    def lines(self) -> Iterator[str]:
        """For people."""
        bill = self.bill
        yield f"{counted(len(self.plan.cases), 'manifest')}: {bill.begun} replays, {bill.most} at most"
        yield f"worst case: {self._costs()}; budget: {self.budget or 'none'}; nothing was sent"
        for case, verdict in bill.refused:
            yield f"{case.name}: not-replayable ({verdict.reason_code}): {verdict.sentence}"
        if bill.unknown:
            yield f"no known price: {', '.join(sorted({one.model for one in bill.unknown}))}"
        for operation, sentences in self.operations.items():
            for sentence in sentences:
                yield f"{operation}: {sentence}"
        yield from self.sentences

    def _costs(self) -> str:
        """The worst case in words: what has no known price is never called free."""
        known = " and ".join(map(str, self.bill.worst.values()))
        if not self.bill.unknown:
            return known or "nothing is billed"
        count = counted(len(self.bill.unknown), "manifest")
        return f"{f'{known}, and ' if known else ''}unknown for {count}: --assume-cost 0.04 says what a call costs"

    def to_json(self) -> dict[str, JSON]:
        """For programs."""
        bill = self.bill
        return {
            "suite": self.plan.suite.name,
            "manifests": len(self.plan.cases),
            "replays": {"begin": bill.begun, "most": bill.most},
            "worst_case": [{"currency": one.currency, "nanos": one.nanos} for one in bill.worst.values()],
            "unknown_prices": [one.id for one in bill.unknown],
            "not_replayable": [{"id": case.id, **verdict.to_json()} for case, verdict in bill.refused],
            "budget": self.budget,
            "gate": self.gate,
            "decides": {operation: list(sentences) for operation, sentences in self.operations.items()},
            "together": list(self.sentences),
        }


def foresee(registry: Registry, plan: Plan, terms: Terms) -> Foreseen:
    """Look ahead; nothing is sent, and nothing is written.

    Raises:
        WrongCurrency: the budget is in another currency than the calls.
    """
    with registry.catalog.database.together():
        bill = bill_of(registry, plan)
        floors = _floors(registry, plan)
    if terms.budget is not None:
        bill.check_currency(terms.budget)
    refused = {case.id for case, _ in bill.refused}
    made = msgspec.structs.replace(plan, cases=tuple(case for case in plan.cases if case.id not in refused))
    operations: dict[str, list[str]] = defaultdict(list)
    for operation in sorted({case.operation for case in made.cases}):
        mine = [case for case in made.cases if case.operation == operation]
        operations[operation] += _by_regime(mine, floors)
    gate = _gate(made)
    sentences = list(_together(made, gate))
    sentences += _powers(registry, made)
    budget = None if terms.budget is None else str(terms.budget)
    return Foreseen(plan, bill, budget, operations, gate, sentences)


def _floors(registry: Registry, plan: Plan) -> Mapping[str, int]:
    """How many calibration replays each seeded manifest has."""
    return {
        case.id: len(calibration_called(registry, case.calibration).runs)
        for case in plan.cases
        if case.regime is Regime.SEEDED and case.calibration
    }


def _by_regime(cases: Sequence[Case], floors: Mapping[str, int]) -> Iterator[str]:
    limited = [case for case in cases if case.policy.limits]
    if limited:
        yield f"{len(limited)} decided by limits; their error rate is not stated"
    rest = [case for case in cases if not case.policy.limits]
    count = Counter(case.regime for case in rest)
    if number := count[Regime.DETERMINISTIC]:
        yield f"{number} deterministic: one replay decides, without error"
    seeded = [case for case in rest if case.regime is Regime.SEEDED]
    if seeded:
        alarms = sum(case.policy.alpha for case in seeded)
        yield (
            f"{len(seeded)} seeded: a replay and its confirmation decide each at its alpha, so of these {alarms:.2g} "
            "are called drifted on average where nothing changed"
        )
        short = [case for case in seeded if floors[case.id] < floor_needed(case.policy.alpha)]
        if short:
            needed = max(floor_needed(case.policy.alpha) for case in short)
            yield f"{len(short)} of them stay undecided (resolution): it takes {needed} calibration replays"
    if number := count[Regime.UNKNOWN]:
        yield f"{number} uncalibrated: undecided unless equal; `mintmark suite calibrate` calibrates them"
    free = [case for case in rest if case.regime is Regime.UNSEEDED]
    if other := sum(not case.sampled for case in free):
        yield f"{other} free samples that no test takes: undecided unless limits decide"
    thin = [case for case in free if case.sampled and case.outputs < case.policy.replays.baseline]
    if thin:
        wanted = max(case.policy.replays.baseline for case in thin)
        yield f"{len(thin)} free samples with too small a baseline: undecided (resolution), it takes {wanted} outputs"


def _gated(plan: Plan) -> list[Case]:
    return [case for case in plan.cases if case.sampled and case.outputs >= case.policy.replays.baseline]


def _gate(plan: Plan) -> Mapping[str, JSON] | None:
    """What the test of all free samples could reach."""
    cases = _gated(plan)
    if not cases:
        return None
    kinds: list[Kind] = [kind for case in cases for kind in case.kinds]
    _, statistics = suite_rule(kinds)
    groups = [(case.outputs, first(case, plan)) for case in cases for _ in case.kinds]
    alpha = min(case.policy.alpha for case in cases)
    attainable = attainable_of([comb(m + n, n) for m, n in groups], statistics=statistics)
    needed = suite_replays_needed([m for m, _ in groups], alpha=alpha, kinds=kinds) if attainable > alpha else None
    return {
        "manifests": len(cases),
        "baseline": min(m for m, _ in groups),
        "replays": min(n for _, n in groups),
        "alpha": alpha,
        "attainable": attainable,
        "needed": needed,
        "single": sum(case.outputs >= BASELINE for case in cases),
    }


def _together(plan: Plan, gate: Mapping[str, JSON] | None) -> Iterator[str]:
    if gate is None:
        return
    what = f"{gate['manifests']} manifests of free samples, {gate['replays']} replays each against {gate['baseline']}"
    if gate["attainable"] > gate["alpha"]:
        deeper = ": `mintmark suite calibrate --deep`" if gate["baseline"] < BASELINE else ""
        more = f"it takes {gate['needed']} replays each" if gate["needed"] else f"it takes a larger baseline{deeper}"
        yield f"together: {what} reach no p below {gate['attainable']:.2g} but by luck: undecided (resolution); {more}"
        return
    yield f"together: {what} can be relied on to reach p = {gate['attainable']:.2g} at alpha {gate['alpha']:g}"
    cases = _gated(plan)
    shallow = [case for case in cases if case.outputs < BASELINE]
    if shallow:
        yield (
            f"alone: {len(shallow)} of them have fewer than {BASELINE} baseline outputs, so if the suite has changed "
            "its verdict stands without theirs; `mintmark suite calibrate --deep` makes them"
        )
    for case in cases[:1]:
        looks = looks_that_can_reject(case.outputs, alpha=case.policy.alpha, kind=case.kinds[0])
        if case.outputs >= BASELINE and not looks:
            needed = baseline_needed(alpha=case.policy.alpha, kind=case.kinds[0])
            yield f"alone: no look can reject at {case.policy.alpha:g}; it takes {needed} baseline outputs"


def _powers(registry: Registry, plan: Plan) -> Iterator[str]:
    """How often a policy's smallest change of interest would be found, tried in a few of the baselines."""
    wanted: dict[tuple[Kind, MinPower], list[Case]] = defaultdict(list)
    for case in _gated(plan):
        if case.policy.min_power is not None:
            wanted[case.kinds[0], case.policy.min_power].append(case)
    for (kind, power), cases in wanted.items():
        sampling = Sampling(registry, plan, {})
        prompts = [one for case in cases[:_TRIED] if (one := _split(sampling, case, first(case, plan))) is not None]
        if not prompts:
            continue
        alpha = min(case.policy.alpha for case in cases)
        found = power_for(prompts, power.effect, power.size, alpha=alpha, seed=0)
        by = f", tried in {len(prompts)} of {len(cases)} manifests" if len(prompts) < len(cases) else ""
        said = f"{power.effect} {power.size:g} of {kind} outputs would show in {'at least ' if by else ''}{found:.0%}"
        enough = "" if found >= power.power else f"; the policy asks for {power.power:.0%}"
        yield f"power: {said} of tests{by}{enough}"


def _split(sampling: Sampling, case: Case, replays: int) -> Prompt | None:
    """A baseline with its last outputs in the place of replays: what shows with fewer outputs shows with more."""
    samples = sampling.baseline_of(case, 0)
    if samples is None or len(samples) <= replays:
        return None
    return Prompt(samples[:-replays], samples[-replays:])
