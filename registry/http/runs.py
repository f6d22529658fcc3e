"""``/v1/replays``, ``/v1/suites``, ``/v1/runs``, ``/v1/jobs``: ask for replays, look on, end them."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final, TypeVar

import msgspec
from anyio.to_thread import run_sync
from fastapi import APIRouter
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from registry.approvals import Approval, approve
from registry.canonical import JSON, canonical
from registry.errors import ExchangeConflict, NotFound
from registry.home import Registry
from registry.http import documents as doc
from registry.http.bodies import asked_in, body_of
from registry.http.here import answer, follower_of, in_flight_of, registry_of, work_of
from registry.http.idempotency import HEADER, exchange_of
from registry.http.problems import Problem
from registry.http.work import Kind
from registry.journal.runs import Runs

router = APIRouter(prefix="/v1", tags=["replays"])
LONGEST: Final = 4 << 20  # bytes of a request: a suite may name ten thousand manifests
LOOK_S: Final = 0.5
HEARTBEAT_S: Final = 15.0
STREAMS: Final = 64  # of events, at a time; each looks at the databases twice a second
STREAM_S: Final = 3600.0  # who still wants to know comes back with the id of the last event
_PAGE: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
_Amount = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$")]

T = TypeVar("T")


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of one currency."""

    amount: _Amount
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9._-]{1,31}$")] = "USD"


class AskedReplay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One manifest to replay."""

    manifest: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    times: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    allow_alias: bool = False
    budget: Money | None = None
    assume_cost: Money | None = None


class AskedSuite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suite to run; ``suite`` is the text of its file."""

    suite: Annotated[str, msgspec.Meta(min_length=1)]
    offline: bool = False
    repeat: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    budget: Money | None = None
    assume_cost: Money | None = None


class AskedApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replays to approve; every manifest of the run where none is named."""

    by: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    reason: Annotated[str, msgspec.Meta(min_length=1)]
    manifests: list[Annotated[str, msgspec.Meta(min_length=1, max_length=200)]] = []
    replace: bool = False


@router.post("/replays", status_code=202, openapi_extra=doc.ASKING_REPLAY, responses=doc.BEGUN)
async def ask_for_a_replay(request: Request) -> Response:
    """Replay one manifest: a run of it alone, in the lane of those whom somebody waits for."""
    return await _begin(request, "replay", AskedReplay)


@router.post("/suites", status_code=202, openapi_extra=doc.ASKING_SUITE, responses=doc.BEGUN)
async def ask_for_a_run(request: Request) -> Response:
    """Run a suite; what it selects is resolved now."""
    return await _begin(request, "suite", AskedSuite)


@router.get("/runs/{id}", responses=doc.RUN)
def read_run(request: Request, id: str) -> Response:
    """A run and what it has found; ``id`` may be 8 digits of it or more, or @last."""
    registry = registry_of(request)
    runs = Runs(registry.catalog.database)
    run = runs.get(runs.resolve(id))
    told = {name: getattr(run, name) for name in ("id", "suite", "state", "created_at", "updated_at", "record")}
    return answer(told | {"counts": runs.totals(run.id), "result": run.result})


@router.get("/runs/{id}/report", responses=doc.REPORT)
def read_report(request: Request, id: str) -> Response:
    """The page about a run that is over."""
    runs = Runs(registry_of(request).catalog.database)
    run = runs.get(runs.resolve(id))
    if run.result is None:
        raise Problem(409, "run-not-over", f"{run.id} is not over yet; ask again when it is")
    page = work_of(request).report(run.result)
    return HTMLResponse(page, headers={"Content-Security-Policy": _PAGE})


@router.post("/runs/{id}/approvals", status_code=201, openapi_extra=doc.APPROVING, responses=doc.APPROVED)
async def approve_replays(request: Request, id: str) -> Response:
    """Make replays of a run that is over what later ones are held against: a signed, logged record."""
    registry = registry_of(request)
    exchange_id = exchange_of(request.headers.get(HEADER), registry.draft_secret)
    asked = await _asked(request, AskedApproval)
    with in_flight_of(request).holding(exchange_id):
        done = await run_sync(_approve, registry, id, asked, exchange_id)
    follower_of(request).notice()
    left = [{"manifest": manifest, "why": why} for manifest, why in done.left_out]
    told = {"record": done.record, "new": done.new, "subjects": [one.to_json() for one in done.subjects]}
    return answer(told | {"left_out": left}, 201 if done.new else 200)


def _approve(registry: Registry, id: str, asked: AskedApproval, exchange_id: str | None) -> Approval:
    run_id = Runs(registry.catalog.database).resolve(id)
    named = [registry.catalog.resolve(one) for one in asked.manifests]
    if exchange_id is not None:  # keyed, since the reason is nobody's to guess at
        told = canonical(msgspec.to_builtins(asked) | {"manifests": named})
        mark = hmac.new(registry.draft_secret, told, hashlib.sha256).hexdigest()
        exchange_id = f"{exchange_id[:48]}.{mark[:32]}"
    try:
        return approve(registry, run_id, manifests=named, by=asked.by, reason=asked.reason, replace=asked.replace,
                       exchange_id=exchange_id)  # fmt: skip
    except ExchangeConflict:
        why = f"this {HEADER} approved something else of {run_id}; use a new key for a new approval"
        raise Problem(422, "idempotency-key-reused", why) from None


@router.get("/jobs/{id}", responses=doc.JOB)
def read_job(request: Request, id: str) -> Response:
    """A job: where it stands, who has it, and why it is dead if it is."""
    return answer(work_of(request).job(id))


@router.post("/jobs/{id}/cancel", status_code=202, responses=doc.CANCELED)
def cancel_job(request: Request, id: str) -> Response:
    """End a job: nothing more is begun, and calls on their way are canceled where the provider can."""
    work = work_of(request)
    named = work.job(id)["id"]  # @last may be another by the time it is canceled
    if not work.cancel(named):
        raise Problem(409, "job-over", f"{named} is over already")
    return answer({"id": named, "canceled": True}, 202)


@router.get("/jobs/{id}/events", responses=doc.EVENTS)
async def follow_job(request: Request, id: str) -> Response:
    """Server-sent events: ``progress`` each time more is known, ``end`` when the job is over."""
    job = await run_sync(work_of(request).job, id)  # one that does not exist is told as any other error
    state = request.app.state
    if state.streams >= STREAMS:
        why = f"{STREAMS} streams of events are open; ask for the job itself, or come back later"
        raise Problem(503, "too-many-streams", why, headers={"Retry-After": "10"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return _Stream(state, _events(request, job["id"]), headers)  # @last may be another by then


class _Stream(StreamingResponse):
    """A stream of events, counted until it is over, however it ends."""

    def __init__(self, state: State, events: AsyncIterator[str], headers: dict[str, str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._state = state
        state.streams += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._state.streams -= 1


async def _events(request: Request, id: str) -> AsyncIterator[str]:
    """Each event's id says where the job stood: who comes back with it hears of what is new only."""
    known, spoken = request.headers.get("last-event-id"), time.monotonic()
    until = spoken + STREAM_S
    while time.monotonic() < until:
        mark, over, told = await run_sync(_standing, request, id)
        if mark != known or over:
            yield f"id: {mark}\nevent: {'end' if over else 'progress'}\ndata: {json.dumps(told)}\n\n"
            known, spoken = mark, time.monotonic()
        if over:
            return
        if time.monotonic() - spoken >= HEARTBEAT_S:
            yield ": still here\n\n"
            spoken = time.monotonic()
        await asyncio.sleep(LOOK_S)


