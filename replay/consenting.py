"""Asks before anything is paid: a budget, or a yes to the worst case. What costs nothing is never asked about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from registry.capture.description import Description
from registry.drafting import new_exchange_id
from registry.home import Registry
from registry.journal.budgets import amount_text
from replay.costing import Money, is_free
from replay.errors import ReplayError
from replay.paying import Paying

Pay: TypeAlias = Callable[[], Paying | None]
"""How the next call is paid for; None where it costs nothing."""


class PriceUnknown(ReplayError):
    """Nothing says what a call costs."""

    exit_code = 2

    def __init__(self, provider: str, model: str) -> None:
        """Name both and give the two ways on."""
        super().__init__(
            f"what {provider} charges for {model} is not known here, so nothing was sent; say what a call costs at "
            "most with --assume-cost 0.04, or import prices (`mintmark prices import FILE`)"
        )


class ConsentNeeded(ReplayError):
    """A paid call without a budget, and nobody at a terminal to ask."""

    exit_code = 2

    def __init__(self, bill: str, total: Money) -> None:
        """Say what it would cost and what to type."""
        super().__init__(f'{bill}; nothing was sent: add --budget "{total}" or --yes')
        amount = f'{{"amount": "{amount_text(total.nanos)}", "currency": "{total.currency}"}}'
        self.over_http = f'{bill}; nothing was sent: add "budget": {amount}'


class Declined(ReplayError):
    """Somebody was asked, and said no."""

    exit_code = 4

    def __init__(self) -> None:
        """Say that nothing was paid."""
        super().__init__("nothing was sent and nothing paid")


class WrongCurrency(ReplayError):
    """A budget in another currency than the price."""

    exit_code = 2

    def __init__(self, budget: Money, cost: Money, what: str = "a call costs") -> None:
        """Name both, and what it is that costs so much."""
        super().__init__(f"the budget is in {budget.currency}, and {what} {cost}; give it in {cost.currency}")


class TwoCurrencies(ReplayError):
    """Attempts in turn whose prices are in different currencies: no one budget pays for them all."""

    exit_code = 2

    def __init__(self, told: Sequence[str]) -> None:
        """Name each with its price, and the ways on."""
        super().__init__(
            f"one budget pays in one currency, and {' and '.join(told)}; nothing was sent: have all of them priced in "
            "one (--assume-cost takes a currency, such as 0.05EUR; else `mintmark prices import FILE`), or ask one "
            "at a time"
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person has said: a budget, what a call of unknown price costs, yes to everything; ``ask`` asks."""

    budget: Money | None = None
    assumed: Money | None = None
    yes: bool = False
    ask: Callable[[str], bool] | None = None

    def price(self, known: Money | None) -> Money | None:
        """What a call costs at most: what is known of it, else what was assumed; None where nobody says."""
        return self.assumed if known is None else known


def agreed(
    registry: Registry, description: Description, model: str, cost: Money | None, calls: int, terms: Terms
) -> Pay:
    """How up to ``calls`` calls are paid for, once somebody has agreed to it.

    A yes makes a budget of exactly what was named, so the answer binds even if more calls are wanted later.

    Args:
        registry: where the budget is kept.
        description: of the operation.
        model: the one that is sent.
        cost: of one call, at most; None where it is unknown.
        calls: how many there may be.
        terms: what was said.

    Raises:
        PriceUnknown, ConsentNeeded, Declined, WrongCurrency: nothing was sent.
    """
    one = terms.price(cost)
    if _costs_nothing(description, one):
        return lambda: None
    if one is None:
        raise PriceUnknown(description.provider, model)
    total = Money(one.nanos * calls, one.currency)
    budget = _budget(registry, _bill(description.provider, model, one, total, calls), one, total, terms)
    return lambda: Paying(new_exchange_id(), budget, one.nanos, one.currency)


def agreed_in_turn(
    registry: Registry,
    asked: Sequence[tuple[Description, str, Money | None]],
    terms: Terms,
    further: str = "as long as that fails",
) -> list[Pay]:
    """How calls are paid for that are made one after the other: of one budget, or one yes.

    Args:
        registry: where the budget is kept.
        asked: description, model and the most that it costs, of each.
        terms: what was said; what is assumed is what each costs whose price is unknown.
        further: when one after the first is made, in words.

    Raises:
        PriceUnknown, ConsentNeeded, Declined, WrongCurrency, TwoCurrencies: nothing was sent.
    """
    if len(asked) == 1:
        description, model, cost = asked[0]
        return [agreed(registry, description, model, cost, 1, terms)]
    costs: list[Money | None] = []
    for description, model, cost in asked:
        one = terms.price(cost)
        if one is None:
            raise PriceUnknown(description.provider, model)
        costs.append(None if _costs_nothing(description, one) else one)
    paid = [one for one in costs if one is not None]
    if not paid:
        return [lambda: None for _ in costs]
    names = [f"{model} of {description.provider}" for description, model, _ in asked]
    if any(one.currency != paid[0].currency for one in paid):
        raise TwoCurrencies([f"{name} costs {one}" for name, one in zip(names, costs, strict=True) if one])
    total = Money(sum(one.nanos for one in paid), paid[0].currency)
    told = [f"{name} (up to {one or 'nothing'})" for name, one in zip(names, costs, strict=True)]
    bill = f"this calls {told[0]}, and {further} {', then '.join(told[1:])}: up to {total}"
    budget = _budget(registry, bill, paid[0], total, terms)
    return [_paying_by(budget, one) for one in costs]


def _paying_by(budget: str, one: Money | None) -> Pay:
    return lambda: None if one is None else Paying(new_exchange_id(), budget, one.nanos, one.currency)


def _costs_nothing(description: Description, one: Money | None) -> bool:
    return is_free(description) or (one is not None and one.nanos == 0)


def _budget(registry: Registry, bill: str, one: Money, total: Money, terms: Terms) -> str:
    """A budget that somebody has agreed to, or has agreed to by naming it."""
    if terms.budget is None and not terms.yes:
        if terms.ask is None:
            raise ConsentNeeded(bill, total)
        if not terms.ask(bill):
            raise Declined
    allowed = terms.budget or total
    if allowed.currency != one.currency:
        raise WrongCurrency(allowed, one)
    return registry.budgets.create(allowed.nanos, allowed.currency)


def _bill(provider: str, model: str, one: Money, total: Money, calls: int) -> str:
    source = f" ({one.source})" if one.source else ""
    if calls == 1:
        return f"this calls {model} of {provider}, which costs up to {one}{source}"
    return f"this calls {model} of {provider} up to {calls} times, at {one} each{source}: up to {total}"
