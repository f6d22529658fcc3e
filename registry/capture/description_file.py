"""Description files: read, checked against schema and themselves, and every mistake shown by file, line and key."""

import datetime
import functools
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jsonschema_rs

from registry.capture.errors import BadDescription
from registry.capture.hosts import host_allowed
from registry.capture.protocol import expressions_in
from registry.capture.toml_lines import line_of

_TOML_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_MISSING: Final = "which is missing"


@dataclass(frozen=True, slots=True)
class DescriptionFile:
    """A checked file: the SHA-256 of its bytes in hex, and its content as JSON values."""

    path: Path
    sha256: str
    content: dict[str, Any]


def read_description_file(path: Path) -> DescriptionFile:
    """Read and check the TOML file at ``path``.

    Raises:
        BadDescription: unreadable, no TOML, against ``schemas/provider/v1``, or at odds with itself; the first
            mistake in the order of the file is shown.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise BadDescription(path, 1, "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadDescription(path, raw.count(b"\n", 0, error.start) + 1, "", "expected UTF-8 text") from error
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise BadDescription(path, line, "", f"expected TOML: {_TOML_LINE.sub('', str(error)).strip()}") from error
    content = _as_json(path, text, parsed, [])
    mistakes = [*_against_schema(content)] or [*_against_itself(path, content)]
    if mistakes:
        # A missing key comes last: most often it is there, misspelt, and the unknown key says so better.
        _, line, key, expected = min(
            (_MISSING in expected, line_of(text, key), key, expected) for key, expected in mistakes
        )
        raise BadDescription(path, line, ".".join(key), expected)
    return DescriptionFile(path, hashlib.sha256(raw).hexdigest(), content)


def _as_json(path: Path, text: str, value: Any, key: list[str]) -> Any:  # noqa: ANN401 - a tree of any TOML values
    """The same tree with dates as text; TOML values that JSON lacks are refused."""
    if isinstance(value, dict):
        return {name: _as_json(path, text, member, [*key, name]) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_json(path, text, element, [*key, str(number)]) for number, element in enumerate(value)]
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (datetime.datetime, datetime.time)) or (isinstance(value, float) and not math.isfinite(value)):
        raise BadDescription(path, line_of(text, key), ".".join(key), f"expected a value that JSON has, not {value}")
    return value


@functools.cache
def _schema() -> dict[str, Any]:
    document = resources.files("schemas").joinpath("provider", "v1.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(document)
    return schema


@functools.cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(_schema())


def _against_schema(content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    for found in _validator().iter_errors(content):
        error = _nearest(found)
        key = [str(step) for step in error.instance_path]
        if error.kind.name == "additionalProperties":
            known = _known_keys(error.schema_path)
            for name in error.kind.as_dict()["unexpected"]:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]!r}" if near else f"known here: {', '.join(known)}"
                yield [*key, name], f"expected no such key; {hint}"
        elif error.kind.name == "required":
            yield key, f"expected the key {error.kind.as_dict()['property']!r}, {_MISSING}"
        elif error.kind.name == "falseSchema":
            yield key, "expected no such key: a LOCAL operation has no address and no key"
        else:
            yield key, f"expected otherwise: {error.message}"


def _nearest(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """The mistake itself: where one of several forms was expected, the one of the form that was tried."""
    if error.kind.name != "anyOf":
        return error
    branches = [branch[0] for branch in error.kind.as_dict()["context"] if branch]
    tried = [branch for branch in branches if branch.kind.name != "type"]
    return _nearest(tried[0]) if tried else error


def _known_keys(schema_path: Sequence[str | int]) -> list[str]:
    node: Any = _schema()
    for step in list(schema_path)[:-1]:
        node = node[step]
    return sorted(node.get("properties", {}))


def _against_itself(path: Path, content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """What the schema cannot say: agreement between keys, expressions that compile, days that exist."""
    if content["id"] != path.stem:
        yield ["id"], f"expected {path.stem!r}, as the file is called {path.name}"
    if "base_url" in content and not host_allowed(urlsplit(content["base_url"]).netloc, content["hosts"]):
        yield ["base_url"], f"expected a host that hosts names: {', '.join(content['hosts'])}"
    if "base_url" in content and content["caps"]["idempotency"] is not ("idempotency" in content["submit"]):
        yield ["caps", "idempotency"], "expected true if, and only if, submit.idempotency names the header of the key"
    yield from _pins_against_themselves(content)
    yield from expressions_in(content)
    yield from _places_against_slots(content)
    for model, day in content.get("retires", {}).items():
        try:
            datetime.date.fromisoformat(day)
        except ValueError:
            yield ["retires", model], f"expected a day of the calendar, not {day}"


_HOLE: Final = re.compile(r"\{(\w+)\}")


def _places_against_slots(content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Slots, holes in paths and the tables that lean on one another."""
    submit = content["submit"]
    slots = {name: slot if isinstance(slot, str) else slot["at"] for name, slot in submit["slots"].items()}
    in_path = {at.partition(".")[2] for at in slots.values() if at.startswith("path.")}
    holes = set(_HOLE.findall(submit["match"]))
    for name in sorted(in_path ^ holes):
        told = f"a slot at path.{name}" if name in holes else f"{{{name}}}, as a slot stands at path.{name}"
        yield ["submit", "slots" if name in holes else "match"], f"expected {told}"
    for name in sorted(set(content["template"].get("path", {})) - holes):
        yield (
            ["template", "path", name],
            f"expected a hole of submit.match: {', '.join(sorted(holes)) or 'it has none'}",
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
            yield [table, key], f"expected no hole but {{{own}}}, not {{{hole}}}"
        if "{job}" in text and "job" not in submit:
            yield [table, key], "expected submit.job, which says where the job's id is"
    if any(given["as"] == "upload" for given in content.get("inputs", {}).values()) and "upload" not in content:
        yield ["inputs"], "expected a table [upload], as an input is sent ahead"


def _pins_against_themselves(content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
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
