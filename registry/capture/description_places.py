"""What a description's places in the request owe to each other: slots, template, inputs, what is public or redacted."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from registry.capture import slots as places
from registry.capture.description_form import Mistake
from registry.capture.slots import Step

_HOLE: Final = re.compile(r"\{(\w+)\}")
_FORMS: Final = {"json": ("base64", "data-url", "upload"), "multipart": ("file", "upload"), "bytes": ("bytes",)}
"""In which forms a file can go with a request, by what is sent."""
_ANSWERED: Final = (("submit", "job"), ("poll", "url"), ("poll", "state"), ("output", "result"), ("output", "expr"))
"""Expressions that a call cannot do without."""


def mistakes_of_places(content: dict[str, Any]) -> Iterator[Mistake]:
    """Where places that the content of a description names get in each other's way; in no order."""
    slots = {name: slot if isinstance(slot, str) else slot["at"] for name, slot in content["submit"]["slots"].items()}
    yield from _holes(content, slots)
    yield from _named_slots(content, slots)
    yield from _one_place_each(slots)
    yield from _room_in_template(content, slots)
    yield from _forms_of_files(content, slots)
    yield from _words_in_clear(content, slots)
    yield from _redacted(content, slots)


def _holes(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """Slots of the path and its holes."""
    in_path = {at.partition(".")[2] for at in slots.values() if at.startswith("path.")}
    holes = set(_HOLE.findall(content["submit"]["match"]))
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


def _named_slots(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """Slots that other tables name."""
    known = f"expected the name of a slot: {', '.join(sorted(slots))}"
    for number, pin in enumerate(content["pin"]):
        if pin.get("slot", "model") not in slots:
            yield ["pin", str(number), "slot"], known
    if content["submit"].get("count", "model") not in slots:
        yield ["submit", "count"], known


def _one_place_each(slots: dict[str, str]) -> Iterator[Mistake]:
    taken: dict[tuple[Step, ...], str] = {}
    for name, at in slots.items():
        first = taken.setdefault(places.parse(at), name)
        if first != name:
            yield ["submit", "slots", name], f"expected a place of its own: at {at} stands {first}"


def _room_in_template(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """Whether the template lets everything be written where it goes; elements of lists it has to have itself."""
    written = [(f"submit.slots.{name}", at) for name, at in slots.items()]
    encode = content["submit"].get("encode", "json")
    files = content.get("inputs", {}) if encode == "json" else {}
    written += [(f"inputs.{role}", given["at"].removesuffix("[]")) for role, given in files.items()]
    for name, at in written:
        steps = places.parse(at)
        if steps[0] == "body" and places.EVERY not in steps and encode != "bytes":
            stop = _stopped(content["template"]["body"], steps[1:])
            if stop is not None:
                done, wanted = stop
                key = ["template", "body", *map(str, done)]
                yield key, f"expected {wanted} there, as {name} writes {at}"


def _stopped(body: Any, steps: Sequence[Step]) -> tuple[Sequence[Step], str] | None:  # noqa: ANN401 - any JSON
    """The steps up to what is neither table nor list enough to go on from, and what it should be; None if all is."""
    here = body
    for number, step in enumerate(steps):
        if isinstance(step, int):
            if not isinstance(here, list) or step >= len(here):
                return steps[:number], f"a list with element {step}"
            here = here[step]
        elif here is not None and not isinstance(here, dict):
            return steps[:number], "a table"
        else:
            here = (here or {}).get(step)
    return None


def _forms_of_files(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """Files in a form that goes with what is sent, and nothing beside a file that is the whole body."""
    if "base_url" not in content:
        return
    encode, inputs = content["submit"].get("encode", "json"), content.get("inputs", {})
    forms = _FORMS[encode]
    for role, given in inputs.items():
        if given["as"] not in forms:
            told = " or ".join(f'"{form}"' for form in forms)
            yield ["inputs", role, "as"], f'expected {told}, as submit.encode is "{encode}", not "{given["as"]}"'
        elif given["at"] == "body" and encode != "bytes":
            yield ["inputs", role, "at"], "expected a place in the body, such as body.image: a file is not all of it"
    if any(given["as"] == "upload" for given in inputs.values()) and "upload" not in content:
        yield ["inputs"], "expected a table [upload], as an input is sent ahead"
    if encode != "bytes":
        return
    if not inputs:
        yield ["submit", "encode"], 'expected an input with as = "bytes", the file that is the whole body'
    for name, at in slots.items():
        if at.startswith("body."):
            yield ["submit", "slots", name], "expected a place in query or path, as a file is the whole body"


def _words_in_clear(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """What nobody may declare public: the places of prompts."""
    for name in set(slots) & set(places.WORDS):
        at = places.parse(slots[name])
        for number, pattern in enumerate(content["public"]):
            if places.matches(places.parse(pattern), at):
                yield ["public", str(number)], f"expected no place of {name}: what is public is never sealed"


def _redacted(content: dict[str, Any], slots: dict[str, str]) -> Iterator[Mistake]:
    """What a call cannot do without, and would never be kept."""
    needed = {f"submit.slots.{name}": at for name, at in slots.items()}
    needed |= {f"inputs.{role}": given["at"] for role, given in content.get("inputs", {}).items()}
    read = {f"{table}.{key}": text for table, key in _ANSWERED if (text := content.get(table, {}).get(key))}
    for number, pattern in enumerate(content.get("redact", ())):
        where, _, rest = pattern.partition(".")
        steps, member = places.parse(pattern), re.compile(rf"(?<![\w.])(submit\.)?body\.{re.escape(rest)}(?![\w-])")
        if where == "response":
            lost, why = [name for name, text in read.items() if member.search(text)], "what came of a call"
        else:
            lost, why = [name for name, at in needed.items() if _covers(steps, places.parse(at))], "the request"
        if lost:
            yield ["redact", str(number)], f"expected no place of {lost[0]}: {why} would be kept without it"


def _covers(pattern: Sequence[Step], place: Sequence[Step]) -> bool:
    """Whether a pattern names a place, or what it lies in."""
    return places.matches(pattern, place[: len(pattern)])
