"""What people said of outputs, and the effort it took them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import msgspec
from msgspec import Struct
from sqlalchemy import select

from registry.catalog.tables import about, record
from registry.database import raw
from registry.home import Registry


class _Money(Struct, frozen=True):
    amount: str
    currency: str


class _Review(Struct, frozen=True):
    usable: bool
    actor: str
    minutes: str | None = None
    cost: _Money | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is known of one generation: the newest word, and the effort of everybody who looked at it."""

    usable: bool
    minutes: Decimal
    costs: tuple[tuple[Decimal, str], ...]


def reviewed(registry: Registry) -> dict[str, Reviewed]:
    """Manifest to what was said of it.

    The newest review decides. Of each reviewer the newest counts for minutes and cost: saying it again corrects what
    was said, and what two people spent adds up.
    """
    query = (
        select(about.c.manifest, record.c.body)
        .join(record, record.c.id == about.c.record)
        .where(about.c.kind == "review")
        .order_by(about.c.manifest, about.c.recorded_at, about.c.record)
    )
    decoder = msgspec.json.Decoder(_Review)
    with registry.catalog.database.reading() as connection:
        rows: Iterator[tuple[str, bytes]] = (
            (row.manifest, raw(row.body)) for row in connection.execution_options(yield_per=1000).execute(query)
        )
        return {
            manifest: _together(decoder.decode(body) for _, body in said)
            for manifest, said in groupby(rows, key=itemgetter(0))
        }


def _together(said: Iterable[_Review]) -> Reviewed:
    """The reviews of one generation, oldest first, as one."""
    usable = False
    by_actor: dict[str, _Review] = {}
    for review in said:
        usable = review.usable
        by_actor[review.actor] = review
    minutes = sum((Decimal(one.minutes) for one in by_actor.values() if one.minutes), Decimal(0))
    costs = tuple((Decimal(one.cost.amount), one.cost.currency) for one in by_actor.values() if one.cost)
    return Reviewed(usable, minutes, costs)
