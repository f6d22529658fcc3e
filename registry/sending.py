"""What may be sent to providers, and how fast, as TOML states it: rates, and who may see the prompts of another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from registry.errors import InvalidValue

KEYS: Final = ("rate", "may_send_to")
_EXAMPLE: Final = '[rate."openai"] with limit = 50 and per_seconds = 60'


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` requests in any ``per_ms`` milliseconds."""

    limit: int
    per_ms: int


@dataclass(frozen=True, slots=True)
class SendingRules:
    """The rate of each provider that has one; providers that may be sent prompts recorded with another one."""

    rates: Mapping[str, Rate] = field(default_factory=dict)
    may_send_to: tuple[str, ...] = ()


def read_sending(path: Path, content: Mapping[str, Any]) -> SendingRules:
    """The tables ``rate`` and the list ``may_send_to`` of a settings file.

    Raises:
        InvalidValue: an unknown key or a value it cannot have; it names file and key.
    """
    rates, allowed = content.get("rate", {}), content.get("may_send_to", [])
    if not isinstance(rates, dict):
        raise InvalidValue(f"{path}, rate", rates, f"a table for each provider, such as {_EXAMPLE}")
    if not isinstance(allowed, list) or not all(isinstance(name, str) and name for name in allowed):
        raise InvalidValue(f"{path}, may_send_to", allowed, 'a list of providers, such as ["openai"]')
    return SendingRules({name: _rate(path, name, table) for name, table in rates.items()}, tuple(allowed))


def _rate(path: Path, provider: str, table: object) -> Rate:
    where = f'{path}, rate."{provider}"'
    if not isinstance(table, dict) or set(table) != {"limit", "per_seconds"}:
        raise InvalidValue(where, table, f"a table with limit and per_seconds, such as {_EXAMPLE}")
    limit, seconds = table["limit"], table["per_seconds"]
    if type(limit) is not int or not 1 <= limit <= 1_000_000:
        raise InvalidValue(f"{where}.limit", limit, "a whole number from 1 to 1,000,000")
    if type(seconds) not in (int, float) or not 0.001 <= seconds <= 86_400:
        raise InvalidValue(f"{where}.per_seconds", seconds, "a number of seconds from 0.001 to 86,400")
    return Rate(limit, round(seconds * 1000))
