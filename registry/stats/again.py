"""What replays said of providers: verdicts and calibrated regimes, from signed drift and calibration records."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct
from sqlalchemy import select

from registry.catalog.tables import about, generation, record
from registry.database import raw
from registry.home import Registry
from registry.stats.calls import Selection

Row = tuple[str, str]


class _Verdict(Struct, frozen=True):
    kind: str


class _Drift(Struct, frozen=True):
    baseline: str
    verdict: _Verdict
    replay: str | None = None


class _Calibration(Struct, frozen=True):
    manifest: str
    regime: str


class _Seed(Struct, frozen=True):
    requested: str | None = None


class _Seeded(Struct, frozen=True):
    seed: _Seed


@dataclass(slots=True)
class Again:
    """Of one provider and model: verdicts on honest replays, and the newest regime of each calibrated manifest."""

    verdicts: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)


def made_again(registry: Registry, selection: Selection) -> dict[Row, Again]:
    """Provider and model to what replays said of it.

    Only replays of the recorded version with the recorded seed count: another model's output says nothing of this one.
    """
    found: dict[Row, Again] = {}
    for origin, drift in _of_same_version(registry, selection):
        found.setdefault(origin, Again()).verdicts[drift.verdict.kind] += 1
    newest: dict[str, tuple[Row, str]] = {}
    for _, manifest, origin, body in _about(registry, selection, "calibration"):
        calibration = msgspec.json.decode(body, type=_Calibration)
        if manifest == calibration.manifest:
            newest[manifest] = origin, calibration.regime
    for origin, regime in newest.values():
        found.setdefault(origin, Again()).regimes[regime] += 1
    return found


def _of_same_version(registry: Registry, selection: Selection) -> Iterator[tuple[Row, _Drift]]:
    """Drift records whose replay asked for what was recorded, and whom they asked."""
    made_by: dict[str, Row] = {}
    told: dict[str, _Drift] = {}
    for record_id, manifest, origin, body in _about(registry, selection, "drift"):
        made_by[manifest] = origin
        if record_id not in told:  # it speaks of two manifests
            told[record_id] = msgspec.json.decode(body, type=_Drift)
    seeds = _seeds(registry, sorted(made_by))
    for drift in told.values():
        first, again = drift.baseline, drift.replay
        if again is None or first not in made_by:
            continue
        if made_by[first] == made_by.get(again) and seeds.get(first) == seeds.get(again):
            yield made_by[first], drift


def _about(registry: Registry, selection: Selection, kind: str) -> Iterator[tuple[str, str, Row, bytes]]:
    """Records of a kind in the period, oldest first: id, the manifest they speak of, who made that, their bytes."""
    query = (
        select(about.c.record, about.c.manifest, generation.c.provider, generation.c.model, record.c.body)
        .join(generation, generation.c.id == about.c.manifest)
        .join(record, record.c.id == about.c.record)
        .where(about.c.kind == kind)
        .order_by(about.c.recorded_at, about.c.record)
    )
    for column, value in ((generation.c.workflow, selection.workflow), (generation.c.provider, selection.provider)):
        if value is not None:
            query = query.where(column == value)
    if selection.period.since is not None:
        query = query.where(about.c.recorded_at >= selection.period.since)
    if selection.period.until is not None:
        query = query.where(about.c.recorded_at < selection.period.until)
    with registry.catalog.database.reading() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query):
            yield row.record, row.manifest, (row.provider, row.model), raw(row.body)


def _seeds(registry: Registry, manifests: list[str]) -> dict[str, str | None]:
    return {
        stored.id: msgspec.json.decode(stored.body, type=_Seeded).seed.requested
        for stored in registry.catalog.each(manifests)
    }
