"""Bodies of local engines, read strictly: each member has a type and a range, and an unknown one is refused."""

import secrets
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from registry.canonical import JSON
from replay.providers.local import Refusal

SEED_LIMIT: Final = 2**64


class Body:
    """Takes members out of a request body one by one; every method raises ``Refusal`` with the member's name."""

    def __init__(self, body: Mapping[str, JSON]) -> None:
        """Remember the body and what was asked of it."""
        self._body, self._known = body, list[str]()

    def text(self, name: str, *, longest: int = 10_000) -> str:
        """A text that has to be there."""
        value = self._take(name)
        if not isinstance(value, str) or not value.strip():
            raise Refusal(f"{name}: expected a text that is not empty")
        if len(value) > longest:
            raise Refusal(f"{name}: expected at most {longest} characters, not {len(value)}")
        return value

    def whole(self, name: str, default: int, low: int, high: int, *, step: int = 1) -> int:
        """A whole number in [low, high], a multiple of ``step``."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high or value % step:
            kind = "even number" if step == 2 else "whole number"
            raise Refusal(f"{name}: expected a {kind} from {low} to {high}, not {value!r}".replace("a even", "an even"))
        return value

    def choice(self, name: str, default: JSON, allowed: Sequence[JSON]) -> JSON:
        """One of ``allowed``."""
        value = self._take(name)
        if value is None:
            return default
        # True equals 1 in Python, in JSON it does not.
        if isinstance(value, bool) or value not in allowed:
            raise Refusal(f"{name}: expected {' or '.join(str(item) for item in allowed)}, not {value!r}")
        return value

    def seed(self, name: str = "seed") -> str | None:
        """A seed: decimal digits as text, 0 to 2^64 - 1."""
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.isascii() or not value.isdigit() or int(value[:40]) >= SEED_LIMIT:
            raise Refusal(f"{name}: expected decimal digits as text, from 0 to {SEED_LIMIT - 1}, not {value!r}")
        return str(int(value))

    def end(self) -> None:
        """Refuse what was not asked for."""
        for name in self._body:
            if name not in self._known:
                near = get_close_matches(name, self._known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(self._known)}"
                raise Refusal(f"{name}: no such setting; {hint}")

    def _take(self, name: str) -> JSON:
        self._known.append(name)
        return self._body.get(name)


def draw_seed() -> str:
    """A seed nobody chose."""
    return str(secrets.randbits(64))
