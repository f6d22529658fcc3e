"""What a run may cost before anything is sent: calls at most, and their worst case by currency."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from drift.floor import Regime
from drift.significance.sequential import BASELINE
from drift.verdict import Verdict
from registry.home import Registry
from registry.journal.budgets import nanos_of
from replay.consenting import WrongCurrency
from replay.costing import Money, worst_case
from replay.preparing import Ready, prepare
from replay.suites.making import change_of, refused_by_plan
from replay.suites.plan import Case, Plan
from replay.suites.wanting import first


@dataclass(frozen=True, slots=True)
class Bill:
    """What a run may come to.

    Attributes:
        begun: replays that every run of this plan makes.
        most: replays at most: with confirmations, and every suspect looked at to the end.
        worst: the worst case of ``most`` by currency; what costs nothing is not among it.
        unknown: manifests whose call has no known price.
        refused: manifests that cannot be replayed, and why.
    """

    begun: int = 0
    most: int = 0
    worst: Mapping[str, Money] = field(default_factory=dict)
    unknown: Sequence[Case] = ()
    refused: Sequence[tuple[Case, Verdict]] = ()

    def check_currency(self, budget: Money) -> None:
        """Refuse a budget in another currency than the calls.

        Raises:
            WrongCurrency: it is.
        """
        for cost in self.worst.values():
            if cost.currency != budget.currency:
                raise WrongCurrency(budget, cost, "the run costs up to")


def calls_at_most(case: Case, plan: Plan) -> int:
    """How many replays of a manifest a run may want."""
    begun = first(case, plan)
    if plan.options.offline:
        return begun
    if case.regime is Regime.SEEDED and begun == 1:
        return begun + 1
    deep = case.sampled and case.outputs >= BASELINE and case.policy.looks
    return max(begun, case.policy.looks[-1]) if deep else begun


def bill_of(registry: Registry, plan: Plan, most_of: Callable[[Case, Plan], int] = calls_at_most) -> Bill:
    """Prepare every manifest as a replay would, and price it; nothing is sent.

    Args:
        registry: where the manifests lie.
        plan: of the run.
        most_of: how many calls there may be of a manifest; of none, none is prepared.
    """
    begun = most = 0
    worst: dict[str, int] = defaultdict(int)
    unknown: list[Case] = []
    refused: list[tuple[Case, Verdict]] = []
    for case in plan.cases:
        if not (calls := most_of(case, plan)):
            continue
        ready = None if plan.options.offline else _ready(registry, plan, case)
        if isinstance(ready, Verdict):
            refused.append((case, ready))
            continue
        begun, most = begun + first(case, plan), most + calls
        if ready is None:
            continue
        cost = _cost(registry, plan, ready)
        if cost is None:
            unknown.append(case)
        elif cost.nanos:
            worst[cost.currency] += cost.nanos * calls
    money = {currency: Money(nanos, currency) for currency, nanos in sorted(worst.items())}
    return Bill(begun, most, money, unknown, refused)


def _ready(registry: Registry, plan: Plan, case: Case) -> Ready | Verdict:
    ready = prepare(registry, case.original, change_of(plan))
    return (refused_by_plan(plan, ready) or ready) if isinstance(ready, Ready) else ready


def _cost(registry: Registry, plan: Plan, ready: Ready) -> Money | None:
    cost = worst_case(registry, ready)
    if cost is None and (assumed := plan.options.assume_cost) is not None:
        return Money(nanos_of(assumed.amount), assumed.currency)
    return cost
