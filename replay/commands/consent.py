"""The options of commands that may cost money, and the question they put at a terminal."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from registry.home import Registry
    from replay.consenting import Pay, Terms
    from replay.costing import Money
    from replay.preparing import Ready

Command = TypeVar("Command", bound=Callable[..., Any])


def may_cost(command: Command) -> Command:
    """Add ``--budget``, ``--assume-cost`` and ``--yes``."""
    for option in (
        click.option("--yes", is_flag=True, help="Pay the worst case without being asked."),
        click.option("--assume-cost", metavar="AMOUNT", help="What a call of unknown price may cost: 0.04, 0.04EUR."),
        click.option("--budget", metavar="AMOUNT", help='What may be paid in all: 0.40, "0.40 USD".'),
    ):
        command = option(command)
    return command


def terms_of(budget: str | None, assume_cost: str | None, yes: bool, *, silent: bool) -> "Terms":
    """What was said on the command line; where nobody can be asked, nobody is.

    Raises:
        InvalidValue: no amount.
    """
    from replay.consenting import Terms

    asked = _ask if at_terminal() and not silent else None
    return Terms(_money("--budget", budget), _money("--assume-cost", assume_cost), yes, asked)


def at_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def paying_for(registry: "Registry", terms: "Terms") -> "Callable[[Ready, int], Pay]":
    """How the replays of a prepared manifest are paid for, once somebody has agreed to it."""
    from replay.consenting import agreed
    from replay.costing import worst_case

    def pay(ready: "Ready", calls: int) -> "Pay":
        cost, model = worst_case(registry, ready), ready.draft.model.requested
        return agreed(registry, ready.description, model, cost, calls, terms)

    return pay


def _money(option: str, text: str | None) -> "Money | None":
    from registry.commands.options import parse_amount
    from registry.journal.budgets import nanos_of
    from replay.costing import Money

    if text is None:
        return None
    amount, currency = parse_amount(option, text)
    return Money(nanos_of(amount), currency, "by the cost assumed")


def _ask(bill: str) -> bool:
    return click.confirm(f"{bill}; go on?", default=False, err=True)
