"""Brings every manifest of a suite to the calibration that its policy needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drift.floor import LEARN, Regime
from drift.significance.resolution import floor_needed
from drift.significance.sequential import BASELINE
from drift.verdict import Verdict
from registry.drafting import new_exchange_id
from registry.home import Registry
from registry.journal.budgets import Budgets, BudgetSpent
from replay.calibrating import Calibration, CalibrationFailed, calibrate
from replay.consenting import Pay, Terms
from replay.costing import Money, worst_case
from replay.paying import Paying
from replay.preparing import AS_RECORDED, Ready, prepare
from replay.suites.billing import bill_of
from replay.suites.plan import Case, Plan
from replay.suites.starting import agreed_budget


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of one manifest: a calibration, a reason why there can be none, or nothing because it was enough.

    ``error`` is why it was not finished, ``exit_code`` what that means: 3 the provider failed, 4 the budget is spent.
    """

    case: Case
    found: Calibration | Verdict | None
    error: str | None = None
    exit_code: int = 0


def calibration_runs(case: Case, *, deep: bool) -> tuple[int, int]:
    """How many replays the calibration that a policy needs takes: at most, and of free samples; 0 where it is there.

    Args:
        case: with what is known of it.
        deep: whether free samples are to be decided for each manifest on its own, and not only for all together.
    """
    if case.policy.limits or case.regime in (Regime.DETERMINISTIC, Regime.SEEDED):
        return 0, 0
    samples = max(LEARN, max(case.policy.replays.baseline, BASELINE if deep else 1) - 1)
    if case.regime is Regime.UNSEEDED:
        return (samples, samples) if case.sampled and len(case.baseline) < samples else (0, 0)
    return max(floor_needed(case.policy.alpha), samples), samples


def calibrate_suite(
    registry: Registry,
    plan: Plan,
    terms: Terms,
    *,
    deep: bool = False,
    tell: Callable[[Case, int, int], None] = lambda case, number, most: None,
) -> Iterator[Calibrated]:
    """Calibrate what needs it, one manifest after the other; each is kept as soon as it is whole.

    None is begun whose replays the budget may not pay for: half a calibration is money for nothing.

    Args:
        registry: where the manifests lie.
        plan: of the suite, as it is now.
        terms: what may be paid for all of them together.
        deep: see ``calibration_runs``.
        tell: hears of each replay: of which manifest, its number, and how many at most.

    Raises:
        PricesUnknown, ConsentNeeded, Declined, WrongCurrency: nothing was sent.
    """
    bill = bill_of(registry, plan, lambda case, _: calibration_runs(case, deep=deep)[0])
    money = agreed_budget(bill, terms)
    budget = None if money is None else Budgets(registry.catalog.database).create(money.nanos, money.currency)

    def pay(ready: Ready, _: int) -> Pay:
        cost = terms.price(worst_case(registry, ready))
        if budget is None or cost is None or not cost.nanos:
            return lambda: None
        return lambda: Paying(new_exchange_id(), budget, cost.nanos, cost.currency)

    for case in plan.cases:
        most, samples = calibration_runs(case, deep=deep)
        if not most:
            yield Calibrated(case, None)
            continue

        def made(number: int, _: object, case: Case = case, most: int = most) -> None:
            tell(case, number, most)

        if budget is not None and (short := _short(registry, plan, terms, case, most, budget)) is not None:
            yield Calibrated(case, None, short, BudgetSpent.exit_code)
            continue
        try:
            alpha, held = case.policy.alpha, case.original
            found = calibrate(registry, held, most, alpha=alpha, samples=samples, tell=made, pay=pay)
            yield Calibrated(case, found)
        except (CalibrationFailed, BudgetSpent) as problem:
            yield Calibrated(case, None, str(problem), problem.exit_code)


def _short(registry: Registry, plan: Plan, terms: Terms, case: Case, most: int, budget: str) -> str | None:
    """Why a calibration is not begun: what is left may not pay for its replays; None where it does."""
    ready = prepare(registry, case.original, AS_RECORDED)
    cost = terms.price(worst_case(registry, ready)) if isinstance(ready, Ready) else None
    left = Budgets(registry.catalog.database).get(budget).left
    if cost is None or most * cost.nanos <= left:
        return None
    needed, there = Money(most * cost.nanos, cost.currency), Money(left, cost.currency)
    return f"not begun: its {most} replays may cost {needed}, and {there} are left; give more with --budget"
