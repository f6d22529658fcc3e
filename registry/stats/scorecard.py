"""Scores providers in six dimensions; a score is the mean of parts that were measured, never a number out of nothing.

docs/stats.md states every formula. Decides; reads no store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from registry.objectives import DIMENSIONS, Objective
from registry.stats.cost import DELIVERED, Costs
from registry.stats.evidence import PINNED, Evidence, Published
from registry.stats.grouping import Key
from registry.stats.latency import held_against

ENOUGH: Final = 20  # calls, outputs or durations behind a part
ENOUGH_REPLAYS: Final = 5  # verdicts or calibrations behind a part; each of them costs calls
SOON: Final = timedelta(days=180)
_NOT_ITS_FAULT: Final = ("auth", "quota", "canceled")
_DOWN: Final = ("retryable", "timeout", "expired", "failed", "malformed")
_UP: Final = ("succeeded", "blocked")


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement behind a score: 0 to 100, or None; ``evidence`` says what was measured, or why nothing was."""

    name: str
    value: float | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Scored:
    """One dimension: the mean of its parts that are known, None where none is."""

    name: str
    parts: tuple[Part, ...]

    @property
    def score(self) -> float | None:
        """0 to 100."""
        known = [part.value for part in self.parts if part.value is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Card:
    """All dimensions of one candidate, and their weighted mean over those that are known."""

    key: Key
    calls: int
    dimensions: tuple[Scored, ...]
    weights: Mapping[str, float]

    @property
    def score(self) -> float | None:
        """0 to 100; None where no dimension with a weight is known."""
        known = [(self.weights[one.name], one.score) for one in self.dimensions if one.score is not None]
        weight = sum(by for by, _ in known)
        return sum(by * score for by, score in known) / weight if weight else None

    @property
    def known_weight(self) -> float:
        """The share of all weight that known dimensions carry, 0 to 1."""
        known = sum(self.weights[one.name] for one in self.dimensions if one.score is not None)
        return known / sum(self.weights.values())


def scorecards(
    candidates: Sequence[Evidence],
    published: Mapping[str, Published],
    objectives: Mapping[str, Objective],
    weights: Mapping[str, float],
    today: date,
) -> list[Card]:
    """A card for each candidate, the best first, those without a score last.

    Args:
        candidates: what was measured; latency and cost are held against one another.
        published: by provider, what is known without calls.
        objectives: by workflow.
        weights: of each dimension.
        today: from which a shut-down counts as near.
    """
    parts: dict[str, Callable[[Evidence], Iterator[Part]]] = {
        "latency": partial(_latency, candidates),
        "versioning": lambda of: _versioning(of, published, today),
        "reproducibility": _reproducibility,
        "cost": partial(_cost, candidates),
        "integration": _integration,
        "sla": lambda of: _sla(of, published, objectives),
    }
    cards = [
        Card(of.key, of.calls, tuple(Scored(name, tuple(parts[name](of))) for name in DIMENSIONS), weights)
        for of in candidates
    ]
    return sorted(cards, key=lambda card: (card.score is None, -(card.score or 0), str(card.key)))


def _share(name: str, good: int, count: int, what: str, did: str, enough: int = ENOUGH) -> Part:
    if count < enough:
        return Part(name, None, f"{count} of {enough} {what} needed")
    return Part(name, 100 * good / count, f"{good:,} of {count:,} {what} {did}")


def _latency(candidates: Sequence[Evidence], of: Evidence) -> Iterator[Part]:
    for operation, times in sorted(of.times.items()):
        name = f"p95 of {operation}"
        own = times.percentile(95)
        if own is None:
            yield Part(name, None, f"{len(times)} of {ENOUGH} calls with a duration needed")
            continue
        every = [one.times[operation].percentile(95) for one in candidates if operation in one.times]
        known = [other for other in every if other is not None]
        if len(known) < 2:
            yield Part(name, None, f"{own:,} ms, and no other candidate to hold it against")
            continue
        value = 100.0 if own == 0 else 100 * min(known) / own
        yield Part(name, value, f"{own:,} ms; the fastest of {len(known)} takes {min(known):,} ms")
    if not of.times:
        yield Part("p95", None, "no call with a duration")


def _versioning(of: Evidence, published: Mapping[str, Published], today: date) -> Iterator[Part]:
    known = of.calls - of.pins["unknown"]
    pinned = sum(of.pins[pin] for pin in PINNED)
    yield _share("pinned", pinned, known, "calls with a known pin", "asked for an exact version")
    other = f" ({of.echoes['other']:,} named another than was pinned)" if of.echoes["other"] else ""
    told = f"named the model that served{other}"
    yield _share("echoed", of.echoes["named"], sum(of.echoes.values()), "calls that succeeded", told)
    followed = {origin: count for origin, count in of.models.items() if published[origin[0]].followed}
    leaving = {
        origin: day
        for origin in followed
        if (day := published[origin[0]].retires.get(origin[1])) is not None and day <= today + SOON
    }
    told = f"asked for models without a shut-down before {today + SOON}"
    if not followed:
        yield Part("staying", None, "no description of this provider would tell of a shut-down")
        return
    count = sum(followed.values())
    yield _share("staying", count - sum(followed[origin] for origin in leaving), count, "calls", told)


def _reproducibility(of: Evidence) -> Iterator[Part]:
    verdicts = of.again.verdicts
    same = verdicts["reproduced"] + verdicts["within-noise"]
    undecided = f" ({verdicts['undecided']:,} undecided left out)" if verdicts["undecided"] else ""
    told = f"reproduced or within noise{undecided}"
    yield _share("verdicts", same, same + verdicts["drifted"], "decided replays", told, ENOUGH_REPLAYS)
    regimes = of.again.regimes
    steady = regimes["deterministic"] + regimes["seeded"]
    count = steady + regimes["unseeded"]
    yield _share("regimes", steady, count, "calibrations", "found a generation that repeats itself", ENOUGH_REPLAYS)


def _cost(candidates: Sequence[Evidence], of: Evidence) -> Iterator[Part]:
    for operation, spent in sorted(of.costs.items()):
        name = f"per usable output of {operation}"
        if spent.outputs["unusable"] >= ENOUGH and not spent.outputs["usable"]:
            yield Part(name, 0.0, f"none of {spent.outputs['unusable']:,} reviewed outputs is usable")
            continue
        own = _unit_cost(spent)
        if isinstance(own, str):
            yield Part(name, None, own)
            continue
        amount, currency = own
        every = [_unit_cost(one.costs[operation]) for one in candidates if operation in one.costs]
        known = [found[0] for found in every if not isinstance(found, str) and found[1] == currency]
        if len(known) < 2:
            yield Part(name, None, f"{_short(amount)} {currency}, and no other candidate to hold it against")
            continue
        value = 100.0 if amount == 0 else float(100 * min(known) / amount)
        told = f"{_short(amount)} {currency}; the cheapest of {len(known)} costs {_short(min(known))} {currency}"
        yield Part(name, value, told)


def _unit_cost(spent: Costs) -> tuple[Decimal, str] | str:
    """All that was spent over the outputs times the usable share of those reviewed; or why nobody can say."""
    outputs = spent.outputs
    reviewed = outputs["usable"] + outputs["unusable"]
    unknown, succeeded = (sum(of[path] for path in DELIVERED) for of in (spent.unknown, spent.calls))
    if unknown:
        return f"cost of {unknown:,} of {succeeded:,} calls that succeeded unknown"
    if len(spent.spent) != 1:
        return f"several currencies: {', '.join(sorted(spent.spent))}" if spent.spent else "no cost known"
    if reviewed < ENOUGH:
        return f"{reviewed} of {ENOUGH} reviewed outputs needed (`mintmark review`)"
    if not outputs["usable"]:
        return "no usable output"
    currency, money = next(iter(spent.spent.items()))
    return money.total * reviewed / (outputs["usable"] * (reviewed + outputs["unreviewed"])), currency


def _short(amount: Decimal) -> str:
    return f"{amount:.4f}"


def _integration(of: Evidence) -> Iterator[Part]:
    counted = of.calls - sum(of.outcomes[name] for name in _NOT_ITS_FAULT)
    answered = sum(of.outcomes[name] for name in _UP)
    yield _share("answered", answered, counted, "calls", "came to an answer (auth, quota, canceled left out)")
    yield _share("at once", of.at_once, of.attempts, "calls with a known number of tries", "took one")
    yield _share(
        "certain", of.calls - of.outcomes["ambiguous"], of.calls, "calls", "have a known end, and so a known bill"
    )


def _sla(of: Evidence, published: Mapping[str, Published], objectives: Mapping[str, Objective]) -> Iterator[Part]:
    kept = [one for name, measured in of.promises.items() for one in held_against(objectives[name], measured)]
    decided = [one for one in kept if one.answer != "unknown"]
    good = sum(one.answer == "kept" for one in decided)
    if decided:
        yield Part("objectives", 100 * good / len(decided), f"{good} of {len(decided)} figures of [slo] kept")
    else:
        why = "too few calls for any figure of [slo]" if kept else "no [slo] in mintmark.toml for its workflows"
        yield Part("objectives", None, why)
    promised = published[of.key[0] or ""].availability
    if promised is None:
        yield Part("availability", None, "its descriptions state no availability ([contract])")
        return
    up, down = (sum(of.outcomes[name] for name in names) for names in (_UP, _DOWN))
    if up + down < ENOUGH:
        yield Part("availability", None, f"{up + down} of {ENOUGH} calls needed")
        return
    measured = 100 * up / (up + down)
    value = min(100.0, 100 * measured / float(promised)) if float(promised) else 100.0
    yield Part("availability", value, f"{measured:.2f} % of {up + down:,} calls served; the contract says {promised} %")
