"""Takes out of a captured request what is never kept: what its description lists, and the key wherever it stands."""

from collections.abc import Sequence
from typing import Final

import msgspec

from registry.canonical import JSON
from registry.capture import slots as places
from registry.capture.description import Description
from registry.manifest import Request

SCRUBBED: Final = "[secret]"


def secret_in(description: Description, headers: Sequence[tuple[str, str]]) -> str | None:
    """The key that a request carried in its header of authorization; None where there was none."""
    if description.auth is None:
        return None
    before, _, after = description.auth.value.partition("{secret}")
    for name, value in headers:
        if name.lower() == description.auth.header.lower():
            secret = value.strip().removeprefix(before).removesuffix(after).strip()
            return secret or None
    return None


def redacted(description: Description, request: Request, secret: str | None) -> Request:
    """The request without the members that the description lists, and without the key in any text.

    A callback's address and its secret are left out as a whole: a replay must not call somebody back.
    """
    for path in description.redact:
        where, _, rest = path.partition(".")
        if where == "query":
            request = msgspec.structs.replace(request, query=[pair for pair in request.query if pair[0] != rest])
        elif where == "body" and request.parts is not msgspec.UNSET:
            parts = [part for part in request.parts if part["name"] != rest]
            request = msgspec.structs.replace(request, parts=parts)
        elif where == "body" and request.body is not msgspec.UNSET:
            request = msgspec.structs.replace(request, body=places.drop(request.body, places.parse(rest)))
    if secret is None:
        return request
    changes: dict[str, JSON] = {"path": _scrubbed(request.path, secret), "query": _scrubbed(request.query, secret)}
    if request.parts is not msgspec.UNSET:
        changes["parts"] = _scrubbed(request.parts, secret)
    if request.body is not msgspec.UNSET:
        changes["body"] = _scrubbed(request.body, secret)
    return msgspec.structs.replace(request, headers=_scrubbed(request.headers, secret), **changes)


def _scrubbed(value: JSON, secret: str) -> JSON:
    if isinstance(value, str):
        return value.replace(secret, SCRUBBED)
    if isinstance(value, list):
        return [_scrubbed(member, secret) for member in value]
    if isinstance(value, dict):
        return {_scrubbed(key, secret): _scrubbed(member, secret) for key, member in value.items()}
    return value
