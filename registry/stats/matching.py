"""Holds a vendor's bill against what was recorded, call by call. Decides; reads no store."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from registry.stats.calls import Call
from registry.stats.period import Period
from registry.stats.usage import Billed
from registry.times import moment_of

CLOSE: Final = timedelta(minutes=2)  # between a row's time and a call's, where no id joins them
_CHARGED: Final = frozenset({"succeeded", "ambiguous"})  # ends after which a bill is to be expected


@dataclass(slots=True)
class Item:
    """What was billed for one call: the rows of one id added up, or one row without an id.

    ``twice``: two of the rows are the same in everything but their line.
    """

    lines: list[int]
    ids: tuple[str, ...]
    at: str | None
    model: str | None
    amounts: dict[str, Decimal]
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded call."""

    id: str
    request_id: str | None
    job_id: str | None
    at: str
    ended: str | None
    models: tuple[str, ...]
    outcome: str
    amount: Decimal | None
    currency: str | None
    kind: str

    @property
    def expected(self) -> bool:
        """Whether a bill is to be expected: it cost something or, where that is unknown, it came to an end."""
        return self.amount > 0 if self.amount is not None else self.outcome in _CHARGED


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that was billed otherwise than recorded."""

    billed: Item
    recorded: Recorded


@dataclass(slots=True)
class Reconciliation:
    """What came of it.

    Attributes:
        rows: of the export.
        matched: calls that were billed as recorded.
        priced: of those, calls whose cost was unknown until now.
        by_time: of those that were found, how many by time, model and amount alone.
        differing: found, and billed otherwise.
        not_recorded: billed, and nowhere recorded.
        not_billed: recorded in the period, to be expected on the bill, and not there.
        free: recorded in the period and not billed, as is right for calls that failed.
        billed: sums by currency.
        recorded: sums by currency, of what was found and of what was not billed.
    """

    rows: int = 0
    matched: int = 0
    priced: int = 0
    by_time: int = 0
    differing: list[Difference] = field(default_factory=list)
    not_recorded: list[Item] = field(default_factory=list)
    not_billed: list[Recorded] = field(default_factory=list)
    free: int = 0
    billed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    recorded: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def agrees(self) -> bool:
        """Whether bill and records say the same."""
        return not (self.differing or self.not_recorded or self.not_billed)


def recorded_of(manifest: str, call: Call) -> Recorded:
    """The part of a call that a bill can be held against."""
    outcome, cost = call.outcome, call.cost
    known = cost.kind != "unknown" and cost.amount is not None
    models = tuple(dict.fromkeys(name for name in (call.model.requested, call.model.served) if name))
    return Recorded(
        manifest,
        outcome.request_id,
        outcome.job_id,
        call.at,
        outcome.completed_at,
        models,
        outcome.class_,
        Decimal(cost.amount or 0) if known else None,
        cost.currency if known else None,
        cost.kind,
    )


def items_of(rows: Iterable[Billed]) -> tuple[list[Item], int]:
    """Rows that share an id added up, because one call may be billed in parts; and how many rows there were."""
    by_id: dict[str, Item] = {}
    items: list[Item] = []
    seen: set[Billed] = set()
    count = 0
    for row in rows:
        count += 1
        ids = tuple(one for one in (row.request_id, row.job_id) if one is not None)
        parts = list({id(by_id[one]): by_id[one] for one in ids if one in by_id}.values())
        if not parts:
            items.append(Item([], (), None, row.model, {}))
            parts = items[-1:]
        item, *others = sorted(parts, key=lambda part: part.lines)  # of others, this row tells that they are one call
        same = replace(row, line=0)
        again = bool(ids) and row.amount > 0 and same in seen
        if ids:
            seen.add(same)
        for part in (Item([row.line], ids, row.at, row.model, {row.currency: row.amount}, again), *others):
            _add(item, part)
        by_id.update(dict.fromkeys(item.ids, item))
    return [item for item in items if item.lines], count


def _add(item: Item, part: Item) -> None:
    """Move what a part holds to the item."""
    item.lines.extend(part.lines)
    item.ids = tuple(dict.fromkeys((*item.ids, *part.ids)))
    item.twice = item.twice or part.twice
    item.at = min((at for at in (item.at, part.at) if at is not None), default=None)
    for currency, amount in part.amounts.items():
        item.amounts[currency] = item.amounts.get(currency, Decimal(0)) + amount
    part.lines = []


def reconcile(items: Sequence[Item], rows: int, recorded: Sequence[Recorded], period: Period) -> Reconciliation:
    """Hold what was billed against what was recorded.

    Args:
        items: the bill.
        rows: how many rows it had.
        recorded: calls of the provider, some from before and after the period, too: bills come late.
        period: of the bill; a recorded call outside it is not missed there.
    """
    told = Reconciliation(rows=rows)
    found: dict[int, Recorded] = {}
    taken: set[str] = set()
    for n, call in _by_id(items, recorded):
        if n not in found and call.id not in taken:
            found[n] = call
            taken.add(call.id)
    before = len(found)
    for n, call in _by_time([(n, item) for n, item in enumerate(items) if n not in found], recorded, taken):
        found[n] = call
    told.by_time = len(found) - before
    for n, item in enumerate(items):
        for currency, amount in item.amounts.items():
            told.billed[currency] += amount
        _settle(told, item, found.get(n))
    for call in recorded:
        if call.id in taken or not period.holds(call.at):
            continue
        if call.expected:
            told.not_billed.append(call)
            _count(told, call)
        else:
            told.free += 1
    return told


def _settle(told: Reconciliation, item: Item, call: Recorded | None) -> None:
    if call is None:
        told.not_recorded.append(item)
        return
    _count(told, call)
    if call.amount is None or call.currency is None:
        if item.twice:  # no sum tells that it should have been half
            told.differing.append(Difference(item, call))
            return
        told.matched += 1
        told.priced += 1
    elif {name: amount for name, amount in item.amounts.items() if amount} == _nonzero(call):
        told.matched += 1
    else:
        told.differing.append(Difference(item, call))


def _nonzero(call: Recorded) -> dict[str, Decimal]:
    return {call.currency: call.amount} if call.amount and call.currency else {}


def _count(told: Reconciliation, call: Recorded) -> None:
    if call.amount is not None and call.currency is not None:
        told.recorded[call.currency] += call.amount


def _by_id(items: Sequence[Item], recorded: Sequence[Recorded]) -> Iterator[tuple[int, Recorded]]:
    """Number of an item and a call wherever they share an id, whichever of the two kinds it is."""
    calls: dict[str, list[Recorded]] = {}
    for call in recorded:
        for one in {call.request_id, call.job_id} - {None}:
            calls.setdefault(str(one), []).append(call)
    for n, item in enumerate(items):
        for one in item.ids:
            yield from ((n, call) for call in calls.get(one, ()))


def _by_time(
    items: Sequence[tuple[int, Item]], recorded: Sequence[Recorded], taken: set[str]
) -> Iterator[tuple[int, Recorded]]:
    """Items without an id that any record has: the nearest call in time of that model and amount, each once."""
    points: dict[str, list[tuple[datetime, int]]] = {}
    for place, call in enumerate(recorded):
        for model in call.models:
            for at in {call.at, call.ended} - {None}:
                points.setdefault(model, []).append((moment_of(str(at)), place))
    for listed in points.values():
        listed.sort()
    for n, item in items:
        if item.at is None or item.model is None or item.model not in points:
            continue
        moment, listed = moment_of(item.at), points[item.model]
        first = bisect_left(listed, (moment - CLOSE, -1))
        last = bisect_right(listed, (moment + CLOSE, len(recorded)))
        near = [
            (not same, abs(at - moment), place)
            for at, place in listed[first:last]
            if (same := _fits(item, recorded[place])) is not None and recorded[place].id not in taken
        ]
        if near:
            call = recorded[min(near)[2]]
            taken.add(call.id)
            yield n, call


def _fits(item: Item, call: Recorded) -> bool | None:
    """True where the amounts are the same, False where the record only estimates or does not know; None: no."""
    if item.ids and (call.request_id or call.job_id):
        return None  # both have ids, and they differ
    if call.amount is not None and {name: amount for name, amount in item.amounts.items() if amount} == _nonzero(call):
        return True
    return None if call.kind in ("reported", "invoiced") else False
