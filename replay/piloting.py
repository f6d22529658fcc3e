"""Runs a suite's real mix against candidate models side by side: how fast, how reliable, how dear."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from drift.errors import MintmarkError
from registry.assets.store import AssetNotFound
from registry.canonical import JSON
from registry.capture.description import Description, shipped
from registry.drafting import Draft, new_exchange_id
from registry.fetch import digests_of_asset
from registry.home import Registry
from registry.journal.budgets import BudgetSpent
from registry.record import Recorded
from registry.sealing import disclose, seals_in
from registry.stats.latency import Times
from registry.verbatim import plain
from replay.consenting import PriceUnknown, Terms
from replay.costing import is_free, worst_case_of
from replay.elsewhere import MayNotSend
from replay.errors import ReplayError
from replay.generating import Ask, ProviderUnknown, generate
from replay.paying import Paying
from replay.suites.file import Suite
from replay.suites.plan import Target


class NoBudget(ReplayError):
    """A pilot that costs money, and nobody has said how much."""

    exit_code = 2

    def __init__(self, target: Target) -> None:
        """Name the target that costs something."""
        super().__init__(f"calls of {target.model} at {target.provider} cost money; say how much with --budget")


class NothingToPilot(ReplayError):
    """No generation of the suite can be made by a target."""

    exit_code = 5

    def __init__(self, target: Target, why: str) -> None:
        """Name the target and the first reason."""
        super().__init__(f"{target.provider}:{target.model} can make nothing of this suite: {why}; nothing was sent")


@dataclass(frozen=True, slots=True)
class Piece:
    """One generation of the mix, as any model may be asked for it."""

    manifest: str
    provider: str
    operation: str
    prompt: str | None
    seed: str | None
    settings: Mapping[str, JSON]
    inputs: Sequence[tuple[str, Path]]


@dataclass(slots=True)
class Step:
    """What one target did at one concurrency; ``why`` is what kept it from going on, ``spent`` if that was money."""

    target: Target
    concurrency: int
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    times: Times = field(default_factory=Times)
    costs: dict[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0
    why: str | None = None
    spent: bool = False

    @property
    def calls(self) -> int:
        """Calls that were made."""
        return self.outcomes.total()

    def add(self, made: Recorded) -> None:
        """One more call."""
        outcome, cost = made.manifest.outcome, made.manifest.cost
        self.outcomes[outcome.class_] += 1
        if outcome.class_ == "succeeded" and outcome.latency_ms.total is not None:
            self.times.add(outcome.latency_ms.total)
        if cost.amount is None or cost.currency is None:
            self.unpriced += 1
        else:
            self.costs[cost.currency] = self.costs.get(cost.currency, Decimal()) + Decimal(cost.amount)

    def to_json(self) -> dict[str, JSON]:
        """Every figure; a percentile is None where there are too few calls for it."""
        return {
            "provider": self.target.provider,
            "model": self.target.model,
            "concurrency": self.concurrency,
            "seconds": round(self.seconds, 3),
            "calls": self.calls,
            "outcomes": dict(sorted(self.outcomes.items())),
            "latency_ms": {f"p{percent}": self.times.percentile(percent) for percent in (50, 95, 99)},
            "cost": {currency: f"{amount:f}" for currency, amount in sorted(self.costs.items())},
            "unpriced": self.unpriced,
            "stopped": self.why,
        }


@dataclass(frozen=True, slots=True)
class Pilot:
    """A pilot that is over; ``left_out`` are generations that could not be asked for, by target where that matters."""

    id: str
    workflow: str
    steps: tuple[Step, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> int:
        """3 where a target made nothing at all, 4 where the budget ended it, else 0."""
        by_target: Counter[Target] = Counter()
        for step in self.steps:
            by_target[step.target] += step.outcomes["succeeded"]
        if not all(by_target[step.target] for step in self.steps):
            return 3
        return 4 if any(step.spent for step in self.steps) else 0

    def to_json(self) -> dict[str, JSON]:
        """Everything, for programs."""
        return {
            "pilot": self.id,
            "workflow": self.workflow,
            "steps": [step.to_json() for step in self.steps],
            "left_out": [{"manifest": manifest, "why": why} for manifest, why in self.left_out],
            "exit_code": self.exit_code,
        }


def pilot(
    registry: Registry,
    suite: Suite,
    manifests: Sequence[str],
    targets: Sequence[Target],
    *,
    concurrency: Sequence[int],
    seconds: float,
    terms: Terms,
    most: int | None = None,
    tell: Callable[[Step], None] = lambda step: None,
) -> Pilot:
    """Ask every target for the suite's generations, over and over, all targets in the same minutes.

    Each call is recorded as a generation of the workflow ``pilot:SUITE`` with the label ``pilot``, so that `mintmark
    stats` counts it. Settings that a target does not know are left out for it.

    Args:
        registry: where the suite's manifests lie and the generations go.
        suite: whose prompts are used; ``may_send_to`` must name providers that have not seen them.
        manifests: full ids: the mix.
        targets: models that are compared.
        concurrency: calls at a time of each target, one step after the other.
        seconds: of all steps together.
        terms: the budget, and what a call costs at most where no price is known. Each target that costs has an equal
            share of the budget at each concurrency; what is left of it goes to the later ones.
        most: calls at most of each target in each step.
        tell: hears of each step of each target when it is over.

    Raises:
        MayNotSend, NoBudget, PriceUnknown, ProviderUnknown, NothingToPilot: nothing was sent.
    """
    pieces, left_out = _mix(registry, manifests)
    plans = {target: _asks(suite, target, pieces, left_out) for target in dict.fromkeys(targets)}
    name = new_exchange_id()
    paid = _paid(plans, terms)
    runner = _Runner(registry, terms, f"pilot:{suite.name}", name)
    steps: list[Step] = []
    left = terms.budget.nanos if terms.budget is not None else 0
    for number, at_a_time in enumerate(concurrency):
        level = [Step(target, at_a_time) for target in plans]
        deadline = time.monotonic() + seconds / len(concurrency)
        share = left // ((len(concurrency) - number) * max(1, len(paid)))
        budgets = [_budget(registry, share, terms) if step.target in paid else None for step in level]
        runner.run([(step, _Queue(plans[step.target], most, one)) for step, one in zip(level, budgets, strict=True)],
                   deadline)  # fmt: skip
        for step, one in zip(level, budgets, strict=True):
            left -= 0 if one is None else share - registry.budgets.get(one).left
            tell(step)
        steps += level
    return Pilot(name, f"pilot:{suite.name}", tuple(steps), tuple(left_out))


def _mix(registry: Registry, manifests: Sequence[str]) -> tuple[list[Piece], list[tuple[str, str]]]:
    """The suite's generations as they can be asked for again; what cannot be, and why."""
    pieces: list[Piece] = []
    left_out: list[tuple[str, str]] = []
    for one in manifests:
        manifest = registry.catalog.manifest(one)
        value = disclose(manifest.to_json(), registry.vault.get(one))
        if seals_in({"prompt": value["prompt"]["submitted"], "settings": value["settings"]}):
            left_out.append((one, "its prompt or a setting was erased"))
            continue
        try:
            inputs = [
                (asset.role, registry.assets.file(digests_of_asset(registry, one, "input", n, asset).blake3))
                for n, asset in enumerate(manifest.inputs)
            ]
        except AssetNotFound as problem:
            left_out.append((one, str(problem)))
            continue
        pieces.append(
            Piece(one, manifest.provider.name, manifest.operation, value["prompt"]["submitted"],
                  manifest.seed.requested, plain(value["settings"]), inputs)
        )  # fmt: skip
    return pieces, left_out