def _standing(request: Request, id: str) -> tuple[str, bool, dict[str, JSON]]:
    """Where a job stands: a mark that changes when it moves, whether it is over, and what to tell."""
    job = work_of(request).job(id)
    run_id = job["run"]
    told = {"id": job["id"], "run": run_id, "state": job["state"], "error": job["error"]}
    if run_id is not None:
        runs = Runs(registry_of(request).catalog.database)
        result = runs.get(run_id).result
        told |= {"counts": runs.totals(run_id), "exit_code": None if result is None else result["exit_code"]}
        over = result is not None
    else:
        over = False
    over = over or job["state"] in ("done", "dead", "canceled")
    counts = "-".join(f"{state}{count}" for state, count in sorted(told.get("counts", {}).items()))
    return f"{job['state']}.{counts}", over, told


async def _begin(request: Request, kind: Kind, form: type[AskedReplay | AskedSuite]) -> Response:
    registry = registry_of(request)
    exchange_id = exchange_of(request.headers.get(HEADER), registry.draft_secret)
    asked = await _asked(request, form)
    with in_flight_of(request).holding(exchange_id):
        told = msgspec.to_builtins(asked)
        run_id = None if exchange_id is None else await run_sync(_run_id, registry, exchange_id, told)
        id, new = await run_sync(work_of(request).begin, kind, told, run_id)
    return answer({"job": id, "run": id, "new": new}, 202, {"Location": f"/v1/jobs/{id}"})


def _run_id(registry: Registry, exchange_id: str, asked: JSON) -> str:
    """An id that says key and request: the database of runs is all the memory it takes.

    Raises:
        Problem: the key began a run with another request (422).
    """
    key, request = exchange_id.rpartition(":")[2][:16], hashlib.sha256(canonical(asked)).hexdigest()[:16]
    try:
        known = Runs(registry.catalog.database).resolve(f"run-{key}")
    except NotFound:
        return f"run-{key}{request}"
    if known != f"run-{key}{request}":
        why = f"this {HEADER} began {known} with another request; use a new key for a new run"
        raise Problem(422, "idempotency-key-reused", why)
    return known


async def _asked(request: Request, form: type[T]) -> T:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "media-type-unsupported", "send application/json")
    return asked_in(await body_of(request, LONGEST, "such a request may have"), form, "request-refused")
