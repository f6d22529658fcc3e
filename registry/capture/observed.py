"""An exchange as it was observed on the wire, and the operation that it starts a call of."""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from registry.canonical import JSON
from registry.capture.answers import Answer, job_of, parsed_answer
from registry.capture.description import Description
from registry.capture.draft import HEADERS
from registry.capture.events import Events, final_answer, is_events
from registry.capture.protocol import Protocol
from registry.capture.request import path_matches
from registry.capture.wire import read_wire

_LONGEST_ANSWER: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as they crossed the wire; ``status`` is None where no whole answer came."""

    method: str
    url: str
    request_headers: Sequence[tuple[str, str]]
    request_body: bytes
    status: int | None
    response_headers: Sequence[tuple[str, str]] = ()
    response_body: bytes = b""
    submitted_at: str | None = None
    completed_at: str | None = None
    total_ms: int | None = None


def is_submit(description: Description, method: str, url: str, *, base_url: str | None = None) -> bool:
    """Whether a request starts a call of this operation.

    Args:
        description: of a remote operation.
        method: in capitals.
        url: in full.
        base_url: what the client took for the provider's address, where that is another one.
    """
    return not description.local and path_matches(description, method, below(description, url, base_url))


def description_of(
    descriptions: Iterable[Description], submit: Exchange, *, base_url: str | None = None
) -> Description | None:
    """The operation that a request starts a call of; None where it is none of them.

    Args:
        descriptions: of the provider it went to.
        submit: the exchange; its answer is not looked at.
        base_url: what the client took for the provider's address, where that is another one.
    """
    for one in descriptions:
        if is_submit(one, submit.method, submit.url, base_url=base_url):
            when = one.protocol.when if one.protocol else None
            if when is None or when.find(_look_at(submit)):
                return one
    return None


def _look_at(submit: Exchange) -> JSON:
    """What conditions see of a request: its JSON, or the text fields of its form, and its query."""
    query = {name: value for name, value in parse_qsl(urlsplit(submit.url).query)}
    try:
        body: JSON = json.loads(submit.request_body) if submit.request_body else None
    except (ValueError, RecursionError):
        headers = [[name.lower(), value] for name, value in submit.request_headers if name.lower() in HEADERS]
        form = read_wire(submit.method, "/", "", headers, submit.request_body, lambda data: {})
        fields = [] if form.parts is msgspec.UNSET else form.parts
        body = {part["name"]: part["value"] for part in fields if isinstance(part["value"], str)}
    return {"body": body, "query": query}


def below(description: Description, url: str, base_url: str | None) -> str:
    """The path of ``url`` below the provider's address."""
    prefix = urlsplit(base_url or description.base_url or "").path.rstrip("/")
    return urlsplit(url).path.removeprefix(prefix) or "/"


def answer_of(exchange: Exchange, events: Events | None = None) -> Answer | None:
    """Its answer, what it ends with where it came as ``events``; None where none came whole."""
    if exchange.status is None:
        return None
    headers = {name.lower(): value for name, value in exchange.response_headers}
    data = plain_body(exchange)
    return parsed_answer(exchange.status, headers, final_answer(events, data) if is_events(headers) else data)


def job_address(protocol: Protocol, first: Answer) -> str | None:
    """Where the job is asked about, in full or as a path; None where the answer to submit names no address.

    Args:
        protocol: how the operation speaks.
        first: the answer to submit.
    """
    poll, job = protocol.poll, job_of(protocol, first)
    if poll is None:
        return None
    if poll.path is not None:
        return poll.path.replace("{job}", quote(job, safe="")) if job else None
    return address_in(poll.url.text_of(first.view()) if poll.url else None)


def address_in(text: str | None) -> str | None:
    """A text that a provider gave as an address, if it can be taken apart as one."""
    try:
        return text if text and urlsplit(text) else None
    except ValueError:
        return None


def plain_body(exchange: Exchange) -> bytes:
    """The answer's content without its transfer coding; as it is where that coding is not known here."""
    headers = {name.lower(): value for name, value in exchange.response_headers}
    if headers.get("content-encoding", "").lower() not in ("gzip", "deflate", "x-gzip"):
        return exchange.response_body
    try:
        return zlib.decompressobj(wbits=47).decompress(exchange.response_body, _LONGEST_ANSWER)
    except zlib.error:
        return exchange.response_body
