"""Slots: dotted paths that point into a request, to read one value or to write it.

Grammar: names joined by dots, each followed by any number of ``[]`` (every element) or ``[n]`` (one element):
``body.size``, ``body.contents[].parts[].text``, ``body.input[0].image``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from registry.canonical import JSON
from registry.capture.errors import SlotMismatch

Step: TypeAlias = str | int

WORDS: Final = ("prompt", "negative_prompt", "text", "instructions", "keyterm")
"""Slots that hold words for the model: never public, sealed in every manifest, erased together."""

EVERY: Final = "[]"
"""The step that stands for every element of an array; no name can equal it, names hold no brackets."""

_NAME: Final = re.compile(r"(?P<name>[^.\[\]\s]+)(?P<indexes>(?:\[\d*\])*)")
_INDEX: Final = re.compile(r"\[(\d*)\]")


def parse(path: str) -> tuple[Step, ...]:
    """Split a dotted path into its steps: names, element numbers, ``EVERY``.

    Raises:
        SlotMismatch: the text does not follow the grammar above.
    """
    steps: list[Step] = []
    for part in path.split("."):
        match = _NAME.fullmatch(part)
        if match is None:
            raise SlotMismatch(path, f"{part!r} is not a name; write names joined by dots, as in body.items[].text")
        steps.append(match["name"])
        steps.extend(int(number) if number else EVERY for number in _INDEX.findall(match["indexes"]))
    return tuple(steps)


def matches(pattern: Sequence[Step], place: Sequence[Step]) -> bool:
    """Whether ``place`` (concrete, or with ``EVERY``) is one of the places ``pattern`` names."""
    return len(pattern) == len(place) and all(
        wanted == step or (wanted == EVERY and isinstance(step, int))
        for wanted, step in zip(pattern, place, strict=True)
    )


def read(document: JSON, steps: Sequence[Step]) -> JSON:
    """The value at ``steps``; None where there is none.

    With ``EVERY`` among the steps the answer is a list of the values found, in order, or None if there is none.
    """
    found = list(_values(document, steps))
    if EVERY in steps:
        return found or None
    return found[0] if found else None


def write(document: JSON, steps: Sequence[Step], value: JSON) -> JSON:
    """A copy of ``document`` with ``value`` at ``steps``; objects on the way are made where missing.

    With ``EVERY`` among the steps, ``value`` is a list with one entry for each place that ``read`` found, so that
    writing what was read changes nothing.

    Raises:
        SlotMismatch: the way leads through something that is no object or array, or the count of values is wrong.
    """
    if EVERY not in steps:
        return _put(document, steps, iter([value]), _text(steps))
    expected = len(list(_values(document, steps)))
    if not isinstance(value, list) or len(value) != expected:
        raise SlotMismatch(_text(steps), f"this path names {expected} places; give a list of {expected} values")
    return _put(document, steps, iter(value), _text(steps))


def drop(document: JSON, steps: Sequence[Step]) -> JSON:
    """A copy of ``document`` without the members at ``steps``; unchanged where there are none."""
    if not steps:
        return document
    step, rest = steps[0], steps[1:]
    if isinstance(document, list):
        if step != EVERY and not isinstance(step, int):
            return document
        chosen = [step == EVERY or number == step for number in range(len(document))]
        if not rest:
            return [element for element, hit in zip(document, chosen, strict=True) if not hit]
        return [drop(element, rest) if hit else element for element, hit in zip(document, chosen, strict=True)]
    if isinstance(document, Mapping) and step in document:
        kept = {name: member for name, member in document.items() if name != step or rest}
        return {name: drop(member, rest) if name == step else member for name, member in kept.items()}
    return document


def _values(document: JSON, steps: Sequence[Step]) -> Iterator[JSON]:
    if not steps:
        yield document
        return
    step, rest = steps[0], steps[1:]
    if step == EVERY and isinstance(document, list):
        for element in document:
            yield from _values(element, rest)
    elif isinstance(step, int):
        if isinstance(document, list) and step < len(document):
            yield from _values(document[step], rest)
    elif isinstance(document, Mapping) and step in document:
        yield from _values(document[step], rest)


def _put(document: JSON, steps: Sequence[Step], values: Iterator[JSON], path: str) -> JSON:
    if not steps:
        return next(values)
    step, rest = steps[0], steps[1:]
    if step == EVERY and isinstance(document, list):
        # Only places that hold the rest of the way are written: they are the ones read() counted.
        return [_put(e, rest, values, path) if any(True for _ in _values(e, rest)) else e for e in document]
    if isinstance(step, int) and isinstance(document, list) and step < len(document):
        return [_put(e, rest, values, path) if number == step else e for number, e in enumerate(document)]
    if isinstance(step, str) and step != EVERY and (document is None or isinstance(document, Mapping)):
        members = dict(document or {})
        members[step] = _put(members.get(step), rest, values, path)
        return members
    if step == EVERY:  # nothing to write into: read() found no place here either
        return document
    raise SlotMismatch(path, f"the body has no place for step {step!r}; check the body against the description")


def _text(steps: Sequence[Step]) -> str:
    names = (f"[{step}]" if isinstance(step, int) else step if step == EVERY else f".{step}" for step in steps)
    return "".join(names).removeprefix(".")
