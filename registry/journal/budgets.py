"""Budgets: money set aside before a call and settled after it, so that no crowd of workers can overspend."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from sqlalchemy import Connection, insert, select, update

from registry.database import Database
from registry.errors import CouldNotRun, InvalidValue, NotFound
from registry.journal.tables import budget as _budget
from registry.times import now

NANOS: Final = 10**9
"""Parts of one unit of a currency that amounts are counted in."""

MOST: Final = 2**62
"""Billionths: about 4.6 thousand million dollars, so that sums fit the database's integers."""


class BudgetSpent(CouldNotRun):
    """What is left of a budget does not pay for the call; nothing was sent."""

    exit_code = 4

    def __init__(self, id: str, wanted: int, left: int, currency: str) -> None:
        """Say what the call may cost and what is left."""
        super().__init__(
            f"the budget is spent: the call may cost {amount_text(wanted)} {currency} and "
            f"{amount_text(max(0, left))} {currency} are left of budget {id}; nothing was sent, give more with --budget"
        )
        self.id, self.wanted, self.left = id, wanted, left


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent, in billionths of ``currency``; ``reserved`` is set aside for calls under way."""

    id: str
    currency: str
    amount: int
    reserved: int
    settled: int

    @property
    def left(self) -> int:
        """What the next reservation may take; below 0 where a provider charged more than was reserved."""
        return self.amount - self.reserved - self.settled


class Budgets:
    """The budgets of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, amount: int, currency: str) -> str:
        """A new budget.

        Args:
            amount: billionths of the currency, 0 or more.
            currency: as prices name it: ``USD``.

        Returns:
            Its id.

        Raises:
            InvalidValue: no such amount.
        """
        if not 0 <= amount <= MOST:
            raise InvalidValue("budget", amount, "an amount of money")
        row: Mapping[str, object] = {
            "id": str(uuid.uuid4()),
            "currency": currency,
            "amount": amount,
            "reserved": 0,
            "settled": 0,
            "created_at": now(),
        }
        with self.database.writing() as connection:
            connection.execute(insert(_budget), row)
        return str(row["id"])

    def raise_to(self, id: str, amount: int, currency: str) -> None:
        """Let a budget be that large from now on; one that is larger already stays so.

        Raises:
            InvalidValue: it is in another currency.
            NotFound: there is none of that id.
        """
        column = _budget.c
        with self.database.writing() as connection:
            if (found := _get(connection, id)).currency != currency:
                raise InvalidValue("currency", currency, f"{found.currency}, the currency of budget {id}")
            larger = update(_budget).where(column.id == id, column.amount < amount)
            connection.execute(larger.values(amount=amount))

    def get(self, id: str) -> Budget:
        """A budget as it stands.

        Raises:
            NotFound: there is none of that id.
        """
        with self.database.reading() as connection:
            return _get(connection, id)


def reserve(connection: Connection, id: str, currency: str | None, amount: int) -> None:
    """Set money aside; a step of the transaction that begins a call.

    Raises:
        BudgetSpent: there is not so much left.
        InvalidValue: the budget is in another currency.
        NotFound: there is none of that id.
    """
    column = _budget.c
    # One statement decides and writes: PostgreSQL looks at the newest row again once it has its lock.
    enough = column.amount - column.reserved - column.settled >= amount
    taken = update(_budget).where(column.id == id, column.currency == currency, enough)
    if connection.execute(taken.values(reserved=column.reserved + amount)).rowcount == 1:
        return
    found = _get(connection, id)
    if found.currency != currency:
        raise InvalidValue("currency", currency, f"{found.currency}, the currency of budget {id}; nothing was sent")
    raise BudgetSpent(id, amount, found.left, found.currency)


def settle(connection: Connection, id: str, reserved: int, settled: int) -> None:
    """End a reservation: give it back and count what was really spent, be it more; a step of a call's move."""
    column = _budget.c
    connection.execute(
        update(_budget)
        .where(column.id == id)
        .values(reserved=column.reserved - reserved, settled=column.settled + settled)
    )


def nanos_of(amount: str | Decimal) -> int:
    """A decimal amount in billionths, rounded up.

    Raises:
        InvalidValue: it is below 0, or more than is counted here.
    """
    nanos = int((Decimal(amount) * NANOS).to_integral_value(ROUND_CEILING))
    if not 0 <= nanos <= MOST:
        raise InvalidValue("amount", str(amount), f"an amount of money below {MOST // NANOS:,}")
    return nanos


def amount_text(nanos: int) -> str:
    """Billionths as a decimal amount: ``0.04``; two decimals at least."""
    whole, _, part = f"{Decimal(nanos) / NANOS:.9f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def _get(connection: Connection, id: str) -> Budget:
    row = connection.execute(select(_budget).where(_budget.c.id == id)).first()
    if row is None:
        raise NotFound("budget", id, "make one with --budget")
    return Budget(row.id, row.currency, row.amount, row.reserved, row.settled)
