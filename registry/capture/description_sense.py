"""What a description's keys owe to each other, which no schema can say: places, names, expressions, days that fit."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from registry.capture import slots as places
from registry.capture.description_form import Mistake
from registry.capture.hosts import host_allowed, inside
from registry.capture.protocol import expressions_in

_HOLE: Final = re.compile(r"\{(\w+)\}")


def mistakes_of_sense(path: Path, content: dict[str, Any]) -> Iterator[Mistake]:
    """Where the content of the description at ``path``, of the right form, is at odds with itself; in no order."""
    if content["id"] != path.stem:
        yield ["id"], f"expected {path.stem!r}, as the file is called {path.name}"
    if "base_url" in content:
        yield from _address(content["base_url"], content["hosts"])
    if content["caps"]["webhook"] is not ("webhook" in content):
        yield ["caps", "webhook"], "expected true if, and only if, a table [webhook] says how callbacks are signed"
    if "base_url" in content and content["caps"]["idempotency"] is not ("idempotency" in content["submit"]):
        yield ["caps", "idempotency"], "expected true if, and only if, submit.idempotency names the header of the key"
    yield from _pins_against_themselves(content)
    yield from expressions_in(content)
    yield from _slots_and_tables(content)
    yield from _words_in_clear(content)
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
        yield ["base_url"], f"expected an address that can be reached: {error}"
        return
    if "@" in parts.netloc:
        yield ["base_url"], "expected an address without a name or password; the key goes with auth"
    elif not host_allowed(parts.netloc, hosts):
        yield ["base_url"], f"expected a host that hosts names: {', '.join(hosts)}"
    elif parts.scheme == "http" and not inside(base_url):
        yield ["base_url"], "expected https://; http:// is for this machine and for numbers of private networks"


def _slots_and_tables(content: dict[str, Any]) -> Iterator[Mistake]:
    """Slots, holes in paths and the tables that lean on one another."""
    submit = content["submit"]
    slots = {name: slot if isinstance(slot, str) else slot["at"] for name, slot in submit["slots"].items()}
    in_path = {at.partition(".")[2] for at in slots.values() if at.startswith("path.")}
    holes = set(_HOLE.findall(submit["match"]))
    for name in sorted(in_path ^ holes):
        told = (
            f"a slot at path.{name}, as submit.match has {{{name}}}"
            if name in holes
            else f"{{{name}}}, as a slot stands at path.{name}"
        )
        yield ["submit", "slots" if name in holes else "match"], f"expected {told}"
    for name in sorted(set(content["template"].get("path", {})) - holes):
        yield (
            ["template", "path", name],
            f"expected a name that submit.match has in braces: {', '.join(sorted(holes)) or 'it has none'}",
        )
    for number, pin in enumerate(content["pin"]):
        if pin.get("slot", "model") not in slots:
            yield ["pin", str(number), "slot"], f"expected the name of a slot: {', '.join(sorted(slots))}"
    if "count" in submit and submit["count"] not in slots:
        yield ["submit", "count"], f"expected the name of a slot: {', '.join(sorted(slots))}"
    for table, key, own in (
        ("poll", "path", "job"), ("cancel", "path", "job"), ("output", "path", "job"), ("output", "result_path", "job"),
        ("retiring", "path", "model"),
    ):  # fmt: skip
        text = content.get(table, {}).get(key, "")
        for hole in set(_HOLE.findall(text)) - {own}:
            yield [table, key], f"expected {{{own}}} alone in braces, not {{{hole}}}"
        if "{job}" in text and "job" not in submit:
            yield [table, key], "expected submit.job, which says where the job's id is"
    if any(given["as"] == "upload" for given in content.get("inputs", {}).values()) and "upload" not in content:
        yield ["inputs"], "expected a table [upload], as an input is sent ahead"


def _words_in_clear(content: dict[str, Any]) -> Iterator[Mistake]:
    """What nobody may declare public: the places of prompts."""
    for name, slot in content["submit"]["slots"].items():
        if name not in places.WORDS:
            continue
        at = places.parse(slot if isinstance(slot, str) else slot["at"])
        for number, pattern in enumerate(content["public"]):
            if places.matches(places.parse(pattern), at):
                yield ["public", str(number)], f"expected no place of {name}: what is public is never sealed"


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
