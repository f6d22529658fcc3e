"""Which calls are counted together."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from registry.errors import InvalidValue, Repeated
from registry.stats.calls import Call
from registry.stats.period import Period

Key = tuple[str | None, ...]
KIND: Final = "kind"
_READ: Final[dict[str, Callable[[Call], str | None]]] = {
    "workflow": lambda call: call.workflow,
    "provider": lambda call: call.provider.name,
    "model": lambda call: call.model.requested,
    "served": lambda call: call.model.served,
    "pin": lambda call: call.model.pin,
    "operation": lambda call: call.operation,
    "account": lambda call: call.provider.account,
    "region": lambda call: call.provider.region,
    KIND: lambda call: "replay" if call.replay_of else "first",
}
_SPANS: Final = {"day": "%Y-%m-%d", "month": "%Y-%m"}
NAMES: Final = (*(name for name in _READ if name != KIND), *_SPANS, "label:KEY")


@dataclass(frozen=True, slots=True)
class Grouping:
    """Names of what is held apart, and how to read them from a call."""

    names: tuple[str, ...]
    readers: tuple[Callable[[Call], str | None], ...]

    def key(self, call: Call) -> Key:
        """The group of a call; None where it does not say."""
        return tuple(read(call) for read in self.readers)


def group_by(text: str, period: Period, *, replays: bool = False) -> Grouping:
    """Read ``workflow,model``; days and months are those of the period's zone.

    Where replays are let in, they are held apart from first generations.

    Raises:
        InvalidValue: a name nobody knows.
        Repeated: a name stands twice.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if names.count(name) > 1:
            raise Repeated("--by", name)
        if name == KIND:
            raise InvalidValue("--by", name, "something to group by; --replays tells the two kinds apart")
    if replays:
        names.append(KIND)
    return Grouping(tuple(names), tuple(_reader(name, period) for name in names))


def _reader(name: str, period: Period) -> Callable[[Call], str | None]:
    if name in _READ:
        return _READ[name]
    if name in _SPANS:
        form = _SPANS[name]
        return lambda call: period.local(call.at).strftime(form)
    label = name.removeprefix("label:")
    if name.startswith("label:") and label:
        return lambda call: _text(call.labels.get(label))
    near = get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]!r}" if near else f"known are {', '.join(NAMES)}"
    raise InvalidValue("--by", name, f"something to group by; {hint}")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) or value is None else "[sealed]"


def in_order(key: Key) -> tuple[tuple[bool, str], ...]:
    """A key to sort groups by: by name, those without one last."""
    return tuple((part is None, part or "") for part in key)
