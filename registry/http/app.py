"""The application: routers, pages, doors, and what every error becomes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from anyio.to_thread import run_sync
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from drift.errors import MintmarkError
from registry import __version__
from registry.canonical import escape
from registry.home import Registry
from registry.http import assets, documents, generations, health, log, lookup, runs, webhooks
from registry.http.doors import Doors
from registry.http.following import Follower
from registry.http.idempotency import InFlight
from registry.http.problems import Problem, response
from registry.http.published_keys import PublishedKeys
from registry.http.work import NoWork, Work
from registry.web import pages

_API = ("/v1", "/healthz", "/readyz", "/openapi.json")
_KINDS = {404: "no-such-address", 405: "method-not-allowed", 400: "request-malformed"}


def create_app(registry: Registry, work: Work | None = None) -> FastAPI:
    """The ASGI application that serves one registry; it neither opens nor closes it.

    Args:
        registry: what is served.
        work: who makes replays, and is told of every genuine delivery of a provider's webhook; nobody if left out.
    """
    app = FastAPI(
        title="mintmark",
        version=__version__,
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.registry = registry
    app.state.follower = Follower(registry)
    app.state.in_flight = InFlight()
    app.state.streams = 0
    app.state.work = work or NoWork()
    app.state.wake, app.state.published_keys = work.wake if work else webhooks.nobody_waits, PublishedKeys()
    for router in (
        generations.router,
        lookup.router,
        assets.router,
        log.router,
        health.router,
        webhooks.router,
        runs.router,
        pages.router,
    ):
        app.include_router(router)
    app.mount("/static", pages.static_files(), name="static")
    app.add_middleware(Doors)
    app.add_exception_handler(MintmarkError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unroutable)
    app.openapi = lambda: openapi_of(app)  # type: ignore[method-assign]
    return app


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, as it lies in schemas/openapi.json."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version="1", routes=app.routes, description=__doc__)
        found["info"]["description"] = "Where did this file come from? Could it be made again? Can you prove it?"
        found["components"] = {"schemas": documents.components()}
        app.openapi_schema = found
    return app.openapi_schema


def openapi_text(app: FastAPI) -> str:
    """The document as the file has it."""
    return json.dumps(openapi_of(app), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.follower.start()
    try:
        yield
    finally:
        await run_sync(app.state.follower.stop)


def _shown(request: Request, problem: MintmarkError) -> Response:
    """Problem details for programs, a page for people: browsers say that they take HTML."""
    if request.url.path.startswith(_API) or "text/html" not in request.headers.get("accept", ""):
        return response(problem)
    return pages.problem_page(request, problem)


async def _refused(request: Request, problem: Exception) -> Response:
    return _shown(request, cast(MintmarkError, problem))


async def _invalid(request: Request, problem: Exception) -> Response:
    first = cast(RequestValidationError, problem).errors()[0]
    where, *path = first["loc"]
    pointer = "".join(f"/{escape(step)}" for step in path)
    why = f"{where} {'.'.join(map(str, path))}: {first['msg']}"
    return _shown(request, Problem(422, "parameter-refused", why, pointer=pointer))


async def _unroutable(request: Request, problem: Exception) -> Response:
    found = cast(HTTPException, problem)
    kind = _KINDS.get(found.status_code, "refused")
    told = {
        404: "nothing is at this address; see docs/http.md for those there are",
        405: f"{request.method} is not for this address",
    }.get(found.status_code, str(found.detail))
    headers = {"Allow": ", ".join(_methods(request))} if found.status_code == 405 else {}
    return _shown(request, Problem(found.status_code, kind, told, headers=headers))


def _methods(request: Request) -> list[str]:
    """The methods of an address; the framework names only those of the first route that has it."""
    scopes = {method: dict(request.scope) | {"method": method} for method in ("GET", "HEAD", "POST")}
    routes = request.app.router.routes
    return [name for name, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]
