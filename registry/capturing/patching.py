"""One replaced method of a class, and how to put the old one back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ClientConnectorError", "InvalidURL",
          "MissingSchema", "NewConnectionError", "NameResolutionError")  # fmt: skip
"""Exceptions of the clients that mean: there was no connection, so nothing was sent."""


@dataclass(slots=True)
class Patch:
    """``owner.name`` becomes what ``make`` builds around the present method."""

    owner: type
    name: str
    make: Callable[[Callable[..., Any]], Callable[..., Any]]
    _before: Any = field(default=None, repr=False)
    _after: Any = field(default=None, repr=False)

    def apply(self) -> None:
        """Replace the method.

        Raises:
            AttributeError: the class has no such method.
        """
        self._before = getattr(self.owner, self.name)
        self._after = self.make(self._before)
        setattr(self.owner, self.name, self._after)

    def revert(self) -> None:
        """Put the old one back, unless somebody else has patched over ours: then ours stays, and does nothing."""
        if getattr(self.owner, self.name) is self._after:
            setattr(self.owner, self.name, self._before)
