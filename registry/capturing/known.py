"""Which providers are captured, where they are reached, and whose request one is."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from registry.capture.description import Description, shipped
from registry.capture.exchange import is_submit
from registry.capture.hosts import NoAddress, host_allowed, place_by
from registry.capture.hosts import Place as Address
from registry.errors import InvalidValue

_HOSTS: Final = 4096  # names of hosts that are remembered, not to be looked up for every request


@dataclass(frozen=True, slots=True)
class Place(Address):
    """A provider's address, the hosts that may receive its key, and the operations that are described."""

    provider: str
    descriptions: tuple[Description, ...]

    def reached_by(self, url: str) -> bool:
        """Whether ``url`` lies at this provider."""
        parts = urlsplit(url)
        own = urlsplit(self.base_url)
        return host_allowed(parts.netloc, self.hosts) and parts.path.startswith(own.path.rstrip("/") + "/")

    def description_of(self, method: str, url: str) -> Description | None:
        """The operation that a request starts; None for any other request."""
        for found in self.descriptions:
            if is_submit(found, method, url, base_url=self.base_url):
                return found
        return None

    def descriptions_of(self, method: str, url: str) -> list[Description]:
        """Every operation that a request may start: its content decides between them."""
        return [found for found in self.descriptions if is_submit(found, method, url, base_url=self.base_url)]


class Known:
    """Every provider with a described remote operation that makes media."""

    def __init__(
        self, descriptions: Iterable[Description] | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        """Take descriptions (the shipped ones where left out), and addresses from ``MINTMARK_BASE_URL_<PROVIDER>``.

        Raises:
            InvalidValue: such a variable holds no address.
        """
        by_provider: dict[str, list[Description]] = {}
        for description in shipped() if descriptions is None else descriptions:
            if description.captured:
                by_provider.setdefault(description.provider, []).append(description)
        self.places = {name: _place(name, found, environment) for name, found in by_provider.items()}
        self._at: dict[str, tuple[Place, ...]] = {}
        self._operations: dict[tuple[str, str, str], list[Description]] = {}

    def operations(self, place: Place, method: str, url: str) -> list[Description]:
        """What a request may start, remembered: programs ask at a few addresses again and again."""
        key = place.provider, method, url.partition("?")[0]
        found = self._operations.get(key)
        if found is None:
            found = place.descriptions_of(method, url)
            if len(self._operations) < _HOSTS:
                self._operations[key] = found
        return found

    def place_of(self, url: str) -> Place | None:
        """The provider that ``url`` lies at; None for everybody else's."""
        netloc = url.split("/", 3)[2] if url.count("/") > 1 else ""
        known = self._at.get(netloc)
        if known is None:
            known = tuple(place for place in self.places.values() if host_allowed(netloc, place.hosts))
            if len(self._at) < _HOSTS:
                self._at[netloc] = known
        return next((place for place in known if place.reached_by(url)), None) if known else None


def _place(provider: str, found: list[Description], environment: Mapping[str, str]) -> Place:
    hosts = [host for description in found for host in description.hosts]
    try:
        address = place_by(provider, str(found[0].base_url), hosts, environment)
    except NoAddress as problem:
        wanted = "an address; write https://host or https://host:port/path"
        raise InvalidValue(problem.variable, problem.shown, wanted) from None
    return Place(address.base_url, address.hosts, provider, tuple(found))
