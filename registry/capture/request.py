"""The stored request of a remote operation: made from a template, read and written by slot, told apart by digest."""

import copy
import hashlib
import json
import mimetypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from registry.canonical import JSON, canonical, parse
from registry.capture import slots as places
from registry.capture.description import Description
from registry.capture.errors import SlotMismatch, UnknownSlot
from registry.manifest import Request
from registry.verbatim import guessed, is_raw, plain, raw_bytes, stored

RAW: Final = "raw"
"""The alphabet of an ``$asset`` that stands for the bytes themselves: a file in a form."""
SENT_AHEAD: Final = "upload"
"""The alphabet of an ``$asset`` that is uploaded first and stands for the address it got."""

_NOT_SETTINGS: Final = frozenset({"model", "prompt", "seed"})
_HOLE: Final = re.compile(r"\{(\w+)\}")
_MOST_OUTPUTS: Final = 1_000_000  # that a manifest says were asked for
_TYPES: Final = {"integer": int, "number": float}


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that goes with a request: its role, digests, length in bytes and media type."""

    role: str
    digest: Mapping[str, str]
    bytes: int
    media_type: str


def template_request(description: Description, values: Mapping[str, JSON], placed: Iterable[Placed] = ()) -> Request:
    """The smallest valid request with ``values`` written by slot name and files put where their roles go.

    Raises:
        UnknownSlot: a slot the operation does not have.
        SlotMismatch: a value that does not fit its slot, or a role that has no place.
    """
    given = list(placed)
    if strange := next((name for name in values if name not in description.slots), None):
        raise UnknownSlot(description.id, strange, description.slots)
    body: JSON = copy.deepcopy(description.template["body"])
    query: list[list[JSON]] = []
    path = description.path
    for slot, value in values.items():
        where, _, rest = description.slots[slot].partition(".")
        if where == "body":
            body = places.write(body, places.parse(rest), _typed(description, slot, value))
        elif where == "query":
            query.append([rest, _text(value)])
        else:
            path = path.replace(f"{{{rest}}}", quote(_text(value), safe="/:@"))
    for hole_name, value in description.template.get("path", {}).items():
        path = path.replace(f"{{{hole_name}}}", quote(value, safe="/:@"))
    if hole := _HOLE.search(path):
        raise SlotMismatch(f"path.{hole[1]}", "the path of the request needs it; give a value")
    request = Request(origin="templated", method=description.method, path=path, query=query)
    request = msgspec.structs.replace(
        request, headers=[list(one) for one in description.template.get("headers", {}).items()]
    )
    if description.encode == "multipart":
        return msgspec.structs.replace(request, parts=[*_text_parts(body), *_file_parts(description, given)])
    if description.encode == "bytes":
        return msgspec.structs.replace(request, asset=_whole(description, given), bytes=given[0].bytes)
    # Members in the order they are stored in: what is sent now and what a replay sends are the same bytes.
    whole = canonical(_with_files(description, stored(body), given))
    return msgspec.structs.replace(request, body=parse(whole), bytes=len(whole))


def read_slot(description: Description, request: Request, slot: str) -> JSON:
    """The plain value of a slot in a stored request; None where it is absent."""
    where, _, rest = description.slots[slot].partition(".") if slot in description.slots else ("", "", "")
    if where == "path":
        found = _path_pattern(description.path).fullmatch(str(request.path))
        return unquote(found[rest]) if found else None
    if where == "query":
        return next((value for name, value in request.query if name == rest), None)
    if where == "body" and request.parts is not msgspec.UNSET:
        texts = [_part_text(part["value"]) for part in request.parts if part["name"] == rest]
        return next((text for text in texts if text is not None), None)
    if where == "body" and is_raw(request.body):
        return places.read(guessed(raw_bytes(request.body)), places.parse(rest))
    if where == "body" and request.body is not msgspec.UNSET:
        return plain(places.read(request.body, places.parse(rest)))
    return None


def asked_for(description: Description, request: Request) -> int | None:
    """How many outputs a request asks for, at least one; None where it says nothing that a manifest could hold."""
    count = description.protocol.count if description.protocol else None
    said = read_slot(description, request, count) if count else None
    text = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 7) or int(text) > _MOST_OUTPUTS:
        return None
    return max(1, int(text))


def write_slot(description: Description, request: Request, slot: str, value: JSON) -> Request:
    """The request with another value in a slot.

    Raises:
        UnknownSlot: a slot the operation does not have.
        SlotMismatch: the request has no place for it.
    """
    if slot not in description.slots:
        raise UnknownSlot(description.id, slot, description.slots)
    where, _, rest = description.slots[slot].partition(".")
    if where == "path":
        found = _path_pattern(description.path).fullmatch(str(request.path))
        if not found:
            raise SlotMismatch(description.slots[slot], f"the stored path does not follow {description.path}")
        old = found.string
        path = old[: found.start(rest)] + quote(_text(value), safe="/:@") + old[found.end(rest) :]
        return msgspec.structs.replace(request, path=path)
    if where == "query":
        query = [pair for pair in request.query if pair[0] != rest] + [[rest, _text(value)]]
        return msgspec.structs.replace(request, query=query)
    if request.parts is not msgspec.UNSET:
        new = {"name": rest, "filename": None, "media_type": None, "value": _text(value)}
        at = next((n for n, part in enumerate(request.parts) if part["name"] == rest), len(request.parts))
        return msgspec.structs.replace(request, parts=[*request.parts[:at], new, *request.parts[at + 1 :]])
    if request.body is not msgspec.UNSET and not is_raw(request.body):
        body = places.write(request.body, places.parse(rest), stored(_typed(description, slot, value)))
        return msgspec.structs.replace(request, body=body)
    raise SlotMismatch(description.slots[slot], "the stored request is raw bytes, it has no members")


def settings_of(description: Description, request: Request) -> dict[str, JSON]:
    """Slot name to stored value for every slot present, without model, prompt and seed.

    Of raw bytes only what is public: their text is sealed whole, so no other seal would tell what else is private.
    """
    telling = [slot for slot in description.slots if slot not in _NOT_SETTINGS]
    if is_raw(request.body):
        telling = [slot for slot in telling if description.is_public(description.slots[slot])]
    found = {slot: read_slot(description, request, slot) for slot in telling}
    return {slot: stored(value) for slot, value in found.items() if value is not None}


def request_digest(request: Request) -> str:
    """SHA-256 in hex of what is sent: method, path, query and content, in canonical form.

    Over open values only, so it says whether two requests are the same; it can be guessed from a guessed prompt:
    keep it under a key (HMAC) wherever it is stored.
    """
    value: dict[str, JSON] = msgspec.to_builtins(request)
    kept: dict[str, JSON] = {
        name: value[name] for name in ("method", "path", "query", "body", "parts") if name in value
    }
    if "asset" in value:
        kept["asset"] = value["asset"]["digest"]
    return hashlib.sha256(canonical(kept)).hexdigest()


def path_matches(description: Description, method: str, path: str) -> bool:
    """Whether a request of that method and path is this operation's, the model that the path names included."""
    upload = description.protocol.upload if description.protocol else None
    if method != description.method or (upload is not None and path == upload.path):
        return False
    found = _path_pattern(description.path).fullmatch(path)
    return found is not None and ("model" not in found.groupdict() or description.takes_model(unquote(found["model"])))


