"""What the shipped descriptions say of each provider, and which providers can only be recorded."""

import functools
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Final

from registry.canonical import JSON
from registry.capture.description import Description, Descriptions
from registry.capture.errors import UnknownProvider

UNKNOWN: Final = "unknown"

_CONTRACT: Final = ("availability", "support", "source")
_DATA: Final = ("retention_days", "trains_on_inputs", "regions", "source")
_LICENSE: Final = ("id", "commercial_use", "source")
_WORDS: Final = (
    ("SDK", r"\bsdk\b|-sdk\b|\bclient\b"),
    ("schema", r"\bschema\b"),
    ("recorded traffic", r"recorded traffic"),
)


@dataclass(frozen=True, slots=True)
class WithoutApi:
    """A provider that no description can speak for: what it makes, why, and what can be done with its files."""

    provider: str
    makes: str
    why: str
    instead: str


RECORD_ONLY: Final = {
    "udio": WithoutApi(
        "udio",
        "music.generate",
        "Udio has no public API; what others sell under its name is not Udio's",
        "mintmark record FILE --provider udio --model NAME --operation music.generate\n"
        "a replay of it answers not-replayable, unsupported",
    )
}
"""Providers of which there is no description, by name."""


def provider_names(descriptions: Descriptions) -> list[str]:
    """Every provider there is something to say of, sorted."""
    return sorted({one.provider for one in descriptions} | set(RECORD_ONLY))


@functools.cache
def checked_by(description_id: str) -> tuple[str, ...]:
    """What holds a shipped description against the provider, as the comment at its head says.

    Returns:
        ``SDK``, ``schema``, ``recorded traffic``; ``published documents`` where nothing else does; nothing where the
        comment does not say.
    """
    file = resources.files("registry.capture") / "descriptions" / f"{description_id}.toml"
    head = re.match(r"(#.*\n)*", file.read_text("utf-8"))
    comment = " ".join(line.lstrip("# ") for line in (head[0] if head else "").splitlines())
    said = re.search(r"\bChecked (with|against) .*", comment)
    if said:
        return tuple(word for word, pattern in _WORDS if re.search(pattern, said[0], re.IGNORECASE))
    return ("published documents",) if re.search(r"\bFrom published doc", comment) else ()


def told_of(descriptions: Descriptions, name: str) -> dict[str, JSON]:
    """Everything that is known of a provider, or of the one operation whose id it is, as JSON.

    What is not known is ``unknown``.

    Raises:
        UnknownProvider: nothing is known of what is called so; it names the providers there are.
    """
    alone_asked = descriptions.by_id(name)
    provider = alone_asked.provider if alone_asked else name
    found = [alone_asked] if alone_asked else [one for one in descriptions if one.provider == provider]
    alone = RECORD_ONLY.get(provider)
    if not found and alone is None:
        raise UnknownProvider(provider, provider_names(descriptions))
    without = {"makes": alone.makes, "why": alone.why, "instead": alone.instead} if alone else None
    return {"provider": provider, "without_api": without, "operations": [_told(one) for one in found]}


def _told(one: Description) -> dict[str, JSON]:
    protocol = one.protocol
    webhook = protocol.webhook if protocol else None
    return {
        "description": one.id,
        "sha256": one.sha256,
        "checked_by": list(checked_by(one.id)),
        "makes": dict(one.operations),
        "models": list(one.takes),
        "request": None if one.local else {"method": one.method, "path": one.path, "encode": one.encode},
        "base_url": one.base_url,
        "hosts": list(one.hosts),
        "key": one.auth.secret if one.auth else None,
        "pin": [
            {"kind": known.kind, "pattern": known.pattern.pattern, "slot": known.slot} for known in one.pin_patterns
        ],
        "pins": {alias: list(pins) for alias, pins in one.pins.items()},
        "caps": asdict(one.caps),
        "slots": dict(one.slots),
        "inputs": {role: {"at": place.at, "as": place.form} for role, place in protocol.inputs.items()}
        if protocol
        else {},
        "outputs": protocol.outputs.kind if protocol else "file",
        "polled": bool(protocol and protocol.poll),
        "webhook": {"scheme": webhook.scheme, "secret": webhook.secret, "header": webhook.header, "keys": webhook.keys}
        if webhook
        else None,
        "redact": list(one.redact),
        "retires": {model: day.isoformat() for model, day in one.retires.items()},
        "license": _known(protocol.license if protocol else {}, _LICENSE),
        "contract": _known(one.contract, _CONTRACT),
        "data": _known(one.data, _DATA),
    }


def _known(table: Mapping[str, JSON], names: tuple[str, ...]) -> dict[str, JSON]:
    return {name: table.get(name, UNKNOWN) for name in names}
