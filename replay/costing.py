"""What a call may cost at most, by the price tables in force; None where they do not say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from drift.errors import MediaRefused
from drift.media.probe import probe
from registry.capture.description import Description
from registry.capture.request import read_slot
from registry.drafting import Draft
from registry.home import Registry
from registry.journal.budgets import amount_text, nanos_of
from registry.manifest import Cost
from registry.prices.store import price_for, units_of
from replay.preparing import Ready

FREE = "USD"
"""The currency of what costs nothing."""

_UNITS = {"seconds": "seconds", "duration": "seconds"}  # slots that say how much is asked for


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in billionths of its currency, rounded up; ``source`` says where the price is from: ``by …``."""

    nanos: int
    currency: str
    source: str = ""

    def __str__(self) -> str:
        """As people write it: ``0.04 USD``."""
        return f"{amount_text(self.nanos)} {self.currency}"


def is_free(description: Description) -> bool:
    """Whether nobody is billed: an engine on this machine, or a server that takes no key."""
    return description.local or description.auth is None


def worst_case(registry: Registry, ready: Ready) -> Money | None:
    """What replaying a manifest once may cost; None where no price is known.

    It is the larger of what the recorded call cost, every output that was asked for counted, and what the tables in
    force say of it today. A provider may charge more than its price list says; that is settled as it comes.
    """
    if is_free(ready.description):
        return Money(0, FREE, "it runs on a machine of yours")
    manifest = ready.manifest
    missing = Decimal(manifest.outputs_requested) / max(1, len(manifest.outputs))
    model = ready.draft.model.requested
    found = []
    same = ready.description.provider == manifest.provider.name
    recorded = same and model == manifest.model.requested
    if recorded and (cost := manifest.cost).amount is not None and cost.currency is not None:
        said = "as the provider charged" if cost.kind == "reported" else "by the price table in force"
        found.append(_money(Decimal(cost.amount) * missing, cost.currency, f"{said} when it was recorded"))
    value = manifest.to_json() | {"prompt": {"submitted": ready.draft.prompt.submitted}}
    if not same:  # what another provider counted says nothing here
        value["cost"] = value["cost"] | {"units": {}}
    units = {name: math.ceil(count * missing) for name, count in units_of(value).items()}
    if now := _priced(registry, ready.description.provider, model, units, manifest.settings):
        found.append(now)
    found = [one for one in found if one.currency == found[-1].currency]
    return max(found, key=lambda one: one.nanos, default=None)


def worst_case_of(
    registry: Registry, draft: Draft, description: Description, inputs: Sequence[tuple[str, Path]]
) -> Money | None:
    """What making a draft's request once may cost; None where no price is known."""
    if is_free(description):
        return Money(0, FREE, "it runs on a machine of yours")
    request = draft.request
    asked = {slot: read_slot(description, request, slot) for slot in description.slots} if request else {}
    count = description.protocol.count if description.protocol else None
    wanted = _whole(asked.get(count)) if count else None
    units = {"images": wanted or 1, "input_images": 0, "input_milliseconds": 0}
    for slot, unit in _UNITS.items():
        if (number := _whole(asked.get(slot))) is not None:
            units[unit] = number
    if isinstance(draft.prompt.submitted, str):
        units["characters"] = len(draft.prompt.submitted)
    for _, path in inputs:
        _add_input(units, path, registry)
    units = {name: number for name, number in units.items() if number}
    return _priced(registry, description.provider, draft.model.requested, units, asked)


def _add_input(units: dict[str, int], path: Path, registry: Registry) -> None:
    try:
        media = probe(path, limits=registry.settings.limits, name=path.name)
    except MediaRefused:
        return
    if media.kind == "image":
        units["input_images"] += 1
    elif lasting := media.facts.get("duration_ms"):
        units["input_milliseconds"] += int(str(lasting))


def _priced(
    registry: Registry, provider: str, model: str, units: Mapping[str, int], settings: Mapping[str, object]
) -> Money | None:
    cost: Cost = price_for(registry, provider, model, units, settings=settings)
    if cost.amount is None or cost.currency is None or cost.price_table is None:
        return None
    return _money(Decimal(cost.amount), cost.currency, f"by the price table of {cost.price_table.effective_from}")


def _money(amount: Decimal, currency: str, source: str) -> Money:
    return Money(nanos_of(amount), currency, source)


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