def _asks(suite: Suite, target: Target, pieces: Sequence[Piece], left_out: list[tuple[str, str]]) -> list[Ask]:
    """What a target is asked for: of each piece what it knows."""
    provider, model = target.provider or "", target.model or ""
    asks, why = [], "it has no generation whose prompt is still there"
    for piece in pieces:
        if piece.provider != provider and provider not in suite.may_send_to:
            raise MayNotSend(piece.provider, provider, f"`may_send_to: [{provider}]` in {suite.path}")
        found = shipped().find(provider, model=model, operation=piece.operation)
        if found is None:
            if not any(one.provider == provider for one in shipped()):
                raise ProviderUnknown(provider)
            why = f"{provider} makes no {piece.operation}"
            left_out.append((piece.manifest, why))
            continue
        asks.append(
            Ask(provider, model, piece.operation, piece.prompt, piece.seed if "seed" in found.slots else None,
                {name: value for name, value in piece.settings.items() if name in found.slots}, piece.inputs)
        )  # fmt: skip
    if not asks:
        raise NothingToPilot(target, why)
    return asks


def _paid(plans: Mapping[Target, Sequence[Ask]], terms: Terms) -> set[Target]:
    """The targets that cost something, once somebody has said how much they may."""
    paid = set()
    for target, asks in plans.items():
        found = shipped().find(asks[0].provider, model=asks[0].model, operation=asks[0].operation)
        if found is None or is_free(found):
            continue
        if terms.budget is None:
            raise NoBudget(target)
        paid.add(target)
    return paid


