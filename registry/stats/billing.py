"""Reconciles a vendor's usage export with the registry: reads both, and says what came of it as JSON and rows."""

from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Final

from sqlalchemy import select

from registry.canonical import JSON
from registry.catalog.tables import generation
from registry.errors import CouldNotRun
from registry.home import Registry
from registry.importing.mapping import Map
from registry.stats.calls import NothingThere, Selection, calls
from registry.stats.matching import Difference, Item, Reconciliation, Recorded, items_of, reconcile, recorded_of
from registry.stats.period import Period
from registry.stats.report import Rows, money
from registry.stats.usage import read_usage
from registry.times import moment_of, text_of

_LATE: Final = timedelta(days=31)  # a bill names a call at most so long after it was made


class NothingBilled(CouldNotRun):
    """An export without rows, or without any in the period."""

    exit_code = 5

    def __init__(self, path: Path, rows: int, period: Period) -> None:
        """Say which of the two."""
        told = f"none of its {rows:,} rows lies in {period.words}" if rows else "it has a heading and no rows"
        super().__init__(f"nothing selected: {path}: {told}")


class NobodyCalled(CouldNotRun):
    """A provider of whom nothing is recorded."""

    exit_code = 5

    def __init__(self, provider: str, known: Sequence[str]) -> None:
        """Name those there are."""
        there = f"recorded are {', '.join(known)}" if known else "nothing is recorded here yet"
        super().__init__(f"nothing selected: no generation of provider {provider!r} is recorded; {there}")


def reconcile_export(
    registry: Registry, path: Path, provider: str, mapped: Map | None, asked: Period
) -> tuple[Reconciliation, Period]:
    """Hold an export against what is recorded of a provider, replays included: they are billed as well.

    Args:
        registry: where.
        path: of the export.
        provider: whose it is.
        mapped: which column is what; None tells by the heading.
        asked: the period of the bill; where both its ends are open, from the first row's time to the last's.

    Returns:
        What came of it, and the period that was compared.

    Raises:
        BadUsage, BadMap: the export or the map cannot be used.
        NobodyCalled: nothing of that provider is recorded.
        NothingBilled: no row to compare.
    """
    items, rows = items_of(read_usage(path, mapped, asked.zone))
    bounded = asked.since is not None or asked.until is not None
    inside = [item for item in items if not bounded or item.at is None or asked.holds(item.at)]
    if not inside:
        raise NothingBilled(path, rows, asked)
    period = asked if bounded else _covered(inside, asked.zone)
    recorded = _recorded(registry, provider, period)
    return reconcile(inside, sum(len(item.lines) for item in inside), recorded, period), period


def _covered(items: Iterable[Item], zone: tzinfo | None) -> Period:
    times = [item.at for item in items if item.at is not None]
    if not times:
        return Period(zone=zone)
    return Period(min(times), _moved(max(times), timedelta(milliseconds=1)), zone)


def _recorded(registry: Registry, provider: str, period: Period) -> list[Recorded]:
    since = None if period.since is None else _moved(period.since, -_LATE)
    try:
        selection = Selection(Period(since), provider=provider, replays=True)
        return [recorded_of(manifest, call) for manifest, call in calls(registry, selection)]
    except NothingThere:
        query = select(generation.c.provider).distinct().order_by(generation.c.provider)
        with registry.catalog.database.reading() as connection:
            known = list(connection.execute(query).scalars())
        if provider not in known:
            raise NobodyCalled(provider, known) from None
        return []


def _moved(at: str, by: timedelta) -> str:
    return text_of(moment_of(at) + by)


def reconciliation_json(told: Reconciliation, provider: str, period: Period) -> dict[str, JSON]:
    """The answer for programs (schemas/reconciliation/v1)."""
    return {
        "format": "mintmark/reconciliation/v1",
        "provider": provider,
        "period": period.to_json(),
        "agrees": told.agrees,
        "rows": told.rows,
        "matched": {"count": told.matched, "by_time": told.by_time, "cost_unknown": told.priced},
        "free": told.free,
        "billed_not_recorded": [_item(item) for item in told.not_recorded],
        "recorded_not_billed": [_call(call) for call in told.not_billed],
        "differing": [{"billed": _item(one.billed), "recorded": _call(one.recorded)} for one in told.differing],
        "totals": [
            {"currency": name, "billed": money(billed), "recorded": money(recorded), "difference": money(difference)}
            for name, billed, recorded, difference in totals(told)
        ],
    }


def totals(told: Reconciliation) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """For each currency: billed, recorded, and the first without the second."""
    zero = Decimal(0)
    sums = [(told.billed.get(name, zero), told.recorded.get(name, zero)) for name in _currencies(told)]
    return [(name, *both, both[0] - both[1]) for name, both in zip(_currencies(told), sums, strict=True)]


def _currencies(told: Reconciliation) -> list[str]:
    return sorted({*told.billed, *told.recorded})


def _item(item: Item) -> dict[str, JSON]:
    amounts = [{"amount": money(amount), "currency": name} for name, amount in sorted(item.amounts.items())]
    place = {"lines": item.lines, "ids": list(item.ids), "at": item.at, "model": item.model}
    return {**place, "amounts": amounts, "twice": item.twice}


def _call(call: Recorded) -> dict[str, JSON]:
    return {
        "id": call.id,
        "request_id": call.request_id,
        "job_id": call.job_id,
        "at": call.at,
        "model": call.models[0],
        "outcome": call.outcome,
        "amount": None if call.amount is None else money(call.amount),
        "currency": call.currency,
        "kind": call.kind,
    }


def reconciliation_rows(told: Reconciliation) -> Rows:
    """One row for each call and currency that does not agree."""
    head = ["finding", "lines", "request_id", "job_id", "at", "model", "id", "currency", "billed", "recorded", "kind"]
    rows: list[list[JSON]] = []
    for item in told.not_recorded:
        rows += [
            ["billed-not-recorded", _lines(item), *_ids(item), item.at, item.model, None, name, amount, None, None]
            for name, amount in sorted(item.amounts.items())
        ]
    for call in told.not_billed:
        place = [None, call.request_id, call.job_id, call.at, call.models[0], call.id]
        rows.append(["recorded-not-billed", *place, call.currency, None, call.amount, call.kind])
    for one in told.differing:
        rows += _differing(one)
    return head, rows


def _differing(one: Difference) -> list[list[JSON]]:
    call = one.recorded
    place = [_lines(one.billed), call.request_id, call.job_id, call.at, call.models[0], call.id]
    return [
        [
            "billed-twice" if one.billed.twice else "differing",
            *place,
            name,
            one.billed.amounts.get(name),
            call.amount if name == call.currency else None,
            call.kind,
        ]
        for name in sorted({*one.billed.amounts, call.currency or ""} - {""})
    ]


def _lines(item: Item) -> str:
    return " ".join(map(str, item.lines))


def _ids(item: Item) -> tuple[str | None, str | None]:
    first, second, *_ = (*item.ids, None, None)
    return first, second
