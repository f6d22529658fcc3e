"""Writes a captured call into the spool: outputs fetched, keys and signatures taken out."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from registry.capture.exchange import Exchange
from registry.capturing.codings import Unreadable, decoded
from registry.capturing.fetching import Fetcher, NotHad
from registry.capturing.following import CapturedCall, told_by
from registry.capturing.observing import Observation
from registry.capturing.scrubbing import (
    rules_of,
    scrubbed,
    scrubbed_headers,
    scrubbed_said,
    scrubbed_url,
    secrets_in,
)
from registry.capturing.spool import Spool, write

_TRIES: Final = 4


def spool_call(spool: Spool, call: CapturedCall, fetcher: Fetcher, observed: Callable[[Exchange], Observation]) -> Path:
    """Fetch what a call made, and write it down whole.

    Raises:
        OSError: disk or rights; it can be tried again.
    """
    folder = spool.begin(call.id)
    if not call.given_up:
        _ask_for_result(call, fetcher, observed)
        _fetch(call, fetcher, folder)
    seen = call.submit.seen
    secrets = secrets_in([*seen.request_headers, *call.key.items()], seen.url)
    entry: dict[str, Any] = {
        "description": call.description.id,
        "base_url": call.place.base_url,
        "capture": seen.capture,
        "said": scrubbed_said(seen.said, secrets),
        "given_up": True,
        "over": call.over,
        "ended": seen.ended,
        "broken": seen.broken,
        "ms": seen.ms,
        "downloads": {},
        "attempts": 0,
    }
    addresses = _unsigned(list(call.downloads))
    entry["downloads"] = {addresses[url]: path.name for url, path in call.downloads.items()}
    entry["submit"] = _written(folder, "submit", call, seen, secrets, addresses)
    entry["why"] = seen.why or entry["submit"]["why"]
    if call.last is not None:
        entry["last"] = _written(folder, "last", call, call.last.seen, secrets, addresses)
    return spool.commit(folder, entry)


def _ask_for_result(call: CapturedCall, fetcher: Fetcher, observed: Callable[[Exchange], Observation]) -> None:
    """The further answer that names the outputs, where a provider keeps them apart and the newest is not it."""
    url = call.result_url
    newest = (call.last or call.submit).seen.url
    if url is None or call.wanted() or not call.over or urlsplit(newest).path == urlsplit(url).path:
        return
    for tried in range(_TRIES):
        try:
            call.hear(told_by(observed(fetcher.ask(call.place, url, call.key)), call.events))
            return
        except NotHad as problem:
            if problem.gone:
                return
            time.sleep(0.2 * 2**tried)


def _fetch(call: CapturedCall, fetcher: Fetcher, folder: Path) -> None:
    call.downloads = {}
    for number, url in enumerate(call.wanted()):
        target = folder / f"output-{number}"
        for tried in range(_TRIES):
            try:
                fetcher.take(call.place, call.place.absolute(url), call.key, target)
                call.downloads[url] = target
                break
            except NotHad as problem:
                if problem.gone:
                    break
                time.sleep(0.2 * 2**tried)


def _unsigned(urls: list[str]) -> dict[str, str]:
    """Addresses without their queries, which are signatures; a number keeps those apart that differ in nothing else.

    A path alone was put together from the answer and is signed by nobody; it has to be found again from the answer.
    """
    return {
        url: urlunsplit(urlsplit(url)._replace(query=f"output={number}", fragment=""))
        if "?" in url and not url.startswith("/")
        else url
        for number, url in enumerate(urls)
    }


def _written(
    folder: Path, name: str, call: CapturedCall, seen: Observation, secrets: list[bytes], addresses: dict[str, str]
) -> dict[str, Any]:
    """One exchange: its bodies as files, the rest as JSON. ``why`` says what of the answer cannot be read."""
    rules = rules_of(call.description)
    headers = scrubbed_headers(seen.request_headers, rules.asked, secrets)
    why = None
    if not seen.broken:
        try:
            coding = dict(seen.request_headers).get("content-encoding", "")
            write(folder / f"{name}.request", scrubbed(decoded(seen.request.pieces(), coding), secrets, rules.request))
            headers = [(key, value) for key, value in headers if key != "content-encoding"]
        except Unreadable:  # it is kept as it was sent
            write(folder / f"{name}.request", scrubbed(seen.request.pieces(), secrets, rules.request))
        try:
            coding = dict(seen.response_headers).get("content-encoding", "")
            answer = scrubbed(decoded(seen.response.pieces(), coding), secrets, rules.response)
            write(folder / f"{name}.answer", _readdressed(answer, addresses) if call.downloads else answer)
        except Unreadable as problem:
            (folder / f"{name}.answer").unlink(missing_ok=True)
            why = f"the answer came whole and cannot be read: {problem}"
    whole = seen.ended == "whole" and not seen.broken
    refused = seen.status is not None and seen.status >= 400
    return {
        "method": seen.method,
        "url": scrubbed_url(seen.url, rules, secrets),
        "request_headers": headers,
        "status": seen.status if whole and (why is None or refused) else None,
        "why": why,
        "response_headers": scrubbed_headers(seen.response_headers, rules.answered, secrets),
        "submitted_at": seen.started_at,
        "completed_at": seen.ended_at,
        "total_ms": seen.ms.get("total"),
    }


def _readdressed(pieces: Any, addresses: dict[str, str]) -> list[bytes]:  # noqa: ANN401 - pieces of bytes
    """The answer with unsigned addresses: answers that hold addresses are short."""
    data = b"".join(pieces)
    for url, shown in addresses.items():
        for form in (url, url.replace("/", "\\/"), url.replace("&", "\\u0026"), json.dumps(url)[1:-1]):
            data = data.replace(form.encode(), shown.encode())
    return [data]
