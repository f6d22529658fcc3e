"""What generations cost and what came of the money: usable, unusable, not looked at, blocked, failed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeAlias, get_args

from registry.stats.calls import Call
from registry.stats.grouping import Grouping, Key, in_order
from registry.stats.reviews import Reviewed

Path: TypeAlias = Literal["usable", "unusable", "unreviewed", "blocked", "failed"]
PATHS: Final = get_args(Path)
DELIVERED: Final = PATHS[:3]  # the call succeeded
KINDS: Final = ("estimated", "reported", "invoiced")


@dataclass(slots=True)
class Spent:
    """Money of one currency: by what came of it, by how the amount is known, and what reviews cost."""

    by_path: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(PATHS, Decimal(0)))
    by_kind: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(KINDS, Decimal(0)))
    review: Decimal = Decimal(0)

    @property
    def calls(self) -> Decimal:
        """What the calls cost."""
        return sum(self.by_path.values(), Decimal(0))

    @property
    def total(self) -> Decimal:
        """Calls and reviews."""
        return self.calls + self.review


@dataclass(slots=True)
class Costs:
    """One group.

    ``calls`` and ``outputs`` are counts by path; ``retries`` are tries after the first, of ``told`` calls that said
    how many there were; ``unknown`` counts the calls of which no cost is known, by path. A review speaks of a whole
    generation, so all its outputs are usable, or none.
    """

    key: Key
    calls: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    outputs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    unknown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATHS, 0))
    retries: int = 0
    told: int = 0
    minutes: Decimal = Decimal(0)
    spent: dict[str, Spent] = field(default_factory=dict)

    def money(self, currency: str) -> Spent:
        """What was spent of a currency, to be added to."""
        found = self.spent.get(currency)
        if found is None:
            found = self.spent[currency] = Spent()
        return found

    def per_usable(self, currency: str) -> tuple[Decimal, Decimal] | str:
        """Least and most that one usable output cost in a currency, or why nobody can say.

        All that was spent, on whatever path, over the usable outputs. What nobody looked at may turn out to be
        usable, all of it or none: that is how far the two lie apart; they are equal once everything is reviewed.
        """
        usable, unreviewed = self.outputs["usable"], self.outputs["unreviewed"]
        if not usable:
            return "nothing is reviewed" if not self.outputs["unusable"] else "no reviewed output is usable"
        total = self.spent[currency].total
        return total / (usable + unreviewed), total / usable


def costs(
    calls: Iterable[tuple[str, Call]],
    grouping: Grouping,
    reviews: Mapping[str, Reviewed],
    minute: tuple[Decimal, str] | None = None,
) -> list[Costs]:
    """Costs of each group, in the order of their names.

    Args:
        calls: ids and calls.
        grouping: which are counted together.
        reviews: what was said of them.
        minute: what a minute of a person costs, and its currency; None leaves minutes apart from money.
    """
    groups: dict[Key, Costs] = {}
    for manifest, call in calls:
        key = grouping.key(call)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Costs(key)
        add_call(group, call, reviews.get(manifest), minute)
    return [groups[key] for key in sorted(groups, key=in_order)]


def path_of(call: Call, review: Reviewed | None) -> Path:
    """What came of a call."""
    if call.outcome.class_ == "blocked":
        return "blocked"
    if call.outcome.class_ != "succeeded":
        return "failed"
    if review is None:
        return "unreviewed"
    return "usable" if review.usable else "unusable"


def add_call(group: Costs, call: Call, review: Reviewed | None, minute: tuple[Decimal, str] | None) -> None:
    """Count one more call into its group; arguments as for ``costs``."""
    path = path_of(call, review)
    group.calls[path] += 1
    group.outputs[path] += len(call.outputs)
    if call.outcome.attempts is not None:
        group.told += 1
        group.retries += max(0, call.outcome.attempts - 1)
    cost = call.cost
    if cost.amount is None or cost.currency is None or cost.kind == "unknown":
        group.unknown[path] += 1
    else:
        spent = group.money(cost.currency)
        amount = Decimal(cost.amount)
        spent.by_path[path] += amount
        spent.by_kind[cost.kind] += amount
    if review is None:
        return
    group.minutes += review.minutes
    if minute is not None and review.minutes:
        group.money(minute[1]).review += review.minutes * minute[0]
    for amount, currency in review.costs:
        group.money(currency).review += amount
