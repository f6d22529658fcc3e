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

from registry.capture import slots as places
from registry.capture.errors import BadDescription
from registry.capture.hosts import host_allowed, inside
from registry.capture.protocol import expressions_in
from registry.capture.toml_lines import key_at, line_of

_TOML_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_MISSING: Final = "which is missing"
_TWICE: Final = re.compile("overwrite|twice|mutate|already|Duplicate")
_NAME: Final = re.compile("[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class DescriptionFile:
    """A checked file: its digest in hex, and its content as JSON values, with what it takes from another one.

    The digest is the SHA-256 of its bytes; of one that is ``like`` another, of its bytes and the 32 of that one's.
    """

    path: Path
    sha256: str
    content: dict[str, Any]


def read_description_file(path: Path) -> DescriptionFile:
    """Read and check the TOML file at ``path``.

    Raises:
        BadDescription: unreadable, no TOML, against ``schemas/provider/v1``, or at odds with itself; the first
            mistake in the order of the file is shown.
    """
    written = _written(path)
    other = _other(path, written)
    content, digest = written.content, hashlib.sha256(written.raw)
    if other is not None:
        left_out = {key for key, value in content.items() if value == {}}
        content = {key: value for key, value in other.content.items() if key not in ("id", "like", *left_out)} | content
        content = {key: value for key, value in content.items() if key not in left_out}
        digest.update(bytes.fromhex(other.sha256))
    mistakes = [*_against_schema(content)] or [*_against_itself(path, content)]
    if mistakes:
        # A missing key comes last: most often it is there, misspelt, and the unknown key says so better.
        _, line, key, expected = min((_MISSING in why, _line(written, key), key, why) for key, why in mistakes)
        if _taken(written, key):
            expected += f" (taken from {content['like']})"
        raise BadDescription(path, line, ".".join(key), expected)
    return DescriptionFile(path, digest.hexdigest(), content)


@dataclass(frozen=True, slots=True)
class _Written:
    """What one file says itself."""

    raw: bytes
    text: str
    content: dict[str, Any]


def _written(path: Path) -> _Written:
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
        why = _TOML_LINE.sub("", str(error)).strip()
        key = key_at(text, line) if _TWICE.search(why) else ""
        raise BadDescription(path, line, key, f"expected TOML: {why}") from error
    return _Written(raw, text, _as_json(path, text, parsed, []))


def _other(path: Path, written: _Written) -> DescriptionFile | None:
    """The description that this one is like: one beside it, or a shipped one; None where it stands by itself.

    Raises:
        BadDescription: there is none, it leans on another one itself, or is another provider's.
    """
    name = written.content.get("like")
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # the schema says what is wrong with it
        return None

    def refused(key: str, expected: str) -> BadDescription:
        return BadDescription(path, line_of(written.text, [key]), key, f"expected {expected}")

    shipped = resources.files("registry.capture") / "descriptions"
    with resources.as_file(shipped) as folder:
        found = next((file for near in (path.parent, folder) if (file := near / f"{name}.toml").is_file()), None)
        if found is None or name == path.stem:
            raise refused("like", f"the id of another description, shipped or in {path.parent}, not {name!r}")
        if (further := _written(found).content.get("like")) is not None:
            raise refused("like", f"a description that stands by itself; {name} is like {further!r}")
        other = read_description_file(found)
    if written.content.get("provider", provider := other.content["provider"]) != provider:
        raise refused("provider", f"{provider!r}, whose description {name} is")
    return other


def _line(written: _Written, key: list[str]) -> int:
    return line_of(written.text, key if not _taken(written, key) else ["like"])


def _taken(written: _Written, key: list[str]) -> bool:
    """Whether a key of the whole content stands in the other file."""
    return bool(key) and key[0] not in written.content and "like" in written.content


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
        elif error.kind.name == "enum":
            yield key, f"expected one of {', '.join(map(json.dumps, error.kind.as_dict()['options']))}"
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
    if urlsplit(content.get("base_url", "")).scheme == "http" and not inside(content["base_url"]):
        yield ["base_url"], "expected https://; http:// is for this machine and for numbers of private networks"
    if content["caps"]["webhook"] is not ("webhook" in content):
        yield ["caps", "webhook"], "expected true if, and only if, a table [webhook] says how callbacks are signed"
    if "base_url" in content and content["caps"]["idempotency"] is not ("idempotency" in content["submit"]):
        yield ["caps", "idempotency"], "expected true if, and only if, submit.idempotency names the header of the key"
    yield from _pins_against_themselves(content)
    yield from expressions_in(content)
    yield from _places_against_slots(content)
    yield from _words_in_clear(content)
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


def _words_in_clear(content: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
    """What nobody may declare public: the places of prompts."""
    for name, slot in content["submit"]["slots"].items():
        if name not in places.WORDS:
            continue
        at = places.parse(slot if isinstance(slot, str) else slot["at"])
        for number, pattern in enumerate(content["public"]):
            if places.matches(places.parse(pattern), at):
                yield ["public", str(number)], f"expected no {name} here: what is public is never sealed"


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
