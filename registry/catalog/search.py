"""Searches generations by what their manifests say; pages by an opaque cursor."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, Text, and_, cast, exists, func, literal, or_, select
from sqlalchemy.dialects import postgresql

from registry.catalog.store import Catalog
from registry.catalog.tables import generation, label, record
from registry.database import raw
from registry.errors import Corrupted, InvalidValue
from registry.manifest import id_of

LARGEST_PAGE = 1000
_FEW = 500  # ids in a list of parameters


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; every condition must hold. ``among`` bounds the answer to some manifests."""

    labels: Mapping[str, str] = field(default_factory=dict)
    workflow: str | None = None
    provider: str | None = None
    model: str | None = None
    status: str | None = None
    operation: str | None = None
    since: str | None = None
    until: str | None = None
    replays: bool = False
    among: Sequence[str] | None = None
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an answer."""

    id: str
    recorded_at: str
    operation: str
    provider: str
    model: str
    workflow: str | None
    outcome: str
    replay_of: str | None
    outputs: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and the cursor of the next page; None on the last."""

    rows: list[Row]
    next_cursor: str | None


def search(catalog: Catalog, query: Query) -> Page:
    """One page of the generations that fit, newest first.

    Records that arrive between two pages do not shift the later ones.

    Raises:
        InvalidValue: a limit outside 1 to 1,000, or a cursor that is none of ours.
    """
    if not 1 <= query.limit <= LARGEST_PAGE:
        raise InvalidValue("limit", query.limit, f"between 1 and {LARGEST_PAGE}")
    columns = [generation.c[name] for name in Row.__slots__]
    wanted = _conditions(catalog, select(*columns), query)
    if query.cursor is not None:
        at, last = _read_cursor(query.cursor)
        older = or_(generation.c.recorded_at < at, and_(generation.c.recorded_at == at, generation.c.id < last))
        wanted = wanted.where(older)
    newest_first = wanted.order_by(generation.c.recorded_at.desc(), generation.c.id.desc()).limit(query.limit + 1)
    with catalog.database.reading() as connection:
        rows = [Row(*row) for row in connection.execute(newest_first)]
    if len(rows) <= query.limit:
        return Page(rows, None)
    last_row = rows[query.limit - 1]
    return Page(rows[: query.limit], _cursor(last_row.recorded_at, last_row.id))


def matching(catalog: Catalog, query: Query) -> list[str]:
    """Ids of all generations that fit, oldest first; limit and cursor do not count."""
    wanted = _conditions(catalog, select(generation.c.id), query).order_by(generation.c.recorded_at, generation.c.id)
    with catalog.database.reading() as connection:
        return list(connection.execute(wanted).scalars())


def bodies(catalog: Catalog, query: Query) -> Iterator[tuple[str, bytes]]:
    """Id and canonical bytes of all generations that fit, oldest first, read as they are asked for.

    Raises:
        Corrupted: bytes that no longer give their id.
    """
    joined = select(record.c.id, record.c.body).join(generation, generation.c.id == record.c.id)
    wanted = _conditions(catalog, joined, query).order_by(generation.c.recorded_at, generation.c.id)
    with catalog.database.reading() as connection:
        for row in connection.execution_options(yield_per=1000).execute(wanted):
            body = raw(row.body)
            if (actual := id_of(body)) != row.id:
                raise Corrupted(f"the record {row.id}", expected=row.id, actual=actual)
            yield row.id, body


def _conditions(catalog: Catalog, wanted: Select[Any], query: Query) -> Select[Any]:
    for name, value in (
        ("workflow", query.workflow),
        ("provider", query.provider),
        ("model", query.model),
        ("outcome", query.status),
        ("operation", query.operation),
    ):
        if value is not None:
            wanted = wanted.where(generation.c[name] == value)
    if query.since is not None:
        wanted = wanted.where(generation.c.recorded_at >= query.since)
    if query.until is not None:
        wanted = wanted.where(generation.c.recorded_at < query.until)
    if not query.replays:
        wanted = wanted.where(generation.c.replay_of.is_(None))
    if query.among is not None:
        wanted = wanted.where(generation.c.id.in_(_listed(catalog, query.among)))
    for key, value in query.labels.items():
        here = and_(label.c.manifest == generation.c.id, label.c.key == key, label.c.value == value)
        wanted = wanted.where(exists().where(here))
    return wanted


def _listed(catalog: Catalog, ids: Sequence[str]) -> Any:  # noqa: ANN401 - what ``in_`` takes
    """Ids for an IN; many go as one JSON parameter, because databases bound the number of parameters."""
    if len(ids) <= _FEW:
        return list(ids)
    if catalog.database.is_sqlite:
        return select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value)
    return select(
        func.json_array_elements_text(cast(literal(json.dumps(list(ids)), Text), postgresql.JSON)).column_valued()
    )


def _cursor(recorded_at: str, manifest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([recorded_at, manifest]).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[str, str]:
    try:
        at, last = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if isinstance(at, str) and isinstance(last, str):
            return at, last
    except (binascii.Error, ValueError, TypeError):
        pass
    raise InvalidValue("cursor", text, "a cursor that an earlier page gave")
