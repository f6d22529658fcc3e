"""Holds a registry to exact versions: where ``require_pin`` is set, an alias is refused."""

from collections.abc import Mapping
from types import MappingProxyType

from registry.canonical import JSON
from registry.capture.description import Description
from registry.errors import Refused
from registry.settings import FILE, Settings


class PinRequired(Refused):
    """An alias where this registry wants an exact version."""

    def __init__(self, model: str, pins: tuple[str, ...]) -> None:
        """Name the pins known for it, newest first."""
        known = f"known pins of it: {', '.join(pins)}" if pins else "no pin of it is known here; ask its provider"
        super().__init__(
            f"{model!r} is an alias and may mean another model tomorrow, and require_pin is set ({FILE} or "
            f"MINTMARK_REQUIRE_PIN); {known}; nothing was run"
        )


def check_pin(
    settings: Settings, description: Description, model: str, asked: Mapping[str, JSON] = MappingProxyType({})
) -> None:
    """Let a model's name pass where it is an exact version, with the settings asked for, or where none is required.

    Raises:
        PinRequired: it is an alias, and ``require_pin`` is set.
    """
    if settings.require_pin and description.pin(model, asked) == "alias":
        raise PinRequired(model, description.pins.get(model, ()))
