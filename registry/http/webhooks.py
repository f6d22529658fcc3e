"""``/v1/webhooks/{provider}``: takes what a provider calls back with, once verified, and wakes what waits for it."""

import logging
import os
import time
from collections.abc import Callable
from typing import Final, TypeAlias, cast
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from registry.capture.description import Description, shipped
from registry.capture.errors import DeliveryForged
from registry.capture.hosts import NoAddress, place_by
from registry.capture.protocol import Webhook
from registry.capture.secrets import Unreadable, secrets_of, variables_of
from registry.capture.webhooks import BODY_BYTES, Delivery, verified, webhook_of
from registry.http import documents as doc
from registry.http.bodies import body_of
from registry.http.here import answer
from registry.http.problems import Problem
from registry.http.published_keys import PublishedKeys

log: Final = logging.getLogger("mintmark.webhooks")

Wake: TypeAlias = Callable[[str, str, str], bool]
"""Wakes what waits for ``(provider, job, delivery)``; False where the delivery is known already or nothing waits."""

_NO_SECRET: Final = "webhook-secret-missing"

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


def nobody_waits(provider: str, job: str, delivery: str) -> bool:
    """What happens to deliveries where nothing is told to wait for them: a line in the log."""
    log.info("a delivery of %s is genuine, and nothing waits for it here; jobs are polled for all the same", provider)
    return False


@router.post("/{provider}", status_code=202, openapi_extra=doc.DELIVERING, responses=doc.DELIVERED)
async def take_delivery(request: Request, provider: str) -> Response:
    """Take one delivery: 202 where something was woken, 204 where it was known already or nothing waits for it."""
    body = await body_of(request, BODY_BYTES, "a delivery has at most", "delivery-too-large")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    keys = cast(PublishedKeys, request.app.state.published_keys)
    delivery = await run_sync(_genuine, provider, headers, body, keys)
    wake = cast(Wake, request.app.state.wake)
    if not await run_sync(wake, delivery.provider, delivery.job, delivery.id):
        return Response(status_code=204)  # to the provider it has arrived: with anything else it would send it again
    return answer({"delivery": delivery.id, "job": delivery.job, "state": delivery.state}, 202)


def _genuine(provider: str, headers: list[tuple[str, str]], body: bytes, published: PublishedKeys) -> Delivery:
    description, webhook = webhook_of(shipped(), provider)
    secrets, url = _secrets(provider, webhook), _keys_at(description, webhook)
    if not secrets and url is not None:
        secrets = published.at(url)
        try:
            return verified(description, headers, body, secrets, time.time())
        except DeliveryForged:
            anew = published.at(url, anew=True)
            if anew == secrets:
                raise
            secrets = anew
    return verified(description, headers, body, secrets, time.time())


def _secrets(provider: str, webhook: Webhook) -> list[str]:
    try:
        found = secrets_of(webhook.secret, os.environ) if webhook.secret else []
    except Unreadable as problem:
        raise Problem(503, _NO_SECRET, f"{problem}; name a file with the secret in it") from None
    if not found and webhook.secret and webhook.keys is None:
        variables = variables_of(webhook.secret, os.environ)
        names = " or ".join(shown for one in variables for shown in (one, f"{one}_FILE"))
        raise Problem(503, _NO_SECRET, f"no secret for webhooks of {provider}: set {names}")
    return found


def _keys_at(description: Description, webhook: Webhook) -> str | None:
    """Where the public keys are; a compatible server publishes its own."""
    if webhook.keys is None:
        return None
    own = str(description.base_url).rstrip("/")
    try:
        place = place_by(description.provider, own, description.hosts, os.environ)
    except NoAddress as problem:
        raise Problem(503, _NO_SECRET, f"{problem.variable} holds no address to read keys from") from None
    return webhook.keys if place.base_url == own else f"{place.base_url}{urlsplit(webhook.keys).path}"
