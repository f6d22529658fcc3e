"""Descriptions: one provider operation as data, checked when it is loaded."""

import copy
import datetime
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from registry.canonical import JSON
from registry.capture import slots as places
from registry.capture.description_file import read_description_file
from registry.capture.errors import AmbiguousDescription, SlotMismatch, UnknownModel, UnknownOperation, UnknownSlot
from registry.capture.protocol import Protocol, protocol_of
from registry.capture.slots import Step

Pin: TypeAlias = Literal["snapshot", "hash", "build", "alias"]


@dataclass(frozen=True, slots=True)
class Caps:
    """What the provider can do: take a seed or an idempotency key, call back, name the model that served."""

    seed: bool
    idempotency: bool
    webhook: bool
    echoes_model: bool


@dataclass(frozen=True, slots=True)
class PinPattern:
    """Model names that ``pattern`` matches in full are exact versions of this kind; values of ``slot``, where given.

    Where patterns look at several places (a model that writes, another that paints), each place has to be exact.
    """

    kind: Literal["snapshot", "hash", "build"]
    pattern: re.Pattern[str]
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """The header that carries the key: ``value`` holds ``{secret}``, ``secret`` is the name it is stored under."""

    header: str
    value: str
    secret: str

    def header_of(self, key: str) -> str:
        """The header's value with a key in it."""
        return self.value.replace("{secret}", key)


