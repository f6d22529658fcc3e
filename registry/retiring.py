"""Which recorded generations lean on a model that is shut down, or soon will be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import func, select

from registry.capture.description import Descriptions
from registry.catalog.tables import generation
from registry.home import Registry
from registry.prices.store import prices_of


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model with a day of shut-down and the generations that asked for it.

    ``replays`` are counted apart from ``generations``. ``source`` says who named the day.
    """

    provider: str
    model: str
    day: date
    source: Literal["description", "price table"]
    generations: int
    replays: int
    last_recorded_at: str

    def days_left(self, today: date) -> int:
        """Days until the shut-down; negative where it is past."""
        return (self.day - today).days


def retirements(registry: Registry, descriptions: Descriptions, *, until: date | None = None) -> list[Retirement]:
    """Recorded models with a day of shut-down, the next one first; past ones are among them.

    Args:
        registry: whose generations and price tables.
        descriptions: that name days, too; where both do, the earlier day counts.
        until: leave out what is shut down after this day.
    """
    found = list(_retiring(registry, descriptions))
    kept = [one for one in found if until is None or one.day <= until]
    return sorted(kept, key=lambda one: (one.day, one.provider, one.model))


def _retiring(registry: Registry, descriptions: Descriptions) -> Iterator[Retirement]:
    query = select(
        generation.c.provider,
        generation.c.model,
        func.count().label("all"),
        func.count(generation.c.replay_of).label("replays"),
        func.max(generation.c.recorded_at).label("last"),
    ).group_by(generation.c.provider, generation.c.model)
    with registry.catalog.database.reading() as connection:
        rows = connection.execute(query).all()
    for provider, model, count, replays, last in rows:
        described = [one.retires.get(model) for one in descriptions if one.provider == provider]
        listed = [entry.retires for _, entry in prices_of(registry.home, provider, model)]
        days: list[tuple[date, Literal["description", "price table"]]] = [
            *((day, "description") for day in described if day is not None),
            *((day, "price table") for day in listed if day is not None),
        ]
        if days:
            day, source = min(days)
            yield Retirement(provider, model, day, source, count - replays, replays, last)
