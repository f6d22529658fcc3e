"""Reports as JSON (schemas/stats/v1) and as rows for spreadsheets."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from registry.canonical import JSON
from registry.objectives import Objective
from registry.stats.calls import Selection
from registry.stats.cost import DELIVERED, PATHS, Costs, Spent
from registry.stats.grouping import Grouping, Key
from registry.stats.latency import PERCENTS, Kept, Latencies, Times
from registry.stats.outcomes import Outcomes
from registry.stats.scorecard import Card

Rows = tuple[list[str], list[list[JSON]]]


def money(amount: Decimal) -> str:
    """An amount as records write it, at most 12 decimals, no zeros at the end."""
    text = f"{amount:.12f}".rstrip("0").rstrip(".")
    return text or "0"


def shown(amount: Decimal) -> str:
    """An amount for people: all its digits, and at least two decimals."""
    whole, _, decimals = money(amount).partition(".")
    return f"{whole}.{decimals:0<2}"


def head(report: str, selection: Selection, names: Sequence[str]) -> dict[str, JSON]:
    """What every report begins with."""
    return {"format": "mintmark/stats/v1", "report": report, "selection": selection.to_json(), "by": list(names)}


def cost_json(groups: Iterable[Costs], grouping: Grouping) -> list[JSON]:
    """The groups of the report ``cost``."""
    return [
        {
            "group": _named(grouping.names, group.key),
            "calls": group.calls,
            "outputs": group.outputs,
            "cost_unknown": group.unknown,
            "retries": {"count": group.retries, "told_by": group.told},
            "minutes": money(group.minutes),
            "spent": [_spent(group, currency, group.spent[currency]) for currency in sorted(group.spent)],
        }
        for group in groups
    ]


def _spent(group: Costs, currency: str, spent: Spent) -> dict[str, JSON]:
    per = group.per_usable(currency)
    least, most, reason = (None, None, per) if isinstance(per, str) else (money(per[0]), money(per[1]), None)
    return {
        "currency": currency,
        "by_path": {path: money(amount) for path, amount in spent.by_path.items()},
        "by_kind": {kind: money(amount) for kind, amount in spent.by_kind.items()},
        "review": money(spent.review),
        "total": money(spent.total),
        "complete": not any(group.unknown.values()),
        "per_usable": {"least": least, "most": most, "reason": reason},
    }


def cost_rows(groups: Iterable[Costs], grouping: Grouping) -> Rows:
    """One row for each group and currency, and one for its calls without a known cost."""
    names = [*grouping.names, "currency", "calls", "retries", "minutes"]
    names += [f"outputs_{path}" for path in DELIVERED] + [f"cost_{path}" for path in PATHS]
    names += ["cost_review", "cost_total", "estimated", "reported", "invoiced", "cost_unknown_calls"]
    names += ["per_usable_least", "per_usable_most"]
    rows: list[list[JSON]] = []
    for group in groups:
        unknown = sum(group.unknown.values())
        start: list[JSON] = [sum(group.calls.values()), group.retries if group.told else None, money(group.minutes)]
        start += [group.outputs[path] for path in DELIVERED]
        for currency, spent in sorted(group.spent.items()):
            per = group.per_usable(currency)
            ends = (None, None) if isinstance(per, str) else (money(per[0]), money(per[1]))
            amounts = [*spent.by_path.values(), spent.review, spent.total, *spent.by_kind.values()]
            rows.append([*group.key, currency, *start, *map(money, amounts), unknown, *ends])
        if not group.spent:
            rows.append([*group.key, None, *start, *[None] * (len(PATHS) + 5), unknown, None, None])
    return names, rows


def latency_json(groups: Iterable[Latencies], grouping: Grouping) -> list[JSON]:
    """The groups of the report ``latency``."""
    return [
        {
            "group": _named(grouping.names, group.key),
            "calls": group.calls,
            "succeeded": group.succeeded,
            "out_of_time": group.out_of_time,
            "timeout_rate": group.out_of_time / group.calls,
            "total": _times(group.total),
            "phases": {name: _times(times) for name, times in group.phases.items()},
        }
        for group in groups
    ]


def _times(times: Times) -> dict[str, JSON]:
    return {"count": len(times)} | {f"p{percent}_ms": times.percentile(percent) for percent in PERCENTS}


def objectives_json(kept: Mapping[str, Sequence[Kept]], objectives: Mapping[str, Objective]) -> list[JSON]:
    """What became of every promise to a workflow."""
    return [
        {
            "workflow": workflow,
            "class": objectives[workflow].sla_class,
            "figures": [
                {
                    "name": one.name,
                    "limit": one.limit,
                    "measured": one.measured,
                    "answer": one.answer,
                    "reason": one.why,
                }
                for one in figures
            ],
        }
        for workflow, figures in kept.items()
    ]


def latency_rows(groups: Iterable[Latencies], grouping: Grouping) -> Rows:
    """One row for each group."""
    names = [*grouping.names, "calls", "succeeded", "out_of_time", "timeout_rate", "timed"]
    rows: list[list[JSON]] = []
    for group in groups:
        rate = round(group.out_of_time / group.calls, 6)
        figures = [group.calls, group.succeeded, group.out_of_time, rate, len(group.total)]
        rows.append([*group.key, *figures, *(group.total.percentile(percent) for percent in PERCENTS)])
    return [*names, *(f"p{percent}_ms" for percent in PERCENTS)], rows


def outcomes_json(groups: Iterable[Outcomes], grouping: Grouping) -> list[JSON]:
    """The groups of the report ``outcomes``."""
    return [
        {
            "group": _named(grouping.names, group.key),
            "calls": group.calls,
            "outcomes": dict(group.classes.most_common()),
            "safety": dict(group.safety.most_common()),
        }
        for group in groups
    ]


def outcomes_rows(groups: Iterable[Outcomes], grouping: Grouping) -> Rows:
    """One row for each group and each way its calls ended."""
    rows: list[list[JSON]] = []
    for group in groups:
        for what, counts in (("outcome", group.classes), ("safety", group.safety)):
            for name, count in counts.most_common():
                rows.append([*group.key, what, name, count, round(count / group.calls, 6)])
    return [*grouping.names, "what", "is", "calls", "share"], rows


def cards_json(cards: Iterable[Card], names: Sequence[str]) -> list[JSON]:
    """The groups of the report ``scorecard``."""
    return [
        {
            "group": _named(names, card.key),
            "calls": card.calls,
            "score": _rounded(card.score),
            "known_weight": round(card.known_weight, 4),
            "dimensions": {
                one.name: {
                    "score": _rounded(one.score),
                    "parts": [
                        {"name": part.name, "score": _rounded(part.value), "evidence": part.evidence}
                        for part in one.parts
                    ],
                }
                for one in card.dimensions
            },
        }
        for card in cards
    ]


def cards_rows(cards: Iterable[Card], names: Sequence[str]) -> Rows:
    """One row for each measurement of each candidate, and one for each score."""
    rows: list[list[JSON]] = []
    for card in cards:
        rows.append([*card.key, "all", None, _rounded(card.score), None, None])
        for one in card.dimensions:
            rows.append([*card.key, one.name, None, _rounded(one.score), card.weights[one.name], None])
            rows += [[*card.key, one.name, part.name, _rounded(part.value), None, part.evidence] for part in one.parts]
    return [*names, "dimension", "part", "score", "weight", "evidence"], rows


def _named(names: Sequence[str], key: Key) -> dict[str, JSON]:
    return dict(zip(names, key, strict=True))


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 1)
