"""One provider's line: requests sent once, answers read, files taken down; the key goes to its hosts alone."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from registry import __version__
from registry.capture.answers import Answer, parsed_answer
from registry.capture.events import Events, final_answer, first_part, is_events
from registry.capture.outside import Inside, OutsideTransport
from replay.providers.http.pace import Pace
from replay.providers.http.secrets import Key, Place

ANSWER_BYTES: Final = 512 << 20
"""The longest answer that is read into memory: some carry their outputs in base64."""

_VALUE: Final = re.compile(r"([!-~]([\t -~]*[!-~])?)?").fullmatch
"""What a header can hold, RFC 9110, 5.5, without the bytes beyond ASCII that nobody reads alike."""

_HOPS: Final = 5
_CONNECT_S: Final = 10.0
_READ_S: Final = 60.0


class NoAddress(Exception):
    """A vendor named an address that is none."""


# Nothing of a request has left the machine when one of these is raised: there was no connection yet.
_UNSENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
    NoAddress,
)


class Unsent(Exception):
    """The request never left; it may be sent again."""


class Unsendable(Unsent):
    """The request never left, and never will: it cannot be written."""


class Cut(Exception):
    """The request left, in part or whole, and no whole answer came: what it did is unknown."""


class Refused(Exception):
    """We will have none of it, however often we ask: an answer that is too long, an address that lies inside."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A request with its content; ``content`` is called for every try."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    content: Callable[[], Iterator[bytes]] | None = None
    length: int = 0