def lifted(placed: Placed, prefix: str, alphabet: str) -> dict[str, JSON]:
    """An ``$asset`` that stands for the file in a stored request."""
    encoding = {"prefix": prefix, "alphabet": alphabet, "padding": True}
    return {"$asset": {"digest": dict(placed.digest), "bytes": placed.bytes, "encoding": encoding}}


def _part_text(value: JSON) -> str | None:
    """The text of a part of a form; None where it is a file."""
    if is_raw(value):
        return raw_bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _path_pattern(path: str) -> re.Pattern[str]:
    """Names of models hold slashes; whatever else stands in a path is one segment of it."""
    pieces = re.split(r"(\{\w+\})", path)
    holes = {piece: ".+" if piece == "{model}" else "[^/]+" for piece in pieces if piece.startswith("{")}
    return re.compile("".join(f"(?P<{p[1:-1]}>{holes[p]})" if p in holes else re.escape(p) for p in pieces))


def _typed(description: Description, slot: str, value: JSON) -> JSON:
    """What a caller gave as text, as the type that the provider takes there."""
    wanted = description.slot_types.get(slot)
    if not isinstance(value, str) or wanted in (None, "text"):
        return value
    try:
        return value == "true" if wanted == "boolean" else _TYPES[str(wanted)](value)
    except ValueError:
        raise SlotMismatch(description.slots[slot], f"{value!r} is no {wanted}; give one") from None


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text_parts(body: Mapping[str, JSON]) -> list[JSON]:
    return [
        {"name": name, "filename": None, "media_type": None, "value": _text(one)}
        for name, value in body.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def _file_parts(description: Description, given: list[Placed]) -> list[JSON]:
    """Files under the last name of their place; several of one role are told apart as ``name[]``."""
    parts: list[JSON] = []
    for one in given:
        at, form = _place(description, one.role)
        many = sum(other.role == one.role for other in given) > 1
        name = places.parse(at)[-1 if not at.endswith("[]") else -2]
        value = lifted(one, "", SENT_AHEAD if form == "upload" else RAW)
        suffix = mimetypes.guess_extension(one.media_type) or ""
        filename = None if form == "upload" else f"{one.role}{suffix}"
        media_type = None if form == "upload" else one.media_type
        parts.append({"name": f"{name}[]" if many else name, "filename": filename, "media_type": media_type,
                      "value": value})  # fmt: skip
    return parts


def _with_files(description: Description, body: JSON, given: list[Placed]) -> JSON:
    for role in dict.fromkeys(one.role for one in given):
        at, form = _place(description, role)
        values = [_embedded(one, form) for one in given if one.role == role]
        many = at.endswith("[]")
        if len(values) > 1 and not many:
            raise SlotMismatch(at, f"there is room for one file of role {role!r}, and {len(values)} were given")
        steps = places.parse(at.removesuffix("[]"))[1:]
        body = places.write(body, steps, values if many else values[0])
        apart = description.protocol.inputs[role].type_at if description.protocol else None
        if apart is not None:
            media_type = next(one.media_type for one in given if one.role == role)
            body = places.write(body, places.parse(apart)[1:], media_type)
    return body


def _embedded(one: Placed, form: str) -> JSON:
    prefix = f"data:{one.media_type};base64," if form == "data-url" else ""
    return lifted(one, prefix, SENT_AHEAD if form == "upload" else "standard")


def _whole(description: Description, given: list[Placed]) -> JSON:
    if len(given) != 1 or _place(description, given[0].role)[1] != "bytes":
        raise SlotMismatch("body", f"{description.id} sends one file and nothing else; give one input")
    one = given[0]
    return {"role": one.role, "digest": dict(one.digest), "media_type": one.media_type, "bytes": one.bytes,
            "media": None}  # fmt: skip


def _place(description: Description, role: str) -> tuple[str, str]:
    inputs = description.protocol.inputs if description.protocol else {}
    if role not in inputs:
        known = ", ".join(sorted(inputs)) or "none"
        raise SlotMismatch(f"input {role}", f"{description.id} has no place for a file of this role; it takes: {known}")
    return inputs[role].at, inputs[role].form
