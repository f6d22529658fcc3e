"""Counts what the scorecard is made of, in one pass over the calls."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from registry.objectives import Objective
from registry.stats.again import Again
from registry.stats.calls import Call
from registry.stats.cost import Costs, add_call
from registry.stats.grouping import Key
from registry.stats.latency import Latencies, Times
from registry.stats.reviews import Reviewed

PINNED: Final = frozenset({"snapshot", "hash", "build"})


@dataclass(slots=True)
class Evidence:
    """What was measured of one candidate: a provider, or a provider and its model.

    Attributes:
        key: provider, or provider and model.
        calls: how many there are.
        models: calls by provider and model.
        outcomes: calls by outcome class.
        pins: calls by kind of pin.
        echoes: successes by what the provider said of the model that served: ``named``, ``silent``, or ``other``
            where a pinned version was asked for.
        attempts: calls that said how often they were tried.
        at_once: those of them that took one try.
        times: durations of calls that succeeded, by operation.
        costs: costs by operation.
        promises: latencies by workflow that has an objective.
        again: what replays said.
    """

    key: Key
    calls: int = 0
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    pins: Counter[str] = field(default_factory=Counter)
    echoes: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    at_once: int = 0
    times: dict[str, Times] = field(default_factory=dict)
    costs: dict[str, Costs] = field(default_factory=dict)
    promises: dict[str, Latencies] = field(default_factory=dict)
    again: Again = field(default_factory=Again)


@dataclass(frozen=True, slots=True)
class Published:
    """What is known of a provider without calling it.

    Attributes:
        retires: models to their day of shut-down.
        followed: whether anything here would tell such a day: a description or a price table.
        availability: percent of a month that a contract promises; None where none is known.
    """

    retires: Mapping[str, date]
    followed: bool
    availability: str | None


def gather(
    calls: Iterable[tuple[str, Call]],
    reviews: Mapping[str, Reviewed],
    objectives: Mapping[str, Objective],
    again: Mapping[tuple[str, str], Again],
    *,
    by_model: bool,
) -> list[Evidence]:
    """Evidence of each candidate, by name."""
    found: dict[Key, Evidence] = {}
    for manifest, call in calls:
        origin = (call.provider.name, call.model.requested)
        key: Key = origin if by_model else origin[:1]
        evidence = found.get(key)
        if evidence is None:
            evidence = found[key] = Evidence(key)
        _add(evidence, origin, call)
        if (spent := evidence.costs.get(call.operation)) is None:
            spent = evidence.costs[call.operation] = Costs((call.operation,))
        add_call(spent, call, reviews.get(manifest), None)
        if call.workflow is not None and call.workflow in objectives:
            if (held := evidence.promises.get(call.workflow)) is None:
                held = evidence.promises[call.workflow] = Latencies((call.workflow,))
            held.add(call)
    for origin, made in again.items():
        if (evidence := found.get(origin if by_model else origin[:1])) is not None:
            evidence.again.verdicts.update(made.verdicts)
            evidence.again.regimes.update(made.regimes)
    return [found[key] for key in sorted(found, key=str)]


def _add(evidence: Evidence, origin: tuple[str, str], call: Call) -> None:
    evidence.calls += 1
    evidence.models[origin] += 1
    evidence.outcomes[call.outcome.class_] += 1
    evidence.pins[call.model.pin] += 1
    if call.outcome.class_ == "succeeded":
        evidence.echoes[_echo(call)] += 1
        if (total := call.outcome.latency_ms.total) is not None:
            evidence.times.setdefault(call.operation, Times()).add(total)
    if call.outcome.attempts is not None:
        evidence.attempts += 1
        evidence.at_once += call.outcome.attempts <= 1


def _echo(call: Call) -> str:
    """An alias that comes back as an exact version is well named; a pinned version must come back as itself."""
    if call.model.served is None:
        return "silent"
    return "other" if call.model.pin in PINNED and call.model.served != call.model.requested else "named"
