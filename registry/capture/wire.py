"""Stored requests as bytes to send, and bytes that were sent as stored requests: exact inverses."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlencode

import msgspec

from registry.canonical import JSON
from registry.capture.request import RAW, SENT_AHEAD, request_digest
from registry.errors import NotCanonical
from registry.manifest import Request
from registry.verbatim import LONGEST_RAW, Lift, is_raw, is_words, raw, raw_bytes, read_body, write_body

Fetch: TypeAlias = Callable[[Mapping[str, str]], Path]
"""The file that holds the bytes with these digests."""

WHOLE: Final = "request"
"""The role of a body, or a text in it, that was too long for the vault: an asset that goes when the prompt goes."""

_PIECE: Final = 1 << 20
_MEDIA: Final = ("image/", "audio/", "video/")
_TEXT: Final = ("text/", "application/json", "application/xml", "application/x-www-form-urlencoded")
_RESENT: Final = frozenset({"accept", "accept-language", "prefer"})
_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_FIELD: Final = re.compile(rb'(filename|name)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Wire:
    """A request ready to send: target (path and query), headers without the key, and content in pieces."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes | Path, ...]

    @property
    def length(self) -> int:
        """Bytes of the content."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.stat().st_size for piece in self.pieces)

    def content(self) -> Iterator[bytes]:
        """The content, files a mebibyte at a time."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                with piece.open("rb") as stream:
                    while block := stream.read(_PIECE):
                        yield block


def wire(request: Request, fetch: Fetch) -> Wire:
    """The bytes of a stored request with everything disclosed; a form's boundary follows from its content."""
    target = str(request.path) + (f"?{urlencode([*map(tuple, request.query)])}" if request.query else "")
    kept = [(name, value) for name, value in request.headers if name in _RESENT]
    stated = dict((name, value) for name, value in request.headers).get("content-type")
    if request.parts is not msgspec.UNSET:
        boundary = f"mintmark-{request_digest(request)[:32]}"
        kept.append(("content-type", f"multipart/form-data; boundary={boundary}"))
        return Wire(request.method, target, tuple(kept), tuple(_form(request.parts, boundary, fetch)))
    if request.asset is not msgspec.UNSET:
        asset: JSON = request.asset
        kept += [(name, value) for name, value in request.headers if name == "content-encoding"]
        kept.append(("content-type", stated or asset["media_type"]))
        return Wire(request.method, target, tuple(kept), (fetch(asset["digest"]),))
    body = write_body(request.body, lambda digest: fetch(digest).read_bytes())
    if is_raw(request.body):
        kept += [(name, value) for name, value in request.headers if name == "content-encoding"]
        stated = stated or "application/octet-stream"
    return Wire(request.method, target, (*kept, ("content-type", stated or "application/json")), (body,))


def sent_ahead(request: Request) -> list[Mapping[str, JSON]]:
    """The ``$asset`` of every file that is uploaded before the request is sent, each once."""
    found: dict[str, Mapping[str, JSON]] = {}
    for member in _members(_content(request)):
        if isinstance(member, dict) and set(member) == {"$asset"}:
            asset = member["$asset"]
            if asset["encoding"]["alphabet"] == SENT_AHEAD:
                found[asset["digest"]["sha256"]] = asset
    return list(found.values())


def with_addresses(request: Request, addresses: Mapping[str, str]) -> Request:
    """The request with the address of every uploaded file, by SHA-256, where the file stands."""

    def placed(value: JSON) -> JSON:
        if isinstance(value, dict):
            if set(value) == {"$asset"} and value["$asset"]["encoding"]["alphabet"] == SENT_AHEAD:
                return addresses[value["$asset"]["digest"]["sha256"]]
            return {key: placed(member) for key, member in value.items()}
        return [placed(member) for member in value] if isinstance(value, list) else value

    if request.parts is not msgspec.UNSET:
        return msgspec.structs.replace(request, parts=placed(request.parts))
    if request.body is not msgspec.UNSET:
        return msgspec.structs.replace(request, body=placed(request.body))
    return request


