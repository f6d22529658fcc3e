"""``/healthz`` and ``/readyz``: whether the process lives, and whether it can do its work."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from drift.errors import MintmarkError
from registry.canonical import JSON
from registry.home import Registry
from registry.http import documents as doc
from registry.http.here import answer, follower_of, registry_of
from registry.log.guards import advisory

router = APIRouter(tags=["health"])


@router.get("/healthz", responses=doc.HEALTH)
async def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@router.get("/readyz", responses=doc.READY)
def readyz(request: Request) -> Response:
    """Database, log, index: 200 where all work, 503 and the faults where one does not."""
    fault = follower_of(request).fault
    faults = [f"the index does not follow: {fault}"] if fault else []
    try:
        facts = _facts(registry_of(request))
        faults += facts["guards"]["missing"]
    except MintmarkError as problem:
        facts = {}
        faults.append(f"the database cannot be read: {type(problem).__name__}")
    return answer({"ready": not faults, "faults": faults, **facts}, 503 if faults else 200)


def _facts(registry: Registry) -> dict[str, JSON]:
    with registry.catalog.database.reading() as connection:
        size = registry.log.size(connection)
        waiting = 0 if registry.catalog.database.is_sqlite else registry.log.pending(connection)
        unsigned = registry.log.unsigned_tail(connection)
        guards = {"missing": registry.log.missing_guards(connection), "advisory": advisory(connection)}
    return {
        "log": {"size": size, "unsigned": unsigned, "waiting": waiting},
        "index": {"next": registry.index.next(), "behind": max(0, size - registry.index.next())},
        "guards": guards,
    }
