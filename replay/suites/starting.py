"""Begins a run once somebody has agreed to its costs, or goes on with one."""

from collections import Counter
from dataclasses import dataclass

import msgspec

from registry.errors import InvalidValue
from registry.home import Registry
from registry.journal.budgets import Budgets, amount_text, nanos_of
from registry.journal.calls import Calls
from registry.journal.runs import RunReplay, Runs
from registry.journal.states import OPEN, CallState
from replay.consenting import ConsentNeeded, Declined, Terms
from replay.costing import Money
from replay.errors import ReplayError
from replay.suites.billing import Bill, bill_of
from replay.suites.making import key_of
from replay.suites.plan import Amount, Budgeted, Plan
from replay.suites.wanting import beginning

_LATER = frozenset({"budget", "canceled"})  # reasons for which a replay was not made, and may be made later


class PricesUnknown(ReplayError):
    """Nothing says what some of a run's calls cost."""

    exit_code = 2

    def __init__(self, bill: Bill) -> None:
        """Name the first of them, and the two ways on."""
        one, count = bill.unknown[0], len(bill.unknown)
        said = (
            f"what {one.provider} charges for {one.model} is not known here ({count} of the suite's manifests), so "
            "nothing was sent; say what a call costs at most with {}, or import prices (`mintmark prices import FILE`)"
        )
        super().__init__(said.replace("{}", "--assume-cost 0.04"))
        self.over_http = said.replace("{}", '"assume_cost": {"amount": "0.04", "currency": "USD"}')


@dataclass(frozen=True, slots=True)
class Started:
    """A run that has begun, and how many replays it begins with."""

    run: str
    bill: Bill


def start(registry: Registry, plan: Plan, terms: Terms, run_id: str | None = None) -> Started:
    """Make a run of a plan, if it costs nothing, has a budget, or somebody says yes to its worst case.

    A new id is minted for it unless one is given.

    Raises:
        PricesUnknown, ConsentNeeded, Declined, WrongCurrency: nothing was sent, and there is no run.
    """
    bill = bill_of(registry, plan)
    budget = None if plan.options.offline else agreed_budget(bill, terms)
    if budget is not None:
        name = Budgets(registry.catalog.database).create(budget.nanos, budget.currency)
        kept = Budgeted(id=name, amount=amount_text(budget.nanos), currency=budget.currency)
        plan = msgspec.structs.replace(plan, budget=kept)
    wanted = [(one.manifest, one.ordinal, one.purpose) for one in beginning(plan)]
    return Started(Runs(registry.catalog.database).create(plan.suite.name, plan.to_json(), wanted, run_id), bill)


def terms_with(terms: Terms, budget: Amount | None) -> Terms:
    """The terms as said, with the suite's budget where none was given."""
    if terms.budget is not None or budget is None:
        return terms
    return Terms(Money(nanos_of(budget.amount), budget.currency), terms.assumed, terms.yes, terms.ask)


def amount_of(money: Money | None) -> Amount | None:
    """Money as plans hold it."""
    return None if money is None else Amount(amount=amount_text(money.nanos), currency=money.currency)


def agreed_budget(bill: Bill, terms: Terms, what: str = "replays", before: int = 0) -> Money | None:
    """What may be spent, once somebody has agreed to it; None where nothing costs anything.

    Args:
        bill: what it may come to.
        terms: what was said.
        what: is made, in words.
        before: billionths that are spent already; what may be spent is so much more.

    Raises:
        PricesUnknown, ConsentNeeded, Declined, WrongCurrency: nothing was sent.
    """
    if bill.unknown:
        raise PricesUnknown(bill)
    if not bill.worst:
        return None
    if terms.budget is not None:
        bill.check_currency(terms.budget)
        return terms.budget
    first = next(iter(bill.worst.values()))
    total = Money(first.nanos + before, first.currency)
    said = f"this makes up to {bill.most} {what}, which cost up to {' and '.join(map(str, bill.worst.values()))}"
    if len(bill.worst) > 1:
        raise ConsentNeeded(f"{said}: calls in several currencies need a suite each", total)
    if not terms.yes:
        if terms.ask is None:
            raise ConsentNeeded(said, total)
        if not terms.ask(said):
            raise Declined
    return total


def raise_budget(registry: Registry, plan: Plan, budget: Money) -> None:
    """Let a run that goes on spend up to that much in all.

    Raises:
        InvalidValue: it was begun without a budget, because nothing in it costs anything, or in another currency.
    """
    if plan.budget is None:
        raise InvalidValue("--budget", str(budget), "needed: nothing in that run costs anything")
    Budgets(registry.catalog.database).raise_to(plan.budget.id, budget.nanos, budget.currency)


def agree_again(registry: Registry, run_id: str, terms: Terms, *, errors: bool) -> None:
    """Let a run that goes on spend what was said; one that was canceled is over, and begins anew only once agreed to.

    Raises:
        PricesUnknown, ConsentNeeded, Declined, WrongCurrency: nothing was sent, and the run is as it was.
        InvalidValue: a budget for a run that has none, or in another currency.
    """
    runs = Runs(registry.catalog.database)
    run = runs.get(run_id)
    plan, allowed = Plan.from_json(run.plan), terms.budget
    if run.state == "canceled" and plan.budget is not None:
        anew, same = _left(registry, run_id, errors=errors)
        waiting = [row for row in runs.replays(run_id) if row.state == "wanted"] if anew or same else []
        calls = Counter(row.manifest for row in (*anew, *waiting))
        bill = bill_of(registry, plan, lambda case, _: calls[case.id])
        before = Budgets(registry.catalog.database).get(plan.budget.id)
        what = "replays of a run that was canceled, whatever it paid before"
        allowed = agreed_budget(bill, terms, what, before.settled + before.reserved) or allowed
    if allowed is not None:
        raise_budget(registry, plan, allowed)


def again(registry: Registry, run_id: str, *, errors: bool) -> int:
    """Want anew what a run has not made for lack of money or time; with ``errors``, what failed, too; how many.

    A call that is still ambiguous stays parked, whatever is asked for: nobody knows whether it was paid. One that is
    open goes on under its own key, however its replay ended: it is paid for.
    """
    runs = Runs(registry.catalog.database)
    anew, same = _left(registry, run_id, errors=errors)
    return runs.again(run_id, anew) + runs.again(run_id, same, same_try=True)


def _left(registry: Registry, run_id: str, *, errors: bool) -> tuple[list[RunReplay], list[RunReplay]]:
    """Replays to make anew, and those whose call goes on."""
    runs, calls = Runs(registry.catalog.database), Calls(registry.catalog.database)
    anew, same = [], []
    for row in runs.replays(run_id):
        if row.state in ("wanted", "made"):
            continue
        call = calls.get(key_of(row))
        if call is not None and call.state in OPEN:
            same.append(row)
        elif row.state == "parked":
            if call is None or call.state is CallState.UNPAID or (errors and call.state is CallState.PAID):
                anew.append(row)
        elif (errors and row.state == "failed") or (row.state != "failed" and row.outcome in _LATER):
            anew.append(row)
    return anew, same
