"""What a probed file is: its kind, its media type and the facts a manifest records."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["image", "video", "audio", "transcript"]
Fact = int | str | bool | None


@dataclass(frozen=True, slots=True)
class Media:
    """One medium as its bytes show it.

    ``media_type`` is decided by content, never by a file's name. ``facts`` has exactly the members its kind has in
    the manifest format (``kind`` first); what a format cannot tell is None. Durations are integer milliseconds, rates
    are rational strings.
    """

    kind: Kind
    media_type: str
    facts: Mapping[str, Fact]

    def __post_init__(self) -> None:
        """Freeze the facts."""
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))
