"""The file of an open call: one exchange, keys taken out; what is torn by a kill can be told from what is whole."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from registry.capture.description import Description
from registry.capturing.codings import Unreadable, decoded
from registry.capturing.context import Said
from registry.capturing.known import Place
from registry.capturing.observing import Body, Headers, Observation
from registry.capturing.scrubbing import (
    rules_of,
    scrubbed,
    scrubbed_headers,
    scrubbed_said,
    scrubbed_url,
    scrubbed_whole,
    secrets_in,
)

_LENGTH: Final = 8  # hexadecimal digits at the end of a file, which say how long the JSON before them is
_PIECE: Final = 1 << 18
_IN_MEMORY: Final = 4 << 20


def put(descriptor: int, data: memoryview) -> None:
    """Fill a file that was opened, and close it.

    Raises:
        OSError: disk or rights.
    """
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def write(
    file: IO[bytes], head: Mapping[str, str], place: Place, descriptions: Sequence[Description], seen: Observation
) -> None:
    """Both bodies, what else is known as JSON, and how long that is."""
    rules, secrets = rules_of(*descriptions), secrets_in(seen.request_headers, seen.url)
    sizes, kept = [], []
    for body, headers, allowed, fields in (
        (seen.request, seen.request_headers, rules.asked, rules.request),
        (seen.response, seen.response_headers, rules.answered, rules.response),
    ):
        told = dict(scrubbed_headers(headers, allowed, secrets))
        coding = dict(headers).get("content-encoding", "")
        size, plain = _written(file, body if not seen.broken else None, coding, secrets, fields)
        sizes.append(size)
        told.pop("content-encoding", None)
        if not plain:
            told["content-encoding"] = coding
        kept.append(list(told.items()))
    value = {
        **head,
        "provider": place.provider,
        "base_url": place.base_url,
        "method": seen.method,
        "url": scrubbed_url(seen.url, rules, secrets),
        "request_headers": kept[0],
        "response_headers": kept[1],
        "said": scrubbed_said(seen.said, secrets),
        "capture": seen.capture,
        "status": seen.status,
        "ended": seen.ended,
        "why": seen.why,
        "ms": seen.ms,
        "started_at": seen.started_at,
        "ended_at": seen.ended_at,
        "broken": seen.broken,
        "sizes": sizes,
    }
    told_json = json.dumps(value).encode()  # which takes half a surrogate pair, too
    file.write(b"%s%0*x" % (told_json, _LENGTH, len(told_json)))


def read(path: Path, folder: Path) -> tuple[dict[str, Any], Observation]:
    """An open call's exchange; its bodies go to ``folder`` where they are long."""
    with path.open("rb") as file:
        value = head_of(file)
        file.seek(0)
        request, response = (_body(file, size, folder) for size in value["sizes"])
    seen = Observation(
        value["method"],
        value["url"],
        _pairs(value["request_headers"]),
        request,
        response,
        Said.of_json(value["said"]),
        value["capture"],
        lambda _: None,
        status=value["status"],
        response_headers=_pairs(value["response_headers"]),
        ended=value["ended"],
        why=value["why"],
        ms=value["ms"],
        started_at=value["started_at"],
        ended_at=value["ended_at"],
        broken=value["broken"],
        id=value["id"],
    )
    return value, seen


def head_of(file: IO[bytes]) -> dict[str, Any]:
    """What stands in a file behind the bodies.

    Raises:
        OSError, ValueError: it is torn.
    """
    end = file.seek(-_LENGTH, os.SEEK_END)
    file.seek(end - int(file.read(_LENGTH), 16))
    value = json.loads(file.read()[:-_LENGTH])
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _written(
    file: IO[bytes], body: Body | None, coding: str, secrets: Sequence[bytes], fields: Sequence[bytes]
) -> tuple[int, bool]:
    """How many bytes a body took, and whether without its coding."""
    if body is None:
        return 0, True
    if body.size <= _PIECE and body.in_memory and not coding:  # in longer ones, looking would hold up other threads
        return file.write(scrubbed_whole(b"".join(body.pieces()), secrets, fields)), True
    start = file.tell()
    try:
        return _copied(file, scrubbed(decoded(body.pieces(), coding), secrets, fields)), True
    except Unreadable:
        file.seek(start)
        file.truncate()
        return _copied(file, scrubbed(body.pieces(), secrets, fields)), False


def _copied(file: IO[bytes], pieces: Iterable[bytes]) -> int:
    return sum(map(file.write, pieces))


def _body(file: IO[bytes], size: int, folder: Path) -> Body:
    body = Body(folder, _IN_MEMORY)
    for piece in _cut(file, size):
        body.write(piece)
    return body


def _cut(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece


def _pairs(value: list[list[str]]) -> Headers:
    return [(name, text) for name, text in value]
