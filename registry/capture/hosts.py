"""Where a provider is reached, and which hosts may receive its key."""

import functools
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_EMBEDDING: Final = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # translated, RFC 6052
    (ipaddress.IPv6Network("::/96"), 0),  # compatible, RFC 4291, 2.5.5.1
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)
"""Networks whose addresses hold one of IPv4, and how many bits stand behind it."""


class NoAddress(ValueError):
    """A variable ``MINTMARK_BASE_URL_…`` that holds no address; ``shown`` is what of it may be told."""

    def __init__(self, variable: str, shown: str) -> None:
        """Keep both."""
        super().__init__(f"{variable}={shown}")
        self.variable, self.shown = variable, shown


@dataclass(frozen=True, slots=True)
class Place:
    """A provider's address, and the hosts that may receive its key: exact ones with their port, or ``*.name``."""

    base_url: str
    hosts: tuple[str, ...]

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc

    def may_have_key(self, url: str) -> bool:
        """Whether a key may go to ``url``: its host is the provider's, and no secrecy is lost on the way there.

        Raises:
            ValueError: it is no address.
        """
        parts = urlsplit(url)
        plain = parts.scheme == "http" and urlsplit(self.base_url).scheme == "https"
        return not plain and host_allowed(parts.netloc, self.hosts)

    def absolute(self, url: str) -> str:
        """``url`` in full: a path is the provider's own."""
        return f"{self.base_url}{url}" if url.startswith("/") else url


def place_by(provider: str, base_url: str, hosts: Iterable[str], environment: Mapping[str, str]) -> Place:
    """Where ``MINTMARK_BASE_URL_<PROVIDER>`` says, and then its host alone gets the key; else as described.

    Raises:
        NoAddress: the variable holds none.
    """
    variable = f"MINTMARK_BASE_URL_{provider.upper().replace('-', '_')}"
    given = environment.get(variable)
    if not given:
        return Place(base_url.rstrip("/"), tuple(dict.fromkeys(hosts)))
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 - it is looked at here, where it can be refused
    except ValueError:
        raise NoAddress(variable, _shown(given)) from None
    named = bool(parts.hostname) and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not named or parts.query or parts.fragment:
        raise NoAddress(variable, _shown(given))
    return Place(given.rstrip("/"), (parts.netloc,))


def _shown(given: str) -> str:
    """What was typed as an address, without names, passwords and what a query may hold."""
    outside = re.sub(r"(?s)^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1…@", given)
    return re.sub(r"(?s)([?#]).+", r"\1…", outside)


def inside(url: str) -> bool:
    """Whether an address is this machine's, or one of a private network that names it by number."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        return lies_inside(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def lies_inside(address: str) -> bool:
    """Whether an IP address, with or without a zone, is one that the public network does not route.

    Raises:
        ValueError: it is none.
    """
    found = number_of(address)
    if isinstance(found, ipaddress.IPv6Address) and (found.teredo is not None or found.is_site_local):
        return True
    return not found.is_global or found.is_multicast


def number_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address without its zone; the one of IPv4 that an address of IPv6 holds.

    Raises:
        ValueError: it is none.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return found.ipv4_mapped
        if not found.is_loopback:
            for network, behind in _EMBEDDING:
                if found in network:
                    return ipaddress.IPv4Address(int(found) >> behind & 0xFFFFFFFF)
    return found


def host_allowed(netloc: str, hosts: Iterable[str]) -> bool:
    """Whether ``netloc`` (``name`` or ``name:port``) is one of ``hosts``.

    ``*.name`` there means any host below name, ``*`` between dots any one word: ``api.*.name`` is no ``api.a.b.name``.
    """
    netloc = netloc.lower()
    return any(netloc == host.lower() or ("*" in host and bool(_shape(host).fullmatch(netloc))) for host in hosts)


@functools.cache
def _shape(host: str) -> re.Pattern[str]:
    below, rest = (r"[a-z0-9.-]+\.", host[2:]) if host.startswith("*.") else ("", host)
    words = (r"[a-z0-9-]+" if word == "*" else re.escape(word) for word in rest.lower().split("."))
    return re.compile(below + r"\.".join(words))