def _budget(registry: Registry, share: int, terms: Terms) -> str | None:
    """What one target may spend at one concurrency: the fast ones leave the others theirs."""
    return None if terms.budget is None else registry.budgets.create(share, terms.budget.currency)


class _Queue:
    """The mix of one target in one step, round and round, shared by its threads."""

    def __init__(self, asks: Sequence[Ask], most: int | None, budget: str | None) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._asks: Iterator[Ask] = itertools.islice(itertools.cycle(asks), most)

    def next(self) -> Ask | None:
        with self._lock:
            return next(self._asks, None)

    def close(self) -> None:
        with self._lock:
            self._asks = iter(())


@dataclass(frozen=True, slots=True)
class _Runner:
    """Makes the calls of a pilot."""

    registry: Registry
    terms: Terms
    workflow: str
    label: str
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, queues: Sequence[tuple[Step, _Queue]], deadline: float) -> None:
        """All targets' threads side by side; what one of them raises ends all."""
        threads = sum(step.concurrency for step, _ in queues)
        with ThreadPoolExecutor(threads, thread_name_prefix="mintmark-pilot") as pool:
            try:
                work = [
                    pool.submit(self.work, step, queue, deadline)
                    for step, queue in queues
                    for _ in range(step.concurrency)
                ]
                for one in as_completed(work):
                    one.result()
            except BaseException:
                self.stop.set()
                raise

    def work(self, step: Step, queue: _Queue, deadline: float) -> None:
        """One of a target's threads: call after call until time, mix, money or patience is over."""
        began = time.monotonic()
        while not self.stop.is_set() and time.monotonic() < deadline and (ask := queue.next()) is not None:
            try:
                made = generate(self.registry, self._labelled(ask), self._pay(ask, queue.budget))
            except MintmarkError as problem:  # of this target: the others go on
                queue.close()
                with self.lock:
                    step.why, step.spent = _why(problem), isinstance(problem, BudgetSpent)
                return
            with self.lock:
                step.add(made)
                step.seconds = max(step.seconds, time.monotonic() - began)

    def _labelled(self, ask: Ask) -> Ask:
        return Ask(ask.provider, ask.model, ask.operation, ask.prompt, ask.seed, ask.settings, ask.inputs,
                   workflow=self.workflow, labels={"pilot": self.label})  # fmt: skip

    def _pay(self, ask: Ask, budget: str | None) -> Callable[[Draft, Description], Paying | None]:
        def pay(draft: Draft, description: Description) -> Paying | None:
            if is_free(description):
                return None
            cost = self.terms.price(worst_case_of(self.registry, draft, description, ask.inputs))
            if cost is None:
                raise PriceUnknown(ask.provider, ask.model)
            return Paying(new_exchange_id(), budget, cost.nanos, cost.currency, pause=self._pause,
                          stopping=self.stop.is_set)  # fmt: skip

        return pay

    def _pause(self, seconds: float) -> None:
        """A provider may ask for a minute between two polls: a stop cuts it short."""
        self.stop.wait(seconds)


def _why(problem: MintmarkError) -> str:
    """What ended a step; a person knows the pilot, not the ids of its budgets."""
    named = f"budget {problem.id}" if isinstance(problem, BudgetSpent) else ""
    return str(problem).replace(named, "the pilot's budget") if named else str(problem)