class Channel:
    """Speaks HTTP to one provider. Proxies and certificates of the environment are not looked at."""

    def __init__(
        self, place: Place, key: Key | None, headers: Mapping[str, str], pace: Pace, events: Events | None = None
    ) -> None:
        """Open nothing yet; ``headers`` go with every request that carries the key."""
        self.place, self._key, self._headers, self._pace, self._events = place, key, headers, pace, events
        # A kept connection may have been closed at the other end just now, which looks like a request cut after
        # sending. A new one for each request keeps "sent or not" a fact.
        limits = httpx2.Limits(max_keepalive_connections=0)
        transport = OutsideTransport(urlsplit(place.base_url).hostname or "", limits)
        self._client = httpx2.Client(trust_env=False, follow_redirects=False, transport=transport)

    def scrub(self, text: str) -> str:
        """``text`` without the key."""
        return self._key.scrub(text) if self._key else text

    def send(self, sending: Sending, *, read_s: float, keep: Path | None = None) -> Answer:
        """Send once.

        Args:
            sending: what.
            read_s: how long the answer may be silent, seconds.
            keep: a file that takes an answer of success that is no JSON.

        Raises:
            Unsent (Unsendable where it never can be), Cut, Refused.
        """
        with self._told():
            return self._once(sending, read_s, keep)

    def read(self, url: str) -> tuple[Answer, int]:
        """GET an answer; tried again after cuts, 429 and 5xx, as the pace allows.

        Returns:
            The last answer and how many tries it took beyond the first.

        Raises:
            Unsent, Cut: the last try ended so.
            Refused.
        """
        tried = 0
        while True:
            tried += 1
            try:
                answer = self._followed(url, None)
            except (Unsent, Cut):
                if not self._pace.wait(tried, {}):
                    raise
                continue
            if not _again(answer) or not self._pace.wait(tried, answer.headers):
                return answer, tried - 1

    def download(self, url: str, target: Path, most: int) -> tuple[Answer, int]:
        """GET a file into ``target``; like ``read`` otherwise. Nothing is left of a file that was cut.

        Raises:
            Unsent, Cut, Refused: the last try ended so.
            OSError: the file cannot be written.
        """
        tried = 0
        while True:
            tried += 1
            try:
                answer = self._followed(url, (target, most))
            except (Unsent, Cut):
                target.unlink(missing_ok=True)
                if not self._pace.wait(tried, {}):
                    raise
                continue
            if not _again(answer) or not self._pace.wait(tried, answer.headers):
                return answer, tried - 1

    def absolute(self, url: str) -> str:
        """``url`` in full: a path is the provider's own."""
        return self.place.absolute(url)

    def _followed(self, url: str, keep: tuple[Path, int] | None) -> Answer:
        """GET, following redirects; the key is decided upon anew at every host."""
        for _ in range(_HOPS):
            with self._told():
                answer = self._once(Sending("GET", url), _READ_S, keep[0] if keep else None, keep)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return answer
            url = _joined(url, location)
        return answer

    def _once(
        self, sending: Sending, read_s: float, keep: Path | None, download: tuple[Path, int] | None = None
    ) -> Answer:
        headers = {"user-agent": f"mintmark/{__version__}", "accept": "*/*", **dict(sending.headers)}
        if sending.content is not None:
            headers["content-length"] = str(sending.length)
        if download is not None:
            headers["accept-encoding"] = "identity"  # so that the length of the file is the length announced
        if self._may_have_key(sending.url):
            headers |= {name.lower(): value for name, value in self._headers.items()}
            if self._key:
                headers[self._key.header.lower()] = self._key.value
        request = self._written(sending, headers, read_s)
        come = _Come()
        with closing(self._client.send(request, stream=True)) as response:
            got = {name.lower(): value for name, value in response.headers.items()}
            if keep is not None and response.is_success and (download or not self._is_read(got)):
                _write(response, keep, download[1] if download else ANSWER_BYTES)
                return Answer(response.status_code, got)
            try:
                come.all_of(response)
            except httpx2.HTTPError:
                if response.status_code < 400:
                    raise
                come = _Come()  # refused; why is lost, that it was is not
        if not is_events(got):
            return parsed_answer(response.status_code, got, come.data)
        answer = parsed_answer(response.status_code, got, final_answer(self._events, come.data))
        return replace(answer, partial_ms=come.when(first_part(self._events, come.data)))

    def _written(self, sending: Sending, headers: Mapping[str, str], read_s: float) -> httpx2.Request:
        """The request as it will be sent.

        Raises:
            Unsendable: it cannot be written; what a header holds is not repeated.
        """
        if wrong := [name for name, value in headers.items() if not _VALUE(value)]:
            which = ", ".join(repr(self.scrub(name)) for name in wrong)
            raise Unsendable(f"header {which} holds something else than visible ASCII, with spaces and tabs between")
        content = sending.content() if sending.content is not None else None
        timeout = httpx2.Timeout(_READ_S, connect=_CONNECT_S, read=read_s)
        try:
            return self._client.build_request(
                sending.method, sending.url, headers=headers, content=content, timeout=timeout
            )
        except UnicodeEncodeError as problem:  # a header's name, an address with half a character
            raise Unsendable(f"it holds a character that cannot be sent: {problem.reason}") from None

    def _is_read(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer is looked into, and not the output itself."""
        return "json" in headers.get("content-type", "") or (self._events is not None and is_events(headers))

    def _may_have_key(self, url: str) -> bool:
        try:
            return self.place.may_have_key(url)
        except ValueError as problem:
            raise NoAddress(str(problem)) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the client says, as what it means."""
        try:
            yield
        except Inside as problem:
            raise Refused(str(problem)) from None
        except _UNSENT as problem:
            raise Unsent(self._words(problem)) from None
        except httpx2.LocalProtocolError:  # of the head, as it is made and before any of it is written
            raise Unsendable("its head breaks HTTP: a method, an address or a header of it") from None
        except httpx2.HTTPError as problem:
            raise Cut(self._words(problem)) from None

    def _words(self, problem: Exception) -> str:
        return self.scrub(f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as problem:
        raise Unsent(f"redirected to no address: {problem}") from None


def _again(answer: Answer) -> bool:
    return answer.status in (408, 425, 429) or answer.status >= 500


def _write(response: httpx2.Response, target: Path, most: int) -> None:
    count = 0
    with target.open("wb") as file:
        for piece in response.iter_bytes():
            count += len(piece)
            if count > most:
                raise Refused(f"the file is longer than {most:,} bytes")
            file.write(piece)


class _Come:
    """An answer on its way: what came of it, and when."""

    def __init__(self) -> None:
        self.data, self._began = b"", time.monotonic()
        self._reached: list[tuple[int, int]] = []

    def all_of(self, response: httpx2.Response) -> None:
        """Take it in.

        Raises:
            Refused: it is too long.
        """
        pieces, count = [], 0
        for piece in response.iter_bytes():
            count += len(piece)
            if count > ANSWER_BYTES:
                raise Refused(f"the answer is longer than {ANSWER_BYTES:,} bytes")
            pieces.append(piece)
            self._reached.append((count, round((time.monotonic() - self._began) * 1000)))
        self.data = b"".join(pieces)

    def when(self, count: int | None) -> int | None:
        """After how many milliseconds so many bytes had come."""
        return None if count is None else next((ms for reached, ms in self._reached if reached >= count), None)
