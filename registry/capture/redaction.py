"""Takes out of a captured request what is never kept: what its description lists, and the key wherever it stands."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from registry.canonical import JSON
from registry.capture import slots as places
from registry.capture.description import Description
from registry.manifest import Request

SCRUBBED: Final = "[secret]"
KEY_FIELDS: Final = frozenset(
    {"key", "api_key", "apikey", "api-key", "access_token", "token", "auth", "signature", "sig"}
)
"""Fields of a query that carry keys; they are never kept, however short their value is."""

_SHORTEST: Final = 8  # characters; a shorter key ("x" at a server of one's own) would be found in every other word


def hunted(keys: Iterable[str]) -> list[str]:
    """What is looked for in text to keep keys out of it: each key plain and percent-encoded, the longest first.

    Keys under 8 characters are not among them. They are kept out of records by their places alone: the header of
    authorization and ``KEY_FIELDS`` of a query, which are never kept.
    """
    plain = set(keys)
    every = plain | {quote(key, safe="") for key in plain} | {unquote(key) for key in plain}
    return sorted((form for form in every if len(form) >= _SHORTEST), key=lambda form: (-len(form), form))


def without(text: str, hunted: Iterable[str]) -> str:
    """``text`` with ``[secret]`` in the place of whatever ``hunted`` answered."""
    for form in hunted:
        text = text.replace(form, SCRUBBED)
    return text


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
    """The request without the members that the description lists, and without the key in any text (see ``hunted``).

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
    query = [pair for pair in request.query if pair[0].lower() not in KEY_FIELDS]
    sought = hunted([secret] if secret else [])
    changes: dict[str, JSON] = {"path": _scrubbed(request.path, sought), "query": _scrubbed(query, sought)}
    if request.parts is not msgspec.UNSET:
        changes["parts"] = _scrubbed(request.parts, sought)
    if request.body is not msgspec.UNSET:
        changes["body"] = _scrubbed(request.body, sought)
    return msgspec.structs.replace(request, headers=_scrubbed(request.headers, sought), **changes)


def _scrubbed(value: JSON, sought: Sequence[str]) -> JSON:
    if isinstance(value, str):
        return without(value, sought)
    if isinstance(value, list):
        return [_scrubbed(member, sought) for member in value]
    if isinstance(value, dict):
        return {without(key, sought): _scrubbed(member, sought) for key, member in value.items()}
    return value
