"""What a description's keys owe to each other, which no schema can say: places, names, expressions, days that fit."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from registry.capture.description_form import Mistake
from registry.capture.description_jobs import mistakes_of_jobs
from registry.capture.description_places import mistakes_of_places
from registry.capture.hosts import host_allowed, inside
from registry.capture.protocol import expressions_in
from registry.capture.secrets import may_be_secret


def mistakes_of_sense(path: Path, content: dict[str, Any]) -> Iterator[Mistake]:
    """Where the content of the description at ``path``, of the right form, is at odds with itself; in no order."""
    if content["id"] != path.stem:
        yield ["id"], f"expected {path.stem!r}, as the file is called {path.name}"
    if "base_url" in content:
        yield from _address(content["base_url"], content["hosts"])
        yield from _wide_hosts(content["hosts"])
    if content["caps"]["webhook"] is not ("webhook" in content):
        yield ["caps", "webhook"], "expected true if, and only if, a table [webhook] says how callbacks are signed"
    if "base_url" in content and content["caps"]["idempotency"] is not ("idempotency" in content["submit"]):
        yield ["caps", "idempotency"], "expected true if, and only if, submit.idempotency names the header of the key"
    yield from _pins_against_themselves(content)
    yield from expressions_in(content)
    yield from mistakes_of_places(content)
    yield from mistakes_of_jobs(content)
    for model, day in content.get("retires", {}).items():
        try:
            datetime.date.fromisoformat(day)
        except ValueError:
            yield ["retires", model], f"expected a day of the calendar, not {day}"


def _address(base_url: str, hosts: list[str]) -> Iterator[Mistake]:
    """An address that can be reached, at a host that may have the key; what of it may be secret is not repeated."""
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018 - it is looked at here, where it can be told by file and line
    except ValueError as error:
        why = "" if "@" in base_url or may_be_secret(base_url) else f": {error}"
        yield ["base_url"], f"expected an address that can be reached{why}"
        return
    if "@" in parts.netloc:
        yield ["base_url"], "expected an address without a name or password; the key goes with auth"
    elif not host_allowed(parts.netloc, hosts):
        named = ", ".join(host for host in hosts if not may_be_secret(host))
        yield ["base_url"], f"expected a host that hosts names{named and f': {named}'}"
    elif parts.scheme == "http" and not inside(base_url):
        yield ["base_url"], "expected https://; http:// is for this machine and for numbers of private networks"


def _wide_hosts(hosts: list[str]) -> Iterator[Mistake]:
    """Patterns that would give the key to hosts of other people: everything below ``com``."""
    for number, host in enumerate(hosts):
        fixed = host.partition(":")[0].rpartition("*")[2]
        if "*" in host and sum(map(bool, fixed.split("."))) < 2:
            yield (
                ["hosts", str(number)],
                f'expected two names or more behind the last *, such as *.example.com, not "{host}"',
            )


def _pins_against_themselves(content: dict[str, Any]) -> Iterator[Mistake]:
    patterns = []
    for number, pin in enumerate(content["pin"]):
        try:
            patterns.append(re.compile(pin["pattern"]))
        except re.error as error:
            yield ["pin", str(number), "pattern"], f"expected a regular expression: {error}"
            return
    for alias, pins in content.get("pins", {}).items():
        if any(pattern.fullmatch(alias) for pattern in patterns):
            yield ["pins", alias], "expected an alias: a pin pattern says this is an exact version itself"
        for pin in pins:
            if not any(pattern.fullmatch(pin) for pattern in patterns):
                yield ["pins", alias], f"expected pins, and no pin pattern matches {pin!r}"
