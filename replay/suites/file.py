"""Reads a suite file: YAML whose every mistake is told with file, line, key and what is allowed there."""

import datetime
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, get_args

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarbool import ScalarBoolean

from drift.metrics.scores import nearest, scale_of
from drift.significance.effects import EFFECTS
from drift.verdict import Level
from registry.capture.description import shipped
from registry.errors import CouldNotRun
from registry.schema import schema_text
from replay.suites.loading import LARGEST, BadSuite, load, short, written
from replay.suites.plan import Allow, Amount, Ends, MinPower, Policy, Replays, Target

FORMAT: Final = "mintmark/suite/v1"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?").fullmatch
_CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,31}").fullmatch
_SCORE: Final = re.compile(r"[a-z0-9_.]+(/[0-9]+[a-z0-9._/-]*)?").fullmatch
_ID: Final = re.compile(r"(sha256:)?[0-9a-f]{8,64}").fullmatch
_SELECTS: Final = ("labels", "workflow", "operation", "provider", "model", "manifest")
_TOP: Final = (
    "format", "name", "select", "target", "policies", "manifests", "allow_alias", "may_send_to", "budget", "allow",
)  # fmt: skip
_MOST_LOOKED_AT: Final = 1000
_OPERATIONS: Final[Sequence[str]] = json.loads(schema_text("provider/v1"))["$defs"]["operation"]["enum"]
_EFFECTS: Final = sorted({effect.name for effects in EFFECTS.values() for effect in effects})

T = TypeVar("T")


