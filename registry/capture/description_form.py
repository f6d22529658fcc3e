"""What a description file's form lacks, by its schema: every mistake with its key, and in words what was expected."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from typing import Any, Final, TypeAlias

import jsonschema_rs

from registry.capture.secrets import may_be_secret

Mistake: TypeAlias = tuple[list[str], str]
"""The steps of a key, and what was expected there."""

MISSING: Final = "missing here"
_TYPES: Final = {
    "string": "text in quotes",
    "array": "a list ([...] or [[name]])",
    "object": "a table ({...} or [name])",
    "integer": "a whole number",
    "boolean": "true or false",
}
_LIMITS: Final = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "minLength": "text of {} or more characters",
    "maxLength": "text of {} or fewer characters",
    "minItems": "{} or more elements",
    "minProperties": "{} or more keys",
}
_LONGEST: Final = 60  # characters of a wrong value that are shown
_KEYS: Final = (["auth"], ["webhook", "secret"])  # where people paste the key itself: not repeated


def mistakes_of_form(content: Mapping[str, Any]) -> Iterator[Mistake]:
    """Where the content of a description breaks ``schemas/provider/v1``, in no order."""
    missing: dict[tuple[str, ...], list[str]] = {}
    for found in _validator().iter_errors(content):
        error = _nearest(found)
        key = [str(step) for step in error.instance_path]
        if error.kind.name == "required":
            missing.setdefault(tuple(key), []).append(error.kind.as_dict()["property"])
        elif error.kind.name == "additionalProperties":
            for name in error.kind.as_dict()["unexpected"]:
                yield [*key, name], f"expected no such key; {_hint(name, key, error.schema_path)}"
        elif error.kind.name == "propertyNames":
            inner = error.kind.as_dict()["error"]
            yield [*key, str(inner.instance)], f"expected as key {_form(inner, error.schema_path)}{_shown(inner, key)}"
        else:
            yield key, f"expected {_form(error, error.schema_path)}{_titled(error)}{_shown(error, key)}"
    for at, names in missing.items():
        yield list(at), f"expected the key{'s' * (len(names) > 1)} {', '.join(map(repr, names))}, {MISSING}"


@functools.cache
def _schema() -> dict[str, Any]:
    document = resources.files("schemas").joinpath("provider", "v1.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(document)
    return schema


@functools.cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(_schema())


def _nearest(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """The mistake itself: where one of several forms was expected, the one of the form that was tried."""
    if error.kind.name != "anyOf":
        return error
    branches = [branch for branch in error.kind.as_dict()["context"] if branch]
    tried = [branch[0] for branch in branches if all(one.kind.name != "type" for one in branch)]
    return _nearest(tried[0]) if tried else error


def _form(error: jsonschema_rs.ValidationError, schema_path: Sequence[str | int]) -> str:
    """What the schema wants there."""
    told, kind = error.kind.as_dict(), error.kind.name
    if kind == "pattern":
        return str(_node(schema_path)["title"])
    if kind == "enum":
        return f"one of {', '.join(map(json.dumps, told['options']))}"
    if kind == "type":
        return " or ".join(_TYPES[name] for name in told["types"])
    if kind == "anyOf":
        return " or ".join(_form(branch[0], branch[0].schema_path) for branch in told["context"])
    if kind == "required":
        return f"a table with the key {told['property']!r}"
    if kind == "oneOf":
        names = [name for form in _node([*schema_path, 0]) for name in form["required"]]
        return f"one of the keys {' and '.join(map(repr, names))}, and one alone"
    if kind == "falseSchema":
        return "no such key: a LOCAL operation has no address and no key"
    if kind == "uniqueItems":
        return "every element once"
    if kind in _LIMITS:
        return _LIMITS[kind].format(told["limit"])
    return f"another value ({kind} of the schema)"


def _titled(error: jsonschema_rs.ValidationError) -> str:
    """Of a value of another type, what its text or list would be."""
    title = _node(error.schema_path).get("title") if error.kind.name == "type" else None
    return f": {title}" if title else ""


def _shown(error: jsonschema_rs.ValidationError, key: list[str]) -> str:
    """What stands there instead, where it is short and no secret."""
    text = json.dumps(error.instance, ensure_ascii=False)
    of_a_key = any(key[: len(at)] == at for at in _KEYS) or may_be_secret(text)
    return "" if of_a_key or error.kind.name in ("falseSchema", "oneOf") or len(text) > _LONGEST else f", not {text}"


def _hint(name: str, table: list[str], schema_path: Sequence[str | int]) -> str:
    """Where a key that is unknown in a table belongs, what it may have been meant as, or what is known there."""
    homes = [home for home, known in _tables() if name in known and home != table]
    if len(homes) == 1:
        if homes[0]:
            return f"it belongs into [{'.'.join(homes[0])}]"
        table_of_its_own = _schema()["properties"][name].get("type") == "object"
        return f"[{name}] is a table of its own" if table_of_its_own else "it belongs above the first [table]"
    known = sorted(_node(schema_path).get("properties", {}))
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}" if near else f"known here: {', '.join(known)}"


@functools.cache
def _tables() -> tuple[tuple[list[str], frozenset[str]], ...]:
    """The tables that a file can have, with the keys that they know; the file itself first."""
    root = _schema()["properties"]
    inside = ((["submit"], root["submit"]), *(([name], node) for name, node in root.items() if name != "submit"))
    return (([], frozenset(root)), *((at, frozenset(node.get("properties", ()))) for at, node in inside))


def _node(schema_path: Sequence[str | int]) -> Any:  # noqa: ANN401 - a part of a JSON Schema
    """The part of the schema that a keyword at a path belongs to."""
    node: Any = _schema()
    for step in list(schema_path)[:-1]:
        node = node[step]
    return node
