"""Reports of ``mintmark stats`` as people read them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import click

from registry.commands.tables import folded, table
from registry.errors import counted
from registry.objectives import DIMENSIONS, Objective
from registry.stats.calls import PHASES, Selection
from registry.stats.cost import KINDS, PATHS, Costs
from registry.stats.grouping import Grouping, Key
from registry.stats.latency import PERCENTS, Kept, Latencies, Times, needed
from registry.stats.outcomes import Outcomes
from registry.stats.report import money
from registry.stats.scorecard import Card

_PER_USABLE = ("PER USABLE OUTPUT", "TOTAL", *(kind.upper() for kind in KINDS), "REVIEWS")
_BY_PATH = tuple(f"ON {path.upper()}" for path in PATHS)

_NOTHING = "0.00"  # a column of nothing else is left out
_UNKNOWN = "(unknown)"  # in brackets: no currency can be called so


def cost_text(selection: Selection, grouping: Grouping, groups: Sequence[Costs]) -> None:
    """Counts, then money: per usable output and by what came of it."""
    calls = sum(sum(group.calls.values()) for group in groups)
    _head("cost", calls, selection)
    names = tuple(name.upper() for name in grouping.names)
    head = (*names, "CALLS", "FAILED", "BLOCKED", "RETRIES", "USABLE", "UNUSABLE", "UNREVIEWED", "MINUTES")
    table(head, [(*_cells(group.key), *_counts(group)) for group in groups], title=len(names), right=head[len(names) :])
    spent = [(group, currency) for group in groups for currency in (*sorted(group.spent), *_unknown(group))]
    on_calls = [
        (group, currency) for group, currency in spent if currency in group.spent and group.spent[currency].calls
    ]
    for every, columns, figures in ((spent, _PER_USABLE, _per_usable), (on_calls, _BY_PATH, _by_path)):
        if not every:
            continue
        click.echo()
        rows = [figures(*one) for one in every]
        some = [n for n in range(len(columns)) if any(row[n] not in (_NOTHING, None) for row in rows)]
        told = [
            (*_cells(group.key), currency, *(row[n] for n in some))
            for (group, currency), row in zip(every, rows, strict=True)
        ]
        head = (*names, "CURRENCY", *(columns[n] for n in some))
        table(head, told, title=len(names) + 1, right=head[len(names) + 1 :])
    click.echo()
    _cost_notes(groups)


def _counts(group: Costs) -> tuple[object, ...]:
    calls, outputs = group.calls, group.outputs
    retries = group.retries if group.told else None
    looked_at = (outputs["usable"], outputs["unusable"], outputs["unreviewed"])
    return (sum(calls.values()), calls["failed"], calls["blocked"], retries, *looked_at, money(group.minutes))


def _unknown(group: Costs) -> tuple[str, ...]:
    return (_UNKNOWN,) if any(group.unknown.values()) else ()


def _per_usable(group: Costs, currency: str) -> tuple[str | None, ...]:
    if currency == _UNKNOWN:
        return ("unknown", counted(sum(group.unknown.values()), "call"), *[None] * (len(KINDS) + 1))
    per, spent = group.per_usable(currency), group.spent[currency]
    return (
        per if isinstance(per, str) else _range(*per),
        _amount(spent.total),
        *(_amount(spent.by_kind[kind]) for kind in KINDS),
        _amount(spent.review),
    )


def _by_path(group: Costs, currency: str) -> tuple[str | None, ...]:
    return tuple(_amount(group.spent[currency].by_path[path]) for path in PATHS)


def _range(least: Decimal, most: Decimal) -> str:
    first, last = (f"{amount:.4f}" for amount in (least, most))
    return first if first == last else f"{first} to {last}"


def _cost_notes(groups: Sequence[Costs]) -> None:
    told = []
    unreviewed = sum(group.outputs["unreviewed"] for group in groups)
    if unreviewed:
        told.append(
            f"{counted(unreviewed, 'output')} not reviewed, so it is unknown how many are usable: where two costs per "
            "usable output stand, the first holds if all of them are, the second if none is (`mintmark review`)"
        )
    if unknown := sum(sum(group.unknown.values()) for group in groups):
        told.append(
            f"the cost of {counted(unknown, 'call')} is unknown: sums are without them (`mintmark prices import`)"
        )
    if sum(group.told for group in groups) < sum(sum(group.calls.values()) for group in groups):
        told.append("not every call said how often it was tried; RETRIES counts those that did, - is none of them")
    for line in told:
        folded(line)


def latency_text(
    selection: Selection,
    grouping: Grouping,
    groups: Sequence[Latencies],
    kept: Mapping[str, Sequence[Kept]],
    objectives: Mapping[str, Objective],
) -> None:
    """Percentiles, phases where known, objectives."""
    _head("latency", sum(group.calls for group in groups), selection)
    names = tuple(name.upper() for name in grouping.names)
    head = (*names, "CALLS", "TIMED", "P50", "P95", "P99", "OUT OF TIME")
    rows = [
        (*_cells(group.key), group.calls, len(group.total), *_percentiles(group.total), _rate(group))
        for group in groups
    ]
    table(head, rows, title=len(names), right=head[len(names) :])
    known = [name for name in PHASES if any(name in group.phases for group in groups)]
    if known:
        click.echo("\nmedian of each phase, where it was observed")
        head = (*names, *(name.replace("_", " ").upper() for name in known))
        rows = [
            (*_cells(group.key), *(_percentile(group.phases.get(name, Times()), 50) for name in known))
            for group in groups
        ]
        table(head, rows, title=len(names), right=head[len(names) :])
    if kept:
        click.echo("\nobjectives of mintmark.toml")
        figures = [(name, objectives[name].sla_class, *_figure(one)) for name, all_ in kept.items() for one in all_]
        table(
            ("WORKFLOW", "CLASS", "FIGURE", "AT MOST", "MEASURED", "ANSWER"),
            figures,
            title=2,
            right=("AT MOST", "MEASURED"),
        )
    click.echo()
    folded(
        "Durations of calls that succeeded, in ms, by nearest rank; n<20 means too few calls for that percentile. "
        "OUT OF TIME: calls that ended as timeout or expired, of all.",
    )


def _percentiles(times: Times) -> tuple[str, ...]:
    return tuple(_percentile(times, percent) for percent in PERCENTS)


def _percentile(times: Times, percent: int) -> str:
    value = times.percentile(percent)
    if value is None:
        return f"n<{needed(percent)}" if len(times) else "-"
    return f"{value:,}"


def _rate(group: Latencies) -> str:
    return f"{group.out_of_time:,} ({_share(group.out_of_time, group.calls)})"


def _figure(one: Kept) -> tuple[str, ...]:
    answer = one.answer if one.why is None else f"{one.answer}: {one.why}"
    if one.name == "timeout_rate":
        return (one.name, f"{one.limit:.2%}", "-" if one.measured is None else f"{one.measured:.2%}", answer)
    return (one.name, f"{one.limit:,}", "-" if one.measured is None else f"{one.measured:,}", answer)


def outcomes_text(selection: Selection, grouping: Grouping, groups: Sequence[Outcomes]) -> None:
    """One line for each way calls ended, then the same for safety."""
    _head("outcomes", sum(group.calls for group in groups), selection)
    names = tuple(name.upper() for name in grouping.names)
    for what, read in (("OUTCOME", "classes"), ("SAFETY", "safety")):
        rows = [
            (*_cells(group.key), name, count, _share(count, group.calls))
            for group in groups
            for name, count in getattr(group, read).most_common()
        ]
        table((*names, what, "CALLS", "SHARE"), rows, title=len(names), right=("CALLS", "SHARE"))
        click.echo()
    folded("SAFETY: what a provider's filter did to the outputs, where the call tells; unknown is not none.")


def cards_text(selection: Selection, names: Sequence[str], cards: Sequence[Card]) -> None:
    """The scores, then what was measured for each."""
    _head("scorecard", sum(card.calls for card in cards), selection)
    titles = tuple(name.upper() for name in names)
    head = (*titles, "CALLS", "SCORE", "KNOWN", *(name.upper() for name in DIMENSIONS))
    rows = [
        (*_cells(card.key), card.calls, _score(card.score), f"{card.known_weight:.0%}", *_scores(card))
        for card in cards
    ]
    table(head, rows, title=len(titles), right=head[len(titles) :])
    for card in cards:
        click.echo(f"\n{' '.join(_cells(card.key))}")
        for one in card.dimensions:
            weight = f", weight {card.weights[one.name]:g}" if card.weights[one.name] != 1 else ""
            click.echo(f"{_score(one.score):>9}  {one.name}{weight}")
            for part in one.parts:
                folded(f"{part.name}: {part.evidence}", f"{_score(part.value):>11}  ", " " * 13)
    click.echo()
    folded(
        "SCORE is the weighted mean of the dimensions that are known, KNOWN the share of all weight they carry: scores "
        "that rest on different dimensions do not compare. Formulas: docs/stats.md.",
    )


def _scores(card: Card) -> tuple[str, ...]:
    return tuple(_score(one.score) for one in card.dimensions)


def _score(score: float | None) -> str:
    return "unknown" if score is None else f"{score:.0f}"


def _head(what: str, calls: int, selection: Selection) -> None:
    replays = "" if selection.replays else "; replays left out"
    folded(f"{what} of {counted(calls, 'call')}, {selection.period.words}{replays}")
    click.echo()


def _cells(key: Key) -> tuple[str, ...]:
    return tuple("-" if part is None else part for part in key)


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}"


def _amount(amount: Decimal) -> str:
    """At least two decimals, at most four; what is smaller shows its digits."""
    if amount and abs(amount) < Decimal("0.0001"):
        return f"{amount.normalize():f}"
    text = f"{amount:,.4f}"
    return text[:-2] if text.endswith("00") else text
