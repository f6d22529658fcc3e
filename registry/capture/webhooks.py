"""Deliveries of providers' webhooks: whether one is genuine and timely, and what it says of which job.

Schemes, as descriptions name them:

standard       Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature (``v1,<base64>``, several)
raw-whsec      the same headers and content, the secret's text itself as the key, ``v3,<hex>`` as signature
hex-header     HMAC-SHA256 of the body in hex, with or without ``sha256=`` before it, in a header
shared-header  the secret itself in a header
stripe-like    ``t=<seconds>,v0=<hex>`` in a header: HMAC-SHA256 of ``t.body``; any name before the hex
ed25519-jwks   Ed25519 over request id, user id, time and the body's SHA-256, a line each; published keys
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import EmptyWebhookSecretError
from standardwebhooks.webhooks import Webhook as Standard

from registry.canonical import JSON
from registry.capture.answers import Answer, parsed_answer
from registry.capture.description import Description
from registry.capture.errors import (
    DeliveryForged,
    DeliveryLate,
    DeliveryMalformed,
    NoWebhook,
)
from registry.capture.protocol import Webhook

BODY_BYTES: Final = 1 << 20
"""The longest delivery that is taken."""
TOLERANCE_S: Final = 300
"""How far a delivery's own time may lie from ours, either way."""

_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_FAL: Final = "x-fal-webhook"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A genuine delivery; ``id`` is the same each time it is sent, ``state`` is one of ours or None."""

    provider: str
    id: str
    job: str
    state: str | None


@dataclass(frozen=True, slots=True)
class _Signed:
    """What of a delivery is signed: its id, its time, and whether a secret made the signature."""

    id: str | None
    at: int | None
    fits: Callable[[str], bool]


def webhook_of(descriptions: Iterable[Description], provider: str) -> tuple[Description, Webhook]:
    """The description that says how a provider's deliveries are signed; its operations agree on that.

    Raises:
        NoWebhook: no operation of the provider calls back, or there is no such provider.
    """
    for found in descriptions:
        if found.provider == provider and found.protocol is not None and found.protocol.webhook is not None:
            return found, found.protocol.webhook
    raise NoWebhook(provider)


def verified(
    description: Description,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    secrets: Sequence[str],
    now_s: float,
    tolerance_s: int = TOLERANCE_S,
) -> Delivery:
    """A delivery, once it is known to be the provider's.

    Args:
        description: with a table ``[webhook]``.
        headers: as they came; names in any case.
        body: as it came, not decoded.
        secrets: any of them may have signed, while one is replaced by another. For ``ed25519-jwks``, public keys: ``x``
            of their JWK.
        now_s: seconds since 1970.
        tolerance_s: how far the delivery's time may lie from it.

    Raises:
        NoWebhook: the description has no such table.
        DeliveryMalformed: a header is missing or stands there twice, or the body tells of no job.
        DeliveryForged: no secret made its signature.
        DeliveryLate: it is genuine, and too old or too new.
    """
    webhook = description.protocol.webhook if description.protocol else None
    if webhook is None:
        raise NoWebhook(description.provider)
    said = _once(headers)
    signed = _READERS[webhook.scheme](webhook, said, body)
    if not any([signed.fits(secret) for secret in secrets]):  # all of them, so that time tells nothing
        raise DeliveryForged(description.provider)
    if signed.at is not None and abs(now_s - signed.at) > tolerance_s:
        raise DeliveryLate(description.provider, round(now_s - signed.at))
    answer = parsed_answer(200, said, body)
    job = webhook.job.text_of(answer.view()) if webhook.job else None
    if job is None or not _ID.fullmatch(job):
        raise DeliveryMalformed(description.provider, "no id of a job in the body")
    return Delivery(description.provider, signed.id or _named_by(body), job, _state(description, webhook, answer))


def keys_of(jwks: JSON) -> list[str]:
    """The Ed25519 keys in a JSON Web Key Set (RFC 8037, section 2), as ``verified`` takes them."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return [
        str(key["x"])
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict) and (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519") and "x" in key
    ]


