"""Asks a provider on the caller's behalf: where a job stands, and for its outputs, before their addresses die."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from registry import __version__
from registry.capture.description import Description
from registry.capture.exchange import Exchange
from registry.capture.outside import Inside, OutsideTransport
from registry.capturing.known import Place
from registry.times import now

_HOPS: Final = 5
_ANSWER: Final = 512 << 20  # bytes of the longest answer that is taken
_FILE: Final = 8 << 30  # bytes of the longest output
_PATIENCE: Final = httpx2.Timeout(60.0, connect=10.0)
_NO_ADDRESS: Final = "no address of the web"
_own: Final = threading.local()


class NotHad(Exception):
    """Nothing came of asking; ``gone`` says that asking again will not help."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        """Say why, without an address: it may be signed."""
        super().__init__(why)
        self.gone = gone


_LOGGERS: Final = ("httpx2", *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def _not_our_own(_: logging.LogRecord) -> bool:
    return not is_our_own()


def is_our_own() -> bool:
    """Whether the thread asks for the recorder: such calls are not captured."""
    return getattr(_own, "fetching", False)


def begin_own() -> None:
    """Say that everything this thread asks is the recorder's."""
    _own.fetching = True


class Fetcher:
    """One client for everything; proxies of the environment are not looked at, the key goes to its hosts alone."""

    def __init__(self) -> None:
        """Connect to nothing yet."""
        for name in _LOGGERS:  # they would tell signed addresses
            logging.getLogger(name).addFilter(_not_our_own)
        self._clients: dict[str, httpx2.Client] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close what is open."""
        for client in self._clients.values():
            client.close()

    def ask(self, place: Place, url: str, key: Mapping[str, str]) -> Exchange:
        """GET an answer about a job.

        Raises:
            NotHad: none came.
        """
        headers = {"user-agent": f"mintmark/{__version__}", "accept": "application/json", "accept-encoding": "identity"}
        asked_at = now()
        with _told(writing=False):
            if place.may_have_key(url):
                headers |= key
            with self._client(place, url).stream("GET", url, headers=headers) as response:
                pieces, count = [], 0
                for piece in response.iter_bytes():
                    count += len(piece)
                    if count > _ANSWER:
                        raise NotHad("the answer is too long", gone=True)
                    pieces.append(piece)
                got = [(name.lower(), value) for name, value in response.headers.items()]
                return Exchange("GET", url, (), b"", response.status_code, got, b"".join(pieces), asked_at, now())

    def take(self, place: Place, url: str, key: Mapping[str, str], target: Path) -> None:
        """GET a file.

        Raises:
            NotHad: it was cut, or is gone.
            OSError: it cannot be written.
        """
        try:
            self._follow(place, url, key, target)
        except NotHad:
            target.unlink(missing_ok=True)
            raise

    def _follow(self, place: Place, url: str, key: Mapping[str, str], target: Path) -> None:
        """Take a file from wherever redirects lead; the key is decided upon anew at every host."""
        for _ in range(_HOPS):
            headers = {"user-agent": f"mintmark/{__version__}", "accept": "*/*", "accept-encoding": "identity"}
            with _told(writing=True):
                if place.may_have_key(url):
                    headers |= key
                onward = self._taken(self._client(place, url), url, headers, target)
                if onward is None:
                    return
                url = urljoin(url, onward)
        raise NotHad("redirected too often", gone=True)

    def _client(self, place: Place, url: str) -> httpx2.Client:
        """Who asks there on a provider's behalf.

        Raises:
            NotHad: it is no address of the web.
        """
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise NotHad(_NO_ADDRESS, gone=True)
        own = urlsplit(place.base_url).hostname or ""
        with self._lock:
            if own not in self._clients:
                transport = OutsideTransport(own)
                self._clients[own] = httpx2.Client(
                    trust_env=False, follow_redirects=False, timeout=_PATIENCE, transport=transport
                )
            return self._clients[own]

    @staticmethod
    def _taken(client: httpx2.Client, url: str, headers: Mapping[str, str], target: Path) -> str | None:
        """None once the file is there, else the address that it is said to lie at."""
        with client.stream("GET", url, headers=headers) as response:
            location = response.headers.get("location")
            if response.is_redirect and location:
                return str(location)
            if response.status_code >= 300:
                gone = response.status_code < 500 and response.status_code not in (408, 425, 429)
                raise NotHad(f"HTTP {response.status_code}", gone=gone)
            count = 0
            with target.open("wb", buffering=0) as file:
                for piece in response.iter_raw():
                    count += len(piece)
                    if count > _FILE:
                        raise NotHad("the file is too long", gone=True)
                    file.write(piece)
        return None


@contextmanager
def _told(*, writing: bool) -> Iterator[None]:
    """What goes wrong on the way, as what it means; while ``writing``, an ``OSError`` is the disk's and goes on."""
    try:
        yield
    except Inside as problem:
        raise NotHad(str(problem), gone=True) from None
    except (ValueError, httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        raise NotHad(_NO_ADDRESS, gone=True) from None
    except (httpx2.HTTPError, OSError) as problem:
        if writing and isinstance(problem, OSError):
            raise
        raise NotHad(type(problem).__name__) from None


def key_headers(description: Description, headers: list[tuple[str, str]]) -> dict[str, str]:
    """The caller's key as it stood in a request, and the fixed headers of the operation."""
    found = dict(description.protocol.headers) if description.protocol else {}
    wanted = description.auth.header.lower() if description.auth else None
    return found | {name: value for name, value in headers if name == wanted}