class SuiteUnreadable(CouldNotRun):
    """The file cannot be read at all."""

    exit_code = 2

    def __init__(self, path: Path, why: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"{path}: {why}; `mintmark suite new` writes a suite")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which manifests: all that fit every condition, or one by its id; ``line`` is where it stands."""

    line: int
    labels: Mapping[str, str]
    workflow: str | None = None
    operation: str | None = None
    provider: str | None = None
    model: str | None = None
    manifest: str | None = None

    def to_json(self) -> dict[str, object]:
        """What the lock's digest covers."""
        return {name: getattr(self, name) for name in _SELECTS} | {"labels": dict(self.labels)}


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite file, checked. ``policies`` are by operation, ``manifests`` by id or prefix as written."""

    path: Path
    sha256: str
    name: str
    select: Sequence[Selector]
    target: Target
    policies: Mapping[str, Policy]
    manifests: Mapping[str, Policy]
    allow_alias: bool
    may_send_to: tuple[str, ...]
    budget: Amount | None
    allow: Allow


def read_suite(path: Path) -> Suite:
    """The suite in a file.

    Raises:
        BadSuite: a mistake; it names line, key and what is allowed.
        SuiteUnreadable: there is no such file.
    """
    try:
        if path.is_dir():
            raise SuiteUnreadable(path, "it is a folder, not a suite file")
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as problem:
        raise SuiteUnreadable(path, problem.strerror or str(problem)) from None
    return parse_suite(path, data)


def parse_suite(path: Path, data: bytes) -> Suite:
    """As ``read_suite`` from bytes; ``path`` is what errors name."""
    top = _Node(path, "", 1, load(path, data))
    top.members(_TOP)
    if (form := top.get("format").value) != FORMAT:
        top.get("format").refuse(f"expected {FORMAT}, not {written(form)}")
    selectors = [_selector(one) for one in top.required("select").items()]
    if not selectors:
        top.get("select").refuse("expected at least one `- labels: {…}` or `- manifest: sha256:…`")
    return Suite(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        name=top.required("name").text(_NAME, "a name of letters, digits, . _ and -"),
        select=tuple(selectors),
        target=_target(top.get("target")),
        policies=_policies(top.get("policies"), bool, "medium.verb, such as image.generate", _known_operation),
        manifests=_policies(top.get("manifests"), _ID, "a manifest's id, or 8 digits of it and more"),
        allow_alias=top.get("allow_alias").flag(),
        may_send_to=tuple(one.text(None, "a provider's name") for one in top.get("may_send_to").items()),
        budget=_budget(top.get("budget")),
        allow=_allow(top.get("allow")),
    )


def _policies(
    node: "_Node", fits: Callable[[str], object], what: str, known: "Callable[[str, _Node], None] | None" = None
) -> dict[str, Policy]:
    entries = node.entries(fits, what)
    if known is not None:
        for key, one in entries:
            known(key, one)
    return {key: _policy(one) for key, one in entries}


def _known_operation(name: str, node: "_Node") -> None:
    if name not in _OPERATIONS:
        node.refuse(f"no such operation, medium.verb; known: {nearest(name, _OPERATIONS)}")


class _Node:
    """A value of the file with its place; every check that fails names both."""

    def __init__(self, path: Path, key: str, line: int, value: Any) -> None:  # noqa: ANN401 - whatever the file holds
        # A boolean with an anchor (&a true) is a number to the parser.
        self.path, self.key, self.line = path, key, line
        self.value: Any = bool(value) if isinstance(value, ScalarBoolean) else value

    def refuse(self, why: str) -> NoReturn:
        raise BadSuite(self.path, self.line, self.key, short(why, 500))

    def bad(self, expected: str, more: str = "") -> BadSuite:
        return BadSuite(self.path, self.line, self.key, f"expected {expected}, not {written(self.value)}{more}")

    def _below(self, key: object) -> str:
        return f"{self.key}.{key}" if self.key else str(key)

    def members(self, allowed: Sequence[str]) -> None:
        """Refuse anything but a mapping of these keys."""
        known = f"a mapping with keys among {', '.join(allowed)}"
        if not isinstance(self.value, CommentedMap):
            raise self.bad(known)
        for key in self.value:
            if key not in allowed:
                at = _key_line(self.value, key, self.line)
                why = f"no such key; known here: {', '.join(allowed)}"
                raise BadSuite(self.path, at, self._below(_named(key)), why)

    def get(self, key: str) -> "_Node":
        """A member; one of value None where it is absent or empty."""
        if not isinstance(self.value, CommentedMap) or key not in self.value:
            return _Node(self.path, self._below(key), self.line, None)
        return _Node(self.path, self._below(key), _key_line(self.value, key, self.line), self.value[key])

    def required(self, key: str) -> "_Node":
        found = self.get(key)
        if found.value is None:
            found.refuse("it is missing, and every suite has one")
        return found

    def items(self) -> "list[_Node]":
        """The members of a list; none where it is absent."""
        if self.value is None:
            return []
        if not isinstance(self.value, CommentedSeq):
            raise self.bad("a list (lines that begin with `- `)")
        places = [_item_line(self.value, n, self.line) for n in range(len(self.value))]
        return [
            _Node(self.path, f"{self.key}[{n}]", place, value)
            for n, (place, value) in enumerate(zip(places, self.value, strict=True))
        ]

    def entries(self, fits: Callable[[str], object], what: str) -> "list[tuple[str, _Node]]":
        """Keys and members of a mapping whose keys are data; none where it is absent."""
        if self.value is None:
            return []
        if not isinstance(self.value, CommentedMap):
            raise self.bad(f"a mapping from {what}")
        found = []
        for key, value in self.value.items():
            line = _key_line(self.value, key, self.line)
            if not isinstance(key, str) or not fits(key):
                why = f"expected {what}; put it in quotes if it is"
                raise BadSuite(self.path, line, self._below(_named(key)), why)
            found.append((str(key), _Node(self.path, self._below(key), line, value)))
        return found

    def text(self, fits: Callable[[str], object] | None, what: str) -> str:
        value = self.value
        if not isinstance(value, str) or not value or len(value) > 256 or (fits is not None and not fits(value)):
            unquoted = isinstance(value, bool | int | float | datetime.date)
            raise self.bad(what, "; put it in quotes" if unquoted else "")
        return str(value)

    def optional(self, fits: Callable[[str], object] | None, what: str) -> str | None:
        return None if self.value is None else self.text(fits, what)

    def flag(self) -> bool:
        if self.value is None:
            return False
        if not isinstance(self.value, bool):
            raise self.bad("true or false")
        return bool(self.value)

    def whole(self, least: int, most: int, otherwise: int) -> int:
        if self.value is None:
            return otherwise
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= most:
            raise self.bad(f"a whole number from {least} to {most:,}")
        return int(self.value)

    def number(self, what: str, fits: Callable[[float], bool] = lambda _: True) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(what)
        try:
            found = float(value)
        except OverflowError:
            raise self.bad(what) from None
        if not math.isfinite(found) or not fits(found):
            raise self.bad(what)
        return found


def _selector(node: _Node) -> Selector:
    node.members(_SELECTS)
    labels = {
        key: one.text(None, "text, such as \"true\"")
        for key, one in node.get("labels").entries(bool, "labels to their values")
    }  # fmt: skip
    found = Selector(
        line=node.line,
        labels=labels,
        manifest=node.get("manifest").optional(_ID, "a manifest's id, sha256: and 8 to 64 hexadecimal digits"),
        **{name: node.get(name).optional(None, "text") for name in _SELECTS[1:-1]},
    )
    conditions = labels or any(getattr(found, name) is not None for name in _SELECTS[1:-1])
    if (found.manifest is not None) == bool(conditions):
        raise node.bad("either `manifest: sha256:…` or conditions (labels, workflow, operation, provider, model)")
    return found


def _target(node: _Node) -> Target:
    if node.value is None:
        return Target()
    node.members(("provider", "model"))
    provider = node.get("provider").optional(None, "a provider's name")
    model = node.get("model").optional(None, "a model's exact version")
    if provider is not None:
        known = sorted({one.provider for one in shipped()})
        if provider not in known:
            node.get("provider").refuse(f"no provider of that name can be asked here; there are {', '.join(known)}")
        if model is None:
            node.get("model").refuse("it is missing: a `provider` needs one; `model` alone keeps the recorded provider")
    return Target(provider=provider, model=model)


def _policy(node: _Node) -> Policy:
    node.members(("level", "alpha", "limits", "replays", "min_power"))
    level, alpha = node.get("level"), node.get("alpha")
    levels = get_args(Level)
    if level.value is not None and level.value not in levels:
        raise level.bad(f"one of {', '.join(levels)}")
    limits = node.get("limits").entries(_SCORE, "scores, such as ssim or wer.norm")
    return Policy(
        level=level.value,
        alpha=0.01 if alpha.value is None else alpha.number("a number between 0 and 1", lambda one: 0 < one < 1),
        limits={name: _ends(name, one) for name, one in limits},
        replays=_replays(node.get("replays")),
        min_power=_min_power(node.get("min_power")),
    )


def _ends(name: str, node: _Node) -> Ends:
    scale = scale_of(name)
    if isinstance(scale, str):
        node.refuse(f"no metric has such a score; known: {scale}")
    node.members(("min", "max"))
    low, high = node.get("min"), node.get("max")
    least = None if low.value is None else low.number("a number")
    most = None if high.value is None else high.number("a number")
    if least is None and most is None:
        raise node.bad("min, max, or both")
    if least is not None and most is not None and least > most:
        node.refuse(f"min {least:g} is above max {most:g}")
    if scale.higher_is_better is True and least is None:
        node.refuse(f"{name}: higher is better, so max alone lets any change pass; use min")
    if scale.higher_is_better is False and most is None:
        node.refuse(f"{name}: lower is better, so min alone lets any change pass; use max")
    if least is not None and least > scale.greatest:
        node.refuse(f"min {least:g} is never reached: {name} is {scale.greatest:g} at most")
    if most is not None and most < scale.least:
        node.refuse(f"max {most:g} is never kept: {name} is {scale.least:g} at least")
    return Ends(min=least, max=most)


def _replays(node: _Node) -> Replays:
    if node.value is None:
        return Replays()
    node.members(("baseline", "gate", "max"))
    most = _MOST_LOOKED_AT
    found = Replays(baseline=node.get("baseline").whole(1, 60, 5), gate=node.get("gate").whole(1, most, 2),
                    max=node.get("max").whole(1, most, 20))  # fmt: skip
    if found.gate > found.max:
        node.refuse(f"gate {found.gate} is above max {found.max}")
    return found


def _min_power(node: _Node) -> MinPower | None:
    if node.value is None:
        return None
    node.members(("power", "effect", "size"))
    effect = node.get("effect")
    if effect.value not in _EFFECTS:
        raise effect.bad(f"one of {', '.join(_EFFECTS)} (and its `size`: {{power: 0.8, effect: lightness, size: 8}})")
    power = node.get("power").number("a number between 0 and 1", lambda one: 0 < one < 1)
    return MinPower(
        power=power, effect=str(effect.value), size=node.get("size").number("a number above 0", lambda one: one > 0)
    )


def _budget(node: _Node) -> Amount | None:
    if node.value is None:
        return None
    node.members(("amount", "currency"))
    amount, currency = node.get("amount"), node.get("currency")
    written = amount.value
    if isinstance(written, int | float) and not isinstance(written, bool) and math.isfinite(written):
        written = f"{Decimal(repr(float(written))):f}".removesuffix(".0")
    if not isinstance(written, str) or not _AMOUNT(written):
        raise amount.bad('an amount of money, such as "5.00"')
    return Amount(amount=written, currency=currency.text(_CURRENCY, "a currency, such as USD"))


def _allow(node: _Node) -> Allow:
    if node.value is None:
        return Allow()
    node.members(("not_replayable", "undecided"))
    most = 10**6
    return Allow(not_replayable=node.get("not_replayable").whole(0, most, 0),
                 undecided=node.get("undecided").whole(0, most, 0))  # fmt: skip


def _named(key: object) -> str:
    """A key that is not the right one, as the file has it."""
    return short(str(key), 80) if isinstance(key, str) else written(key)


def _key_line(value: CommentedMap, key: object, otherwise: int) -> int:
    try:
        return int(value.lc.key(key)[0]) + 1
    except (KeyError, TypeError, AttributeError):  # merged in from elsewhere
        return otherwise


def _item_line(value: CommentedSeq, number: int, otherwise: int) -> int:
    try:
        return int(value.lc.item(number)[0]) + 1
    except (KeyError, TypeError, AttributeError):
        return otherwise