@dataclass(frozen=True, slots=True)
class Description:
    """How one provider operation speaks; built by ``load``.

    ``sha256`` is the hex digest of the TOML file's bytes and decides equality. ``method`` is ``LOCAL`` for an engine
    on this machine, else an HTTP method; ``path`` is what follows it. ``base_url``, ``auth`` and ``protocol`` are None
    for a local engine, ``hosts`` is then empty. ``operations`` maps patterns of model names to operations, in order;
    ``takes`` are patterns of the model names there are. ``slot_types`` names the slots that take something else than
    text. ``redact`` lists what is never kept. ``pins`` maps an alias to its known pins, newest first. ``contract`` and
    ``data`` are service terms; a key that is missing there is unknown. ``retires`` maps patterns of models to days.
    """

    id: str
    sha256: str
    provider: str = field(compare=False)
    operations: Mapping[str, str] = field(compare=False)
    takes: tuple[str, ...] = field(compare=False)
    method: str = field(compare=False)
    path: str = field(compare=False)
    encode: Literal["json", "multipart", "bytes"] = field(compare=False)
    base_url: str | None = field(compare=False)
    hosts: tuple[str, ...] = field(compare=False)
    auth: Auth | None = field(compare=False)
    caps: Caps = field(compare=False)
    public: tuple[str, ...] = field(compare=False)
    template: Mapping[str, JSON] = field(compare=False)
    slots: Mapping[str, str] = field(compare=False)
    slot_types: Mapping[str, str] = field(compare=False)
    redact: tuple[str, ...] = field(compare=False)
    protocol: Protocol | None = field(compare=False)
    pin_patterns: tuple[PinPattern, ...] = field(compare=False)
    pins: Mapping[str, tuple[str, ...]] = field(compare=False)
    retires: Mapping[str, datetime.date] = field(compare=False)
    contract: Mapping[str, JSON] = field(compare=False)
    data: Mapping[str, JSON] = field(compare=False)

    @property
    def local(self) -> bool:
        """Whether an engine on this machine does the work."""
        return self.method == "LOCAL"

    @property
    def captured(self) -> bool:
        """Whether a call of it that passes is recorded: one that makes media at a provider. A mere check is none."""
        return not self.local and self.operation != "media.moderate"

    @property
    def operation(self) -> str:
        """What is made where the model does not tell: the operation of the last pattern."""
        return list(self.operations.values())[-1]

    def operation_of(self, model: str) -> str:
        """What ``model`` makes: the first pattern that fits decides, else the last one."""
        fitting = (made for pattern, made in self.operations.items() if fnmatchcase(model, pattern))
        return next(fitting, self.operation)

    def makes(self, operation: str | None, model: str | None = None) -> bool:
        """Whether the operation is one of this description's, with that model where one is named; None is any."""
        if operation is None:
            return True
        return operation in self.operations.values() if model is None else operation == self.operation_of(model)

    def pin(self, model: str, settings: Mapping[str, JSON] = MappingProxyType({})) -> Pin:
        """What kind of exact version ``model`` names, with its settings; ``alias`` where no pattern says so."""
        kinds = {slot: self._kind(slot, model, settings) for slot in self._pinned_by()}
        return "alias" if "alias" in kinds.values() else next(iter(kinds.values()), "alias")

    def loose(self, model: str, settings: Mapping[str, JSON] = MappingProxyType({})) -> str | None:
        """What names no exact version: ``model``, or the value of the slot that should; None where a slot is empty."""
        for slot in self._pinned_by():
            if self._kind(slot, model, settings) == "alias":
                named = model if slot is None else settings.get(slot)
                return None if named is None else str(named)
        return model

    def _pinned_by(self) -> list[str | None]:
        """The slots that say which version is asked for; None stands for the model's own name."""
        return list(dict.fromkeys(known.slot for known in self.pin_patterns))

    def _kind(self, slot: str | None, model: str, settings: Mapping[str, JSON]) -> Pin:
        named = model if slot is None else settings.get(slot)
        for known in self.pin_patterns:
            if known.slot == slot and isinstance(named, str) and known.pattern.fullmatch(named):
                return known.kind
        return "alias"

    def knows(self, model: str) -> bool:
        """Whether this file names ``model``: by a pin pattern, as an alias or pin, or with a day of retirement."""
        named = {*self.pins, *(pin for pins in self.pins.values() for pin in pins)}
        return model in named or self.retires_on(model) is not None or self._kind(None, model, {}) != "alias"

    def takes_model(self, model: str) -> bool:
        """Whether the operation takes ``model``: by its ``models``, else by the patterns of its operations."""
        return any(fnmatchcase(model, pattern) for pattern in self.takes)

    def models(self) -> list[str]:
        """The models this file names, for people: ``N`` stands for a number, ``…`` for anything else."""
        by_name = [known for known in self.pin_patterns if known.slot is None]
        patterns = [re.sub(r"\[0-9\]\+", "N", known.pattern.pattern) for known in by_name]
        shapes = [re.sub(r"\[[^]]*\](\{\d+\}|[+*])?", "…", shape).replace("\\", "") for shape in patterns]
        named = [name for alias, pins in self.pins.items() for name in (*pins, alias)]
        return list(dict.fromkeys(named or shapes))

    def is_public(self, path: str | Sequence[Step]) -> bool:
        """Whether the value at ``path`` may stand in clear.

        Args:
            path: dotted text with ``[n]`` or ``[]`` for array elements (``body.items[0].x``), or its steps
                (``["body", "items", 0, "x"]``). Steps are exact: a member name that holds a dot or a bracket
                cannot pose as another path, and as text such a name is simply not public.
        """
        if isinstance(path, str):
            try:
                path = places.parse(path)
            except SlotMismatch:
                return False
        return any(places.matches(places.parse(pattern), path) for pattern in self.public)

    def fill(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """A new body: the template with ``values`` written by slot name.

        Raises:
            UnknownSlot: a name this description does not have.
            SlotMismatch: a slot that stands outside the body, or does not fit the template.
        """
        body: dict[str, JSON] = copy.deepcopy(self.template["body"])
        for slot, value in values.items():
            body = self.write(body, slot, value)
        return body

    def write(self, body: Mapping[str, JSON], slot: str, value: JSON) -> dict[str, JSON]:
        """A new body with ``value`` in ``slot``; the given one stays as it is.

        Raises:
            UnknownSlot: a name this description does not have.
            SlotMismatch: the slot stands outside the body, or the body has no place for it.
        """
        if slot not in self.slots:
            raise UnknownSlot(self.id, slot, self.slots)
        steps = places.parse(self.slots[slot])
        if steps[0] != "body":
            why = f"slot {slot!r} is no part of the body; set it where the request is sent"
            raise SlotMismatch(self.slots[slot], why)
        written: dict[str, JSON] = places.write(body, steps[1:], value)
        return written

    def retires_on(self, model: str) -> datetime.date | None:
        """The day ``model`` is shut down: the one of its own name, else of the first pattern that fits."""
        fitting = (day for pattern, day in self.retires.items() if fnmatchcase(model, pattern))
        return self.retires.get(model) or next(fitting, None)

    def retired(self, model: str, today: datetime.date) -> datetime.date | None:
        """The day ``model`` was shut down, if that day has come by ``today``."""
        day = self.retires_on(model)
        return day if day is not None and day <= today else None


class Descriptions:
    """A set of descriptions, found by id, or by provider with model or operation."""

    def __init__(self, descriptions: Sequence[Description]) -> None:
        """Take them in; ids are unique (the loader refuses others)."""
        in_order = sorted(descriptions, key=lambda description: description.id)
        self._by_id = {description.id: description for description in in_order}

    def __iter__(self) -> Iterator[Description]:
        """In order of id."""
        return iter(self._by_id.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_id)

    def by_id(self, description_id: str) -> Description | None:
        """The description called so, or None."""
        return self._by_id.get(description_id)

    def check(self, provider: str, *, model: str, operation: str | None) -> None:
        """Let a call pass unless the provider is described and has no such operation, or no such model locally.

        Raises:
            UnknownOperation, UnknownModel: naming those there are.
        """
        described = [found for found in self if found.provider == provider]
        fitting = [found for found in described if found.makes(operation)]
        if described and not fitting and operation is not None:
            raise UnknownOperation(provider, operation, (made for d in described for made in d.operations.values()))
        bare = {name.partition("@")[0] for found in fitting for name in found.models()}
        known = model in bare or any(found.knows(model) for found in fitting)
        if fitting and all(found.local for found in fitting) and not known:
            raise UnknownModel(provider, model, (name for found in fitting for name in found.models()))

    def find(self, provider: str, *, model: str | None = None, operation: str | None = None) -> Description | None:
        """The description of a provider's operation; None where the provider has none (or not that operation).

        Where several fit, the model decides if exactly one of them names it.

        Raises:
            AmbiguousDescription: several fit and nothing decides; it lists the operations, or the descriptions of one.
        """
        fitting = [d for d in self if d.provider == provider and d.makes(operation, model)]
        if len(fitting) > 1 and model is not None:
            fitting = [d for d in fitting if d.takes_model(model)] or fitting
            fitting = [d for d in fitting if d.knows(model)] or fitting
        if len(fitting) > 1:
            made = {d.id: d.operations.values() if model is None else [d.operation_of(model)] for d in fitting}
            raise AmbiguousDescription(provider, model, operation, made)
        return fitting[0] if fitting else None


def load(path: Path) -> Description:
    """The description in the TOML file at ``path``.

    Raises:
        BadDescription: the file has a mistake; the message names file, line, key and what was expected.
    """
    file = read_description_file(path)
    content = file.content
    method, _, request_path = content["submit"]["match"].partition(" ")
    operation, slots = content["operation"], content["submit"]["slots"]
    operations = {"*": operation} if isinstance(operation, str) else operation
    return Description(
        id=content["id"],
        sha256=file.sha256,
        provider=content["provider"],
        takes=tuple(content.get("models", ("*",) if "*" in operations else operations)),
        operations=operations,
        method=method,
        path=request_path,
        encode=content["submit"].get("encode", "json"),
        base_url=content.get("base_url"),
        hosts=tuple(content.get("hosts", ())),
        auth=Auth(**content["auth"]) if "auth" in content else None,
        caps=Caps(**content["caps"]),
        public=tuple(content["public"]),
        template=content["template"],
        slots={name: slot if isinstance(slot, str) else slot["at"] for name, slot in slots.items()},
        slot_types={name: slot["type"] for name, slot in slots.items() if not isinstance(slot, str)},
        redact=tuple(content.get("redact", ())),
        protocol=None if method == "LOCAL" else protocol_of(content),
        pin_patterns=tuple(
            PinPattern(pin["kind"], re.compile(pin["pattern"]), pin.get("slot")) for pin in content["pin"]
        ),
        pins={alias: tuple(pins) for alias, pins in content.get("pins", {}).items()},
        retires={model: datetime.date.fromisoformat(day) for model, day in content.get("retires", {}).items()},
        contract=content.get("contract", {}),
        data=content.get("data", {}),
    )


@functools.cache
def shipped() -> Descriptions:
    """The descriptions that come with the product, loaded at the first call.

    Raises:
        BadDescription: one of the files has a mistake.
    """
    with resources.as_file(resources.files("registry.capture") / "descriptions") as folder:
        return Descriptions([load(path) for path in sorted(folder.glob("*.toml"))])
