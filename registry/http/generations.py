"""``/v1/generations``: record one, list them, read one and what belongs to it."""

from typing import Annotated

import msgspec
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from registry.annotate import parse_labels
from registry.canonical import JSON, canonical, parse
from registry.catalog import search as catalog_search
from registry.drafting import Draft, read_draft
from registry.errors import CouldNotRun, ExchangeConflict
from registry.home import Registry
from registry.http import documents as doc
from registry.http.here import answer, follower_of, in_flight_of, registry_of
from registry.http.idempotency import HEADER, exchange_of
from registry.http.problems import Problem
from registry.http.uploads import Arrived, Form, read_form
from registry.indexing import catch_up
from registry.lineage import lineage
from registry.log.checkpoint import Checkpoint
from registry.manifest import OutcomeClass
from registry.record import Recorded, record
from registry.show import view
from registry.signing import envelope, output_subjects, payload
from registry.templating import templated
from registry.times import parse_time

router = APIRouter(prefix="/v1/generations", tags=["generations"])


class NotLoggedYet(CouldNotRun):
    """A record that waits for its place in the log."""

    def __init__(self, manifest_id: str) -> None:
        """Name the record."""
        super().__init__(f"{manifest_id} has no place in the log yet; ask again in a second")


@router.post("", openapi_extra=doc.RECORDING, responses=doc.RECORDED)
async def record_generation(request: Request) -> Response:
    """Record a generation: part ``draft`` (JSON) and one part for each ``file`` the draft names."""
    registry = registry_of(request)
    exchange_id = exchange_of(request.headers.get(HEADER), registry.draft_secret)
    with in_flight_of(request).holding(exchange_id):
        limit = registry.settings.max_bytes
        form = await read_form(request, registry.assets, fields=frozenset({"draft"}), max_bytes=limit)
        recorded = await run_sync(_record, registry, form, exchange_id)
    follower_of(request).notice()
    value = {"id": recorded.id, "new": recorded.new, "manifest": recorded.manifest}
    return answer(value, 201 if recorded.new else 200, {"Location": f"/v1/generations/{recorded.id}"})


def _record(registry: Registry, arrived: Arrived, exchange_id: str | None) -> Recorded:
    with arrived.opened() as form:
        return _record_form(registry, form, exchange_id)


def _record_form(registry: Registry, form: Form, exchange_id: str | None) -> Recorded:
    if "draft" not in form.fields:
        raise Problem(422, "draft-missing", "no part is named draft; send the draft's JSON in it")
    draft = read_draft(parse(form.fields["draft"]))
    if exchange_id is not None:
        if draft.exchange_id is not None:
            why = f"give {HEADER} or exchange_id, not both: each names the exchange"
            raise Problem(422, "idempotency-key-malformed", why, pointer="/exchange_id")
        draft = msgspec.structs.replace(draft, exchange_id=exchange_id)
    if draft.provider.description is None:
        draft = templated(draft)
    _refuse_strangers(draft, form)
    try:
        return record(registry, draft, form.files)
    except ExchangeConflict as conflict:
        if exchange_id is None:
            raise
        why = f"this {HEADER} recorded {conflict.stored} from another request; use a new key for a new generation"
        raise Problem(422, "idempotency-key-reused", why) from None


def _refuse_strangers(draft: Draft, form: Form) -> None:
    """A part that the draft does not name is a mistake in a name, not something to drop."""
    named = {given.file for given in (*draft.inputs, *draft.outputs)}
    for name in form.files:
        if name not in named:
            raise Problem(
                422,
                "part-not-named",
                f"the draft names no file {name[:100]!r}; add it to inputs or outputs",
                pointer="",
            )


