"""What a request handler works with: the open registry, JSON out."""

from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from registry.home import Registry
from registry.http.following import Follower
from registry.http.idempotency import InFlight
from registry.http.work import Work


def registry_of(request: Request) -> Registry:
    """The registry that this server serves."""
    return cast(Registry, request.app.state.registry)


def follower_of(request: Request) -> Follower:
    """The thread that keeps the index up."""
    return cast(Follower, request.app.state.follower)


def in_flight_of(request: Request) -> InFlight:
    """Idempotency keys whose request is being answered."""
    return cast(InFlight, request.app.state.in_flight)


def work_of(request: Request) -> Work:
    """Who makes replays."""
    return cast(Work, request.app.state.work)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")
