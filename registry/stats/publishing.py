"""What descriptions and price tables tell of providers that scorecards use."""

from collections.abc import Iterable

from registry.capture.description import Descriptions
from registry.home import Registry
from registry.retiring import retirements
from registry.stats.evidence import Published


def published_of(
    registry: Registry, descriptions: Descriptions, providers: Iterable[str | None]
) -> dict[str, Published]:
    """What is known of each provider without calling it; of several promises the lowest counts."""
    leaving = retirements(registry, descriptions)
    found = {}
    for name in {provider for provider in providers if provider is not None}:
        own = [one for one in descriptions if one.provider == name]
        promised = [str(one.contract["availability"]) for one in own if "availability" in one.contract]
        days = {one.model: one.day for one in leaving if one.provider == name}
        found[name] = Published(days, bool(own or days), min(promised, key=float, default=None))
    return found
