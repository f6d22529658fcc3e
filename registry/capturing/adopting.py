"""Calls whose process has ended, as another one goes on with them: with what key, and for how long."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from registry.capture.description import Description
from registry.capture.secrets import Unreadable, secrets_of
from registry.capturing.fetching import key_headers
from registry.capturing.following import CapturedCall, begun, told_by
from registry.capturing.known import Known
from registry.capturing.observing import Observation
from registry.capturing.opened import Left
from registry.times import moment_of

KEYLESS_S: Final = 600.0
"""So long after it was begun, a job is given up whose program has ended, and whose key nobody has."""


def adopted_call(left: Left, known: Known, environment: Mapping[str, str]) -> CapturedCall | None:
    """A call that another process began; None where its provider is not described any more.

    Its key is gone with its process: it is asked about with the one in the environment. Where there is none, or the
    provider is reached elsewhere by now, it is not asked about.
    """
    place = left.place(known)
    call = begun(place, left.submit) if place is not None else None
    if call is None:
        return None
    key = borrowed_key(call.description, environment) if place in known.places.values() else None
    call.orphan, call.askable, call.tries = True, key is not None, 1
    call.key |= key or {}
    age = (datetime.now(UTC) - moment_of(left.submit.started_at)).total_seconds()
    limit = call.limit_s if call.askable else min(KEYLESS_S, call.limit_s)
    call.deadline = time.monotonic() + max(0.0, limit - age)
    if left.last is not None:
        call.hear(told_by(left.last, call.events))
    return call


def borrowed_key(description: Description, environment: Mapping[str, str]) -> dict[str, str] | None:
    """A key for a call whose own one is gone, by the names under which replays find it; None where there is none."""
    if description.auth is None:
        return {}
    try:
        found = secrets_of(description.auth.secret, environment)
    except Unreadable:
        return None
    return {description.auth.header.lower(): description.auth.header_of(found[0])} if found else None


def recognized(call: CapturedCall, seen: Observation) -> None:
    """Its caller asks about an adopted call: with the right key, if it gets an answer."""
    if seen.status is None or seen.status >= 300:
        return
    if not call.askable:
        call.deadline += call.limit_s
    call.key, call.orphan, call.askable = key_headers(call.description, seen.request_headers), False, True
