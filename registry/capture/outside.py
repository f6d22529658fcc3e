"""Keeps requests to addresses that an answer named out of this machine and of private networks.

Every name is resolved once, every address it has is looked at, and the connection goes to one of these very addresses:
a name server that answers otherwise the next time changes nothing, nor do redirects and numbers in other spellings.
"""

import socket
import time
from collections.abc import Iterable, Sequence

import httpcore2
import httpx2

from registry.capture.hosts import lies_inside, number_of


class Inside(Exception):
    """An address of this machine or of a private network; where exactly is not told."""

    def __init__(self) -> None:
        """Say what it is."""
        super().__init__("an address of this machine or a private network: nothing was asked there")


def may_be_asked(address: str, own: Sequence[str]) -> bool:
    """Whether a connection may lead to an address on behalf of a provider that is configured to lie at ``own``.

    What lies outside may always be asked. A provider on this machine may name everything on this machine; one of a
    private network is itself there, and that opens nobody else. Link-local addresses, where clouds hand out
    credentials, stay shut whatever is configured.

    Raises:
        ValueError: one of them is no address.
    """
    if not lies_inside(address):
        return True
    found = number_of(address)
    if found.is_link_local:
        return False
    within = [number_of(one) for one in own if lies_inside(one)]
    return found in within or (found.is_loopback and any(one.is_loopback for one in within))


def addresses_of(host: str, port: int | None = None) -> list[str]:
    """Every IP address of a name, or of a number in any spelling; none where it has none.

    The system resolves it, as it would for a connection: what ``0177.1`` is, is up to it alone.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Guarded(httpcore2.SyncBackend):
    """Connects to what lies outside, whatever it is called, and to what ``own``, a configured host, opens."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._found: list[str] | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """One connection, to the first address that takes it; ``timeout`` seconds for all of them together.

        Raises:
            Inside: nothing was connected to.
        """
        found = addresses_of(host, port)
        if any(lies_inside(address) and not may_be_asked(address, self._at()) for address in found):
            raise Inside
        failed: Exception = httpcore2.ConnectError(f"no address of {host}")
        until = None if timeout is None else time.monotonic() + timeout
        for number, address in enumerate(found):
            # An address that swallows everything must leave the others their share of the time.
            share = None if until is None else max(0.0, until - time.monotonic()) / (len(found) - number)
            try:
                return super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as problem:
                failed = problem
        raise failed

    def _at(self) -> list[str]:
        """Where the configured host lies: looked up once, so that no later answer opens more."""
        if self._found is None:
            self._found = addresses_of(self._own)
        return self._found


class OutsideTransport(httpx2.HTTPTransport):
    """Speaks to what lies outside, and inside to what the provider that it is for opens (``may_be_asked``).

    Args:
        own: the host of the provider's configured address.
        limits: of kept connections.

    Raises:
        Inside: from ``handle_request``, before anything was sent.
    """

    def __init__(self, own: str, limits: httpx2.Limits | None = None) -> None:
        """Connect to nothing yet."""
        super().__init__(trust_env=False, limits=limits or httpx2.Limits())
        self._pool._network_backend = _Guarded(own)  # no public way leads there; a test tells when it moves