def read_wire(
    method: str, path: str, query: str, headers: list[list[str]], data: bytes, lift: Lift, *, role: str | None = None
) -> Request:
    """A request that was sent, as it is stored.

    Args:
        method: in capitals.
        path: as sent, percent-encoded.
        query: as sent, without the question mark.
        headers: names in lower case, in order.
        data: the content, whole.
        lift: stores a payload and answers its digests.
        role: what a body that is a file is for; None where this operation takes no such body.
    """
    content_type = dict((name, value) for name, value in headers).get("content-type", "")
    pairs: list[list[JSON]] = [list(pair) for pair in parse_qsl(query, keep_blank_values=True)]
    request = Request(
        origin="captured", method=method, path=path, query=pairs, headers=_without_boundary(headers), bytes=len(data)
    )
    form = _BOUNDARY.search(content_type)
    if content_type.lower().startswith("multipart/form-data") and form:
        return msgspec.structs.replace(request, parts=list(_parts(data, form[1].encode(), lift)))
    if not data or "json" in content_type.lower() or data[:64].lstrip()[:1] == b"{":  # JSON is sent under many names
        try:
            return msgspec.structs.replace(request, body=read_body(data, lift) if data else None)
        except NotCanonical:  # kept as it is: sending it again sends the very bytes
            pass
    media_type = content_type.partition(";")[0].strip().lower() or "application/octet-stream"
    if role is None or is_text(data, media_type):  # it holds the prompt, as far as anybody can tell
        if len(data) <= LONGEST_RAW:
            return msgspec.structs.replace(request, body=raw(data))
        role = WHOLE
    asset = {"role": role, "digest": lift(data), "media_type": media_type, "bytes": len(data), "media": None}
    return msgspec.structs.replace(request, asset=asset)


def _without_boundary(headers: list[list[str]]) -> list[list[str]]:
    """A boundary is drawn at random for each request; ours follows from the content."""
    return [
        [name, "multipart/form-data"] if name == "content-type" and value.startswith("multipart/") else [name, value]
        for name, value in headers
    ]


def _form(parts: list[JSON], boundary: str, fetch: Fetch) -> Iterator[bytes | Path]:
    for part in parts:
        name = _quoted(part["name"])
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if part["filename"] is not None:
            head += f'; filename="{_quoted(part["filename"])}"'
        if part["media_type"] is not None:
            head += f"\r\nContent-Type: {part['media_type']}"
        yield f"{head}\r\n\r\n".encode()
        value = part["value"]
        yield _part_bytes(value, fetch)
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _parts(data: bytes, boundary: bytes, lift: Lift) -> Iterator[JSON]:
    for piece in (b"\r\n" + data).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = {key: value for key, value in _FIELD.findall(head)}
        types = [line[13:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"content-type:")]
        filename = _unquoted(fields[b"filename"]) if b"filename" in fields else None
        media_type = types[0].decode("latin-1") if types else None
        text = filename is None or is_text(content, (media_type or "").lower())
        yield {
            "name": _unquoted(fields.get(b"name", b"")),
            "filename": filename,
            "media_type": media_type,
            "value": _value(content) if text and len(content) <= LONGEST_RAW else _file(content, lift),
        }


def is_text(data: bytes, media_type: str) -> bool:
    """Whether bytes of a request are words rather than a file of sound or pictures: a prompt may be sent as a file."""
    if media_type.startswith((*_MEDIA, *_TEXT)):
        return media_type.startswith(_TEXT)
    return is_words(data)


def _part_bytes(value: JSON, fetch: Fetch) -> bytes | Path:
    if is_raw(value):
        return raw_bytes(value)
    return value.encode() if isinstance(value, str) else fetch(value["$asset"]["digest"])


def _value(content: bytes) -> JSON:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return raw(content)


def _file(content: bytes, lift: Lift) -> JSON:
    encoding = {"prefix": "", "alphabet": RAW, "padding": True}
    return {"$asset": {"digest": lift(content), "bytes": len(content), "encoding": encoding}}


def _quoted(text: str) -> str:
    """A name in a form's header, escaped as browsers do (WHATWG HTML, multipart/form-data)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "replace").replace('\\"', '"')
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _content(request: Request) -> JSON:
    if request.parts is not msgspec.UNSET:
        return request.parts
    return None if request.body is msgspec.UNSET else request.body


def _members(value: JSON) -> Iterator[JSON]:
    yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _members(member)
