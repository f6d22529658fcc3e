"""Expressions: JMESPath that reads a fact from an answer, with a regular expression where it hides in text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, Final

import jmespath  # type: ignore[import-untyped]  # no stubs; nothing else imports it
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]
from jmespath.functions import Functions  # type: ignore[import-untyped]

from registry.canonical import JSON
from registry.capture.secrets import may_be_secret
from registry.errors import counted

_ANSWER: Final = ("status", "headers", "body")
ANSWERED: Final = (*_ANSWER, "submit")
"""What there is of an answer: its own members, and under ``submit`` those of the first one."""

_BRACKETS: Final = frozenset({"projection", "filter_projection", "flatten", "index_expression"})
_ON_THE_FIRST: Final = _BRACKETS | {"value_projection", "subexpression", "pipe"}
_LONGEST: Final = 1 << 20  # characters of one text that a regular expression is let loose on


class BadExpression(ValueError):
    """An expression that does not compile; the message says why."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled JMESPath, with what is made of the value it finds."""

    text: str
    pattern: re.Pattern[str] | None = None
    scale: int = 1
    _compiled: Any = field(compare=False, repr=False, default=None)

    def find(self, view: JSON) -> JSON:
        """The value in ``view``; None where there is none, or where it has a type that the expression cannot take."""
        try:
            found = self._compiled.search(view)
        except JMESPathError:  # a function met another type than it takes: the fact is not there
            return None
        if self.pattern is None:
            return found
        matches = list(self.pattern.finditer(found[-_LONGEST:])) if isinstance(found, str) else []
        return matches[-1][1] if matches else None

    def texts(self, view: JSON) -> list[str]:
        """Every text found: one, or the texts of a list, in order and however deep they lie."""
        return list(_texts(self.find(view)))

    def text_of(self, view: JSON) -> str | None:
        """The value as one text: numbers by their digits, the first of a list; None for anything else."""
        found = self.find(view)
        if isinstance(found, list):
            found = found[0] if found else None
        if isinstance(found, bool) or not isinstance(found, str | int | float | Decimal):
            return None
        if isinstance(found, float):
            return str(int(found)) if found.is_integer() and abs(found) < 2**53 else repr(found)
        return str(found) or None

    def whole(self, view: JSON) -> int | None:
        """The value as a whole number, after scaling; None where it is no number."""
        text = self.text_of(view)
        try:
            number = float(text) * self.scale if text is not None else None
        except ValueError:
            return None
        return round(number) if number is not None and abs(number) < 2**53 else None


def compile_expression(given: JSON) -> Expression:
    """An expression from a description: a text, or ``{expr, regex?, scale?}``.

    Raises:
        BadExpression: JMESPath or regular expression do not compile, the former calls a function that is none or with
            other arguments than it takes, or the latter has no group.
    """
    told: dict[str, Any] = {"expr": given} if isinstance(given, str) else dict(given)
    try:
        compiled = jmespath.compile(told["expr"])
    except JMESPathError as error:
        if may_be_secret(told["expr"]):
            raise BadExpression("a JMESPath expression") from None
        why = re.sub(r"(,? *for expression)?:$", "", str(error).splitlines()[0].strip())
        raise BadExpression(f"a JMESPath expression, not {told['expr']!r}: {why}") from None
    _refuse_unknown_functions(compiled.parsed)
    pattern = None
    if regex := told.get("regex"):
        try:
            pattern = re.compile(regex)
        except re.error as error:
            raise BadExpression(f"a regular expression: {error}") from None
        if pattern.groups < 1:
            raise BadExpression("a regular expression with a group around the fact")
    return Expression(told["expr"], pattern, told.get("scale", 1), compiled)


def _refuse_unknown_functions(node: Mapping[str, Any]) -> None:
    """Look for calls that would fail on every answer: the parser takes any name with any arguments."""
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        if name not in Functions.FUNCTION_TABLE:
            near = get_close_matches(name, Functions.FUNCTION_TABLE, 1)
            hint = f"; did you mean {near[0]!r}" if near else ""
            raise BadExpression(f"a function that JMESPath has, not {name!r}{hint}")
        takes = Functions.FUNCTION_TABLE[name]["signature"]
        if given < len(takes) or (given > len(takes) and not takes[-1].get("variadic")):
            raise BadExpression(f"{counted(len(takes), 'argument')} of {name}(), not {given}")
    for child in node["children"]:
        _refuse_unknown_functions(child)


def refuse_strangers(given: JSON, roots: Sequence[str] = ANSWERED, *, condition: bool = False) -> None:
    """Look for what an expression that compiles could find in no view: members that no view has.

    Args:
        given: an expression of a description.
        roots: the members of the views that it looks at.
        condition: whether it is one, which may hold always.

    Raises:
        BadExpression: it begins at something else, or at nothing (a literal), or looks for a header by capitals.
    """
    told: dict[str, Any] = {"expr": given} if isinstance(given, str) else dict(given)
    if not _look_from_the_root(jmespath.compile(told["expr"]).parsed, roots) and not condition:
        stands = "" if may_be_secret(told["expr"]) else f", not {told['expr']!r}, which"
        raise BadExpression(f"an expression that looks at {_any_of(roots)}{stands or ': this'} finds the same always")


def _look_from_the_root(node: Mapping[str, Any], roots: Sequence[str]) -> bool:
    """Of a part that looks at the whole view: each of its own parts that does so, too; whether any looks at all."""
    kind, children = node["type"], node["children"]
    if kind == "field" and node["value"] not in roots:
        stands = "" if may_be_secret(node["value"]) else f", not at {node['value']!r}"
        raise BadExpression(f"an expression that begins at {_any_of(roots)}{stands}")
    if kind in _BRACKETS and children[0]["type"] == "identity":
        raise BadExpression(f"an expression that begins at {_any_of(roots)}, not with brackets")
    if kind in _ON_THE_FIRST and children[0]["type"] != "current":
        parts = children[:1]  # what follows looks at what this one found
    else:
        parts = [] if kind == "expref" else children
    looks = [_look_from_the_root(part, roots) for part in parts]
    if kind == "comparator":
        _refuse_text_as_status(*children)
    if kind == "subexpression":
        _refuse_unknown_members([part["value"] for part in takewhile(lambda one: one["type"] == "field", children)])
    return any(looks) or kind in ("field", "current")


def _refuse_unknown_members(names: Sequence[str]) -> None:
    """Of names that follow one another from the root, those that no answer has."""
    if names[:1] == ["submit"] and len(names) > 1:
        names = names[1:]
        if names[0] not in _ANSWER:
            raise BadExpression(f"{_any_of(_ANSWER)} behind submit, not {names[0]!r}")
    if names[:1] == ["headers"] and len(names) > 1 and names[1] != names[1].lower():
        raise BadExpression(f"the name of a header in lower case, {names[1].lower()}, not {names[1]}")


def _refuse_text_as_status(*sides: Mapping[str, Any]) -> None:
    """A status is a number, and a text equals none."""
    texts = [side["value"] for side in sides if side["type"] == "literal" and isinstance(side["value"], str)]
    if texts and any(side["type"] == "field" and side["value"] == "status" for side in sides):
        raise BadExpression(f"a number to compare status with, in backquotes: `429`, not {texts[0]!r}")


def _any_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _texts(found: JSON) -> Any:  # noqa: ANN401 - an iterator of texts
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        for member in found:
            yield from _texts(member)