class Filters(BaseModel):
    """What to list; every condition must hold."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str | None, Field(max_length=2000, description="Words that the prompt holds, all of them.")] = (
        None
    )
    label: Annotated[list[str], Field(max_length=100, description="A label or tag, key=value; repeatable.")] = []
    workflow: str | None = None
    provider: str | None = None
    model: str | None = None
    operation: str | None = None
    status: Annotated[OutcomeClass | None, Field(description="The outcome class.")] = None
    since: Annotated[str | None, Field(description="7d, 2026-11-01 or 2026-11-01T12:00Z.")] = None
    until: str | None = None
    replays: Annotated[bool, Field(description="Replays, too.")] = False
    limit: Annotated[int, Field(ge=1, le=1000)] = 20
    cursor: Annotated[str | None, Field(description="What next_cursor of an earlier page said.")] = None


@router.get("", responses=doc.LISTED)
def list_generations(request: Request, filters: Annotated[Filters, Query()]) -> Response:
    """List generations, newest first; records that arrive meanwhile do not shift later pages."""
    registry = registry_of(request)
    among = None
    if filters.prompt is not None:
        catch_up(registry)
        among = registry.index.with_words(filters.prompt)
    query = catalog_search.Query(
        labels=parse_labels(filters.label),
        since=None if filters.since is None else parse_time("since", filters.since),
        until=None if filters.until is None else parse_time("until", filters.until),
        among=among,
        **filters.model_dump(exclude={"prompt", "label", "since", "until"}),
    )
    page = catalog_search.search(registry.catalog, query)
    rows = [{name: getattr(row, name) for name in row.__slots__} for row in page.rows]
    return answer({"generations": rows, "next_cursor": page.next_cursor})


@router.get("/{id}", responses=doc.VIEWED)
def read_generation(request: Request, id: str) -> Response:
    """Everything known of a generation; ``id`` may be a prefix of 8 digits or more, or @last."""
    registry = registry_of(request)
    return answer(view(registry, registry.catalog.resolve(id)).to_json())


@router.get("/{id}/lineage", responses=doc.LINEAGE)
def read_lineage(request: Request, id: str) -> Response:
    """What it was made from and what was made from it, all the way."""
    registry = registry_of(request)
    return answer(lineage(registry.catalog, registry.catalog.resolve(id)).to_json())


@router.get("/{id}/replays", responses=doc.REPLAYS)
def read_replays(request: Request, id: str) -> Response:
    """Its replays, oldest first, each with the drift records that judge it."""
    registry = registry_of(request)
    full = registry.catalog.resolve(id)
    judged = [parse(found.body) | {"id": found.id} for found in registry.catalog.about(full, "drift")]
    replays = []
    for found in registry.catalog.each(registry.catalog.replays(full)):
        drift = [record for record in judged if record["replay"] == found.id]
        replays.append({"id": found.id, "recorded_at": parse(found.body)["recorded_at"], "drift": drift})
    return answer({"id": full, "replays": replays})


@router.get("/{id}/statement", responses=doc.STATEMENT)
def read_statement(request: Request, id: str) -> Response:
    """The signed in-toto statement in its DSSE envelope, canonical JSON."""
    registry = registry_of(request)
    stored = registry.catalog.get(registry.catalog.resolve(id))
    statement = payload(stored.kind, stored.body, output_subjects(parse(stored.body)))
    sealed: dict[str, JSON] = envelope(statement, stored.signature, stored.keyid)
    return Response(canonical(sealed), media_type="application/json")


@router.get("/{id}/proof", responses=doc.PROOF)
def read_proof(request: Request, id: str) -> Response:
    """The log's proof of inclusion as C2SP tlog-proof text, under a checkpoint that covers the record."""
    registry = registry_of(request)
    full = registry.catalog.resolve(id)
    with registry.catalog.database.reading() as connection:
        index = registry.log.index_of(connection, full)
        checkpoint = registry.log.latest_checkpoint(connection)
    if index is None:
        raise NotLoggedYet(full)
    covering = _covering(registry, index, checkpoint)
    with registry.catalog.database.reading() as connection:
        text = registry.log.proof(connection, index, covering).text
    return Response(text, media_type="text/plain; charset=utf-8")


def _covering(registry: Registry, index: int, checkpoint: Checkpoint | None) -> Checkpoint:
    """A proof is asked for to be kept: it must not have to wait for the next checkpoint."""
    if checkpoint is not None and index < checkpoint.size:
        return checkpoint
    return registry.log.checkpoint(registry.log_signer, registry.snapshot.origin)
