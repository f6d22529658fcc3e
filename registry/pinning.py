"""Holds a registry to exact versions: where ``require_pin`` is set, an alias is refused."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from registry.canonical import JSON
from registry.capture.description import Description
from registry.errors import Refused
from registry.settings import FILE, Settings


class PinRequired(Refused):
    """An alias where this registry wants an exact version."""

    def __init__(self, model: str | None, pins: tuple[str, ...], slots: Iterable[str] = ()) -> None:
        """Name the pins known for it, newest first; None where a setting in ``slots`` should name it and does not."""
        known = f"known pins of it: {', '.join(pins)}" if pins else "no pin of it is known here; ask its provider"
        what = f"{model!r} is an alias and may mean another model tomorrow"
        if model is None:
            what, known = "no exact version is named", f"say it with --setting {' and '.join(slots)}"
        super().__init__(f"{what}, and require_pin is set ({FILE} or MINTMARK_REQUIRE_PIN); {known}; nothing was run")


def check_pin(
    settings: Settings, description: Description, model: str, asked: Mapping[str, JSON] = MappingProxyType({})
) -> None:
    """Let a model's name pass where it is an exact version, with the settings asked for, or where none is required.

    Raises:
        PinRequired: it is an alias, and ``require_pin`` is set.
    """
    if settings.require_pin and description.pin(model, asked) == "alias":
        loose = description.loose(model, asked)
        slots = (f"{known.slot}=…" for known in description.pin_patterns if known.slot is not None)
        raise PinRequired(loose, description.pins.get(str(loose), ()), slots)
