"""What may be sent to providers, how fast and where else, as TOML states it: rates, permissions, fallbacks, looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from registry.errors import InvalidValue

KEYS: Final = ("rate", "may_send_to", "fallback", "moderate")
EVERY: Final = "*"
"""Where the name of a workflow stands: every one."""

_MODERATORS: Final = ("openai",)
_EXAMPLE: Final = '[rate."openai"] with limit = 50 and per_seconds = 60'


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` requests in any ``per_ms`` milliseconds."""

    limit: int
    per_ms: int


@dataclass(frozen=True, slots=True)
class SendingRules:
    """The rate of each provider that has one; providers that may be sent prompts recorded with another one.

    ``fallback`` are provider and model that are asked in turn where a call fails, ``moderate`` who looks at a prompt
    before it is sent; both by workflow.
    """

    rates: Mapping[str, Rate] = field(default_factory=dict)
    may_send_to: tuple[str, ...] = ()
    fallback: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    moderate: Mapping[str, str] = field(default_factory=dict)

    def fallback_of(self, workflow: str | None) -> tuple[tuple[str, str], ...]:
        """Provider and model to ask in turn for this workflow."""
        return self.fallback.get(workflow or EVERY, self.fallback.get(EVERY, ()))

    def moderator_of(self, workflow: str | None) -> str | None:
        """Who looks at the prompts of this workflow; None where nobody does."""
        return self.moderate.get(workflow or EVERY, self.moderate.get(EVERY))


def read_sending(path: Path, content: Mapping[str, Any]) -> SendingRules:
    """The tables ``rate``, ``fallback``, ``moderate`` and the list ``may_send_to`` of a settings file.

    Raises:
        InvalidValue: an unknown key or a value it cannot have; it names file and key.
    """
    rates, allowed = content.get("rate", {}), content.get("may_send_to", [])
    if not isinstance(rates, dict):
        raise InvalidValue(f"{path}, rate", rates, f"a table for each provider, such as {_EXAMPLE}")
    if not isinstance(allowed, list) or not all(isinstance(name, str) and name for name in allowed):
        raise InvalidValue(f"{path}, may_send_to", allowed, 'a list of providers, such as ["openai"]')
    return SendingRules(
        {name: _rate(path, name, table) for name, table in rates.items()},
        tuple(allowed),
        _fallbacks(path, content.get("fallback", {})),
        _moderators(path, content.get("moderate", {})),
    )


def read_route(where: str, text: object) -> tuple[str, str]:
    """Provider and model in ``bfl:flux-2-pro``; the model may hold colons of its own.

    Raises:
        InvalidValue: one of them is missing.
    """
    provider, _, model = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not provider or not model or provider != provider.strip() or model != model.strip():
        raise InvalidValue(where, text, "provider:model, such as bfl:flux-2-pro")
    return provider, model


def _fallbacks(path: Path, tables: object) -> dict[str, tuple[tuple[str, str], ...]]:
    example = '[fallback] with "storefront-hero" = ["bfl:flux-2-pro"]'
    if not isinstance(tables, dict):
        raise InvalidValue(f"{path}, fallback", tables, f"a table of workflows, such as {example}")
    found = {}
    for workflow, routes in tables.items():
        where = f'{path}, fallback."{workflow}"'
        if not isinstance(routes, list):
            raise InvalidValue(where, routes, f"a list, such as {example}")
        found[workflow] = tuple(read_route(where, route) for route in routes)
    return found


def _moderators(path: Path, table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        raise InvalidValue(f"{path}, moderate", table, 'a table of workflows, such as [moderate] with "*" = "openai"')
    for workflow, name in table.items():
        if name not in _MODERATORS:
            raise InvalidValue(f'{path}, moderate."{workflow}"', name, f"who can look: {', '.join(_MODERATORS)}")
    return dict(table)


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
