"""Which recorded generations lean on a model that is shut down, or soon will be."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeAlias

from sqlalchemy import func, select

from registry.capture.description import Description, Descriptions
from registry.capture.shutdown import NotTold, day_told
from registry.catalog.tables import generation
from registry.errors import InvalidValue
from registry.home import Registry
from registry.prices.store import prices_of

Source: TypeAlias = Literal["provider", "description", "price table"]
Used: TypeAlias = tuple[str, str]
"""A provider and a model that was asked for."""

_LOCK: Final = "mintmark/lock/v1"
_LARGEST: Final = 64 << 20
_AT_ONCE: Final = 5_000  # ids in one statement


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model with a day of shut-down and the generations that asked for it.

    ``replays`` are counted apart from ``generations``. ``source`` says who named the day.
    """

    provider: str
    model: str
    day: date
    source: Source
    generations: int
    replays: int
    last_recorded_at: str

    def days_left(self, today: date) -> int:
        """Days until the shut-down; negative where it is past."""
        return (self.day - today).days


@dataclass(frozen=True, slots=True)
class Told:
    """What providers said when they were asked: days by provider and model, and who gave no answer, with the reason."""

    days: Mapping[Used, date]
    untold: Mapping[Used, str]


def retirements(
    registry: Registry,
    descriptions: Descriptions,
    *,
    until: date | None = None,
    among: Sequence[str] | None = None,
    told: Mapping[Used, date] | None = None,
) -> list[Retirement]:
    """Recorded models with a day of shut-down, the next one first; past ones are among them.

    Args:
        registry: whose generations and price tables.
        descriptions: that name days, too; where both do, the earlier day counts.
        until: leave out what is shut down after this day.
        among: ids of the generations that are looked at; all where left out.
        told: days that the providers themselves named; they go before all others.
    """
    found = []
    for (provider, model), (count, replays, last) in _used(registry, among).items():
        known = _day_of(registry, descriptions, provider, model, told or {})
        if known is not None and (until is None or known[0] <= until):
            found.append(Retirement(provider, model, *known, count - replays, replays, last))
    return sorted(found, key=lambda one: (one.day, one.provider, one.model))


def ask_providers(
    registry: Registry,
    descriptions: Descriptions,
    *,
    among: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Told:
    """Ask the providers of recorded models for their days, where a description says how; each model once.

    Args:
        registry: whose generations.
        descriptions: that may have a table ``retiring``.
        among: as ``retirements`` takes it.
        environment: where keys and addresses are looked up.
    """
    days: dict[Used, date] = {}
    untold: dict[Used, str] = {}
    asked = {one.provider: one for one in descriptions if _says_where(one)}
    for used in sorted(_used(registry, among)):
        if used[0] in asked:
            try:
                day = day_told(asked[used[0]], used[1], environment)
            except NotTold as problem:
                untold[used] = str(problem)
            else:
                days |= {} if day is None else {used: day}
    return Told(days, untold)


def locked(path: Path) -> list[str]:
    """The ids that the lock of a suite pins.

    Raises:
        InvalidValue: it cannot be read, or is no lock.
    """
    try:
        with path.open("rb") as stream:
            value = json.loads(stream.read(_LARGEST))
        ids = [one["id"] for one in value["manifests"]]
        if value["format"] != _LOCK or not all(isinstance(one, str) for one in ids):
            raise ValueError
    except OSError as problem:
        raise InvalidValue("lock", str(path), f"a file that can be read ({problem.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidValue("lock", str(path), f"the lock of a suite ({_LOCK})") from None
    return ids


def _says_where(description: Description) -> bool:
    return description.protocol is not None and description.protocol.retiring is not None


def _day_of(
    registry: Registry, descriptions: Descriptions, provider: str, model: str, told: Mapping[Used, date]
) -> tuple[date, Source] | None:
    """The day of a model, and who named it."""
    if (provider, model) in told:
        return told[provider, model], "provider"
    described = [one.retires_on(model) for one in descriptions if one.provider == provider]
    listed = [entry.retires for _, entry in prices_of(registry.home, provider, model)]
    days: list[tuple[date, Source]] = [
        *((day, "description") for day in described if day is not None),
        *((day, "price table") for day in listed if day is not None),
    ]
    return min(days, default=None)


def _used(registry: Registry, among: Sequence[str] | None) -> dict[Used, tuple[int, int, str]]:
    """Of each provider and model: generations, replays among them, and when the last one was recorded."""
    found: dict[Used, tuple[int, int, str]] = {}
    for provider, model, count, replays, last in _counted(registry, among):
        before = found.get((provider, model), (0, 0, ""))
        found[provider, model] = (before[0] + count, before[1] + replays, max(before[2], last))
    return found


def _counted(registry: Registry, among: Sequence[str] | None) -> Iterator[tuple[str, str, int, int, str]]:
    query = select(
        generation.c.provider,
        generation.c.model,
        func.count().label("all"),
        func.count(generation.c.replay_of).label("replays"),
        func.max(generation.c.recorded_at).label("last"),
    ).group_by(generation.c.provider, generation.c.model)
    unique = None if among is None else list(dict.fromkeys(among))
    chosen = [query] if unique is None else [
        query.where(generation.c.id.in_(unique[first : first + _AT_ONCE])) for first in range(0, len(unique), _AT_ONCE)
    ]  # fmt: skip
    with registry.catalog.database.reading() as connection:
        for one in chosen:
            yield from (tuple(row) for row in connection.execute(one).all())