def _state(description: Description, webhook: Webhook, answer: Answer) -> str | None:
    said = webhook.state.text_of(answer.view()) if webhook.state else None
    poll = description.protocol.poll if description.protocol else None
    known = {**(poll.states if poll else {}), **webhook.states}
    return known.get(said) if said else None


def _once(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names; one that comes twice is left out: who read it may have read another one."""
    said: dict[str, list[str]] = {}
    for name, value in headers:
        said.setdefault(name.lower(), []).append(value)
    return {name: values[0] for name, values in said.items() if len(values) == 1}


def _needed(said: Mapping[str, str], name: str) -> str:
    if name not in said:
        raise DeliveryMalformed(None, f"the header {name} is missing, or stands there twice")
    return said[name]


def _time(text: str) -> int:
    if not _SECONDS.fullmatch(text):
        raise DeliveryMalformed(None, "its time is no number of seconds")
    return int(text)


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise DeliveryMalformed(None, "its id is longer than 256 characters, or not printable")
    return text


def _named_by(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _hmac(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _same(given: str, made: str) -> bool:
    return hmac.compare_digest(given.encode(), made.encode())


def _standard(_: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    name, at = _id(_needed(said, "webhook-id")), _time(_needed(said, "webhook-timestamp"))
    given = _needed(said, "webhook-signature").split(" ")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise DeliveryMalformed(None, "the body is no UTF-8") from None

    def fits(secret: str) -> bool:
        try:
            made = Standard(secret).sign(name, datetime.fromtimestamp(at, UTC), text)
        except (ValueError, OverflowError, EmptyWebhookSecretError):  # a secret that is no base64 made nothing
            return False
        return any([_same(one, made) for one in given])

    return _Signed(name, at, fits)


def _raw_whsec(_: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    name, at = _id(_needed(said, "webhook-id")), _time(_needed(said, "webhook-timestamp"))
    given = _needed(said, "webhook-signature").split(" ")
    content = f"{name}.{said['webhook-timestamp']}.".encode() + body

    def fits(secret: str) -> bool:
        made = f"v3,{_hmac(secret.removeprefix('whsec_'), content)}"
        return any([_same(one, made) for one in given])

    return _Signed(name, at, fits)


def _hex_header(webhook: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    given = _needed(said, _header(webhook)).lower().removeprefix("sha256=")
    return _Signed(None, None, lambda secret: _same(given, _hmac(secret, body)))


def _shared_header(webhook: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    given = _needed(said, _header(webhook))
    return _Signed(None, None, lambda secret: _same(given, secret))


def _stripe_like(webhook: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    pairs = [part.strip().partition("=") for part in _needed(said, _header(webhook)).split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1:
        raise DeliveryMalformed(None, f"the header {_header(webhook)} names no time, or several")
    content = f"{times[0]}.".encode() + body
    given = [value for name, _, value in pairs if name.startswith("v")]
    return _Signed(None, _time(times[0]), lambda secret: any([_same(one, _hmac(secret, content)) for one in given]))


def _ed25519(_: Webhook, said: Mapping[str, str], body: bytes) -> _Signed:
    name, user, at, given = (
        _needed(said, f"{_FAL}-{part}") for part in ("request-id", "user-id", "timestamp", "signature")
    )
    content = "\n".join((name, user, at, hashlib.sha256(body).hexdigest())).encode()

    def fits(key: str) -> bool:
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
            public.verify(bytes.fromhex(given), content)
        except (ValueError, binascii.Error, InvalidSignature):
            return False
        return True

    return _Signed(_id(name), _time(at), fits)


def _header(webhook: Webhook) -> str:
    return str(webhook.header).lower()


_READERS: Final[dict[str, Callable[[Webhook, Mapping[str, str], bytes], _Signed]]] = {
    "standard": _standard,
    "raw-whsec": _raw_whsec,
    "hex-header": _hex_header,
    "shared-header": _shared_header,
    "stripe-like": _stripe_like,
    "ed25519-jwks": _ed25519,
}
