"""Asks a vendor on which day a model is shut down, where its description says how."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import quote, urlsplit

import httpx2

from registry.capture.answers import parsed_answer
from registry.capture.description import Description
from registry.capture.hosts import NoAddress, Place, place_by
from registry.capture.outside import Inside, OutsideTransport
from registry.capture.secrets import Unreadable, secrets_of, variables_of

_TIMEOUT_S: Final = 20.0
_ANSWER_BYTES: Final = 1 << 20
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").match


class NotTold(Exception):
    """The vendor gave no answer; the text says why, and quotes nothing that it said."""


def day_told(description: Description, model: str, environment: Mapping[str, str]) -> date | None:
    """The day that the vendor names; None where it names none. Asking is free.

    Args:
        description: one with a table ``retiring``.
        model: as it is asked for.
        environment: where key and address are looked up.

    Raises:
        NotTold: no key, no connection, or no answer that could be understood.
    """
    protocol = description.protocol
    if protocol is None or protocol.retiring is None:
        raise NotTold("its description does not say where it tells")
    path = protocol.retiring.path.replace("{model}", quote(model, safe=""))
    try:
        place = place_by(description.provider, str(description.base_url), description.hosts, environment)
        headers = {**protocol.headers, **_key(description, environment)}
        status, data = _got(place, f"{place.base_url}{path}", headers)
    except NoAddress as problem:
        raise NotTold(f"{problem.variable} holds no address") from None
    except Unreadable as problem:
        raise NotTold(f"{problem.variable} cannot be read") from None
    except Inside as problem:
        raise NotTold(str(problem)) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise NotTold(type(problem).__name__) from None
    if status != 200:
        raise NotTold("HTTP 404: it knows no such model, or not for this key" if status == 404 else f"HTTP {status}")
    answer = parsed_answer(status, {}, data)
    if not isinstance(answer.body, dict):
        raise NotTold("its answer is no JSON object")
    text = protocol.retiring.day.text_of(answer.view())
    return None if text is None else _day(text)


def _day(text: str) -> date:
    """A day, or the day of a moment."""
    found = _DAY(text)
    try:
        return date.fromisoformat(found[0] if found else text)
    except ValueError:
        raise NotTold("what it names is no day") from None


def _key(description: Description, environment: Mapping[str, str]) -> dict[str, str]:
    auth = description.auth
    if auth is None:
        return {}
    secrets = secrets_of(auth.secret, environment)
    if not secrets or not (secrets[0].isascii() and secrets[0].isprintable()):
        raise NotTold(f"no key: set {' or '.join(variables_of(auth.secret, environment))}")
    return {auth.header: auth.header_of(secrets[0])}


def _got(place: Place, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and bytes of an answer; no redirect is followed, so the key goes nowhere else."""
    transport = OutsideTransport(urlsplit(place.base_url).hostname or "")
    with (
        httpx2.Client(transport=transport, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url, headers=dict(headers)) as response,
    ):
        data = b""
        for piece in response.iter_bytes():
            data += piece
            if len(data) > _ANSWER_BYTES:
                raise NotTold(f"its answer is longer than {_ANSWER_BYTES:,} bytes")
        return response.status_code, data
