"""Reads a request's body, never more of it than it may have, and what its JSON asks for."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from registry.canonical import misfit, parse
from registry.http.problems import Problem

T = TypeVar("T")


async def body_of(request: Request, most: int, what: str, kind: str = "upload-too-large") -> bytes:
    """The whole body.

    Args:
        request: not read yet.
        most: the bytes it may have.
        what: what such a body is called, with its verb: "a delivery has at most".
        kind: of the problem.

    Raises:
        Problem: it is longer (413).
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Problem(413, kind, f"{what} {most:,} bytes")
    return bytes(body)


def asked_in(body: bytes, form: type[T], kind: str) -> T:
    """What a JSON body asks for.

    Raises:
        NotCanonical: it is no JSON, or not strict.
        Problem: of that kind: it does not fit the form (422).
    """
    try:
        return msgspec.convert(parse(body), form)
    except msgspec.ValidationError as problem:
        pointer, why = misfit(problem)
        raise Problem(422, kind, why, pointer=pointer) from None
