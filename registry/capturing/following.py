"""Puts exchanges together to calls: what was submitted, how its job ended, where its outputs lie."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from registry.capture.answers import Answer, addresses_of, job_of, parsed_answer, state_of
from registry.capture.description import Description
from registry.capture.events import Events, final_answer, first_part, is_events
from registry.capture.exchange import Exchange, description_of
from registry.capture.observed import address_in, job_address
from registry.capturing.codings import Unreadable, decoded
from registry.capturing.fetching import key_headers
from registry.capturing.known import Place
from registry.capturing.observing import Observation

_PASSING: Final = frozenset({408, 425, 429, *range(500, 600)})
"""A poll answered so says nothing about the job."""
_NOT_YOURS: Final = frozenset({401, 403, 404})
"""Nor does this, where it was asked about with another key than it was begun with."""


@dataclass(slots=True)
class Told:
    """One answer about a call: as it came, and as JSON."""

    seen: Observation
    answer: Answer | None


@dataclass(slots=True)
class CapturedCall:
    """A call as it is put together; ``key`` lives in this memory and nowhere else.

    ``last`` is the newest answer about its job. ``resting`` says that it is over and waits for a disk to take it. An
    ``orphan`` was begun by a process that has ended: its key is the environment's, or not there (``askable``).
    """

    place: Place
    description: Description
    submit: Told
    key: dict[str, str] = field(repr=False)
    id: str
    job: str | None = None
    last: Told | None = None
    folder: Path | None = None
    downloads: dict[str, Path] = field(default_factory=dict)
    given_up: bool = False
    resting: bool = False
    orphan: bool = False
    askable: bool = True
    tries: int = 0
    due: float = 0.0
    deadline: float = 0.0

    @property
    def events(self) -> Events | None:
        """How its answers are told in events."""
        return self.description.protocol.events if self.description.protocol else None

    @property
    def limit_s(self) -> int:
        """Seconds after which its job is given up."""
        protocol = self.description.protocol
        return protocol.poll.limit_s if protocol and protocol.poll else 0

    @property
    def over(self) -> bool:
        """Whether the job has ended, as far as was told."""
        protocol, first, newest = self.description.protocol, self.submit.answer, (self.last or self.submit).answer
        if protocol is None or first is None or newest is None or newest.status >= 300 or protocol.poll is None:
            return True
        state = state_of(protocol, newest, first)[0]
        if state in (None, "queued", "processing") and self.poll_url is None:  # nobody could ever ask about it
            return True
        if state is None:
            return self.last is not None and self.result_url is not None
        return state not in ("queued", "processing")

    @property
    def poll_url(self) -> str | None:
        """Where to ask about the job."""
        protocol, first = self.description.protocol, self.submit.answer
        url = job_address(protocol, first) if protocol is not None and first is not None else None
        return self.place.absolute(url) if url else None

    @property
    def result_url(self) -> str | None:
        """Where the further answer is that names the outputs, for a provider that keeps them apart."""
        protocol, first = self.description.protocol, self.submit.answer
        if protocol is None or first is None:
            return None
        newest = (self.last or self.submit).answer or first
        url = protocol.outputs.result.text_of(newest.view(first)) if protocol.outputs.result else None
        if protocol.outputs.result_path is not None:
            url = self._filled(protocol.outputs.result_path)
        url = address_in(url)
        return self.place.absolute(url) if url else None

    def wanted(self) -> list[str]:
        """Addresses of the outputs, as the newest answer writes them."""
        protocol, first, newest = self.description.protocol, self.submit.answer, (self.last or self.submit).answer
        if protocol is None or first is None or newest is None or newest.status >= 300:
            return []
        if protocol.poll is not None and state_of(protocol, newest, first)[0] not in ("succeeded", None):
            return []
        if protocol.outputs.kind == "get":
            return [self._filled(str(protocol.outputs.path))]
        return addresses_of(protocol, newest, first) if protocol.outputs.kind == "url" else []

    def tells_of(self, seen: Observation) -> bool:
        """Whether an exchange asks about this call's job, or for the answer that names its outputs."""
        return seen.method == "GET" and _same(seen.url, (self.poll_url, self.result_url))

    def hear(self, told: Told) -> None:
        """Take a newer answer, unless it only says to come again, or that a key is not the one of the call."""
        ignored = _PASSING | _NOT_YOURS if self.orphan else _PASSING
        if told.answer is None or told.answer.status in ignored:
            told.seen.close()
            return
        if self.last is not None:
            self.last.seen.close()
        self.last = told

    def close(self) -> None:
        """Give its bytes back."""
        self.submit.seen.close()
        if self.last is not None:
            self.last.seen.close()

    def _filled(self, path: str) -> str:
        return path.replace("{job}", quote(self.job or "", safe=""))


def begun(place: Place, seen: Observation) -> CapturedCall | None:
    """The call that an exchange starts; None where it starts none."""
    description = _described(place, seen)
    if description is None or description.protocol is None:
        return None
    told = told_by(seen, description.protocol.events)
    call = CapturedCall(place, description, told, key_headers(description, seen.request_headers), seen.id)
    call.job = job_of(description.protocol, told.answer) if told.answer else None
    return call


def _described(place: Place, seen: Observation) -> Description | None:
    """The operation; where several share a path, the content of the request decides."""
    fitting = place.descriptions_of(seen.method, seen.url)
    if len(fitting) == 1 and fitting[0].protocol and fitting[0].protocol.when is None:
        return fitting[0]
    coding = dict(seen.request_headers).get("content-encoding", "")
    try:
        content = b"".join(decoded(seen.request.pieces(), coding)) if fitting else b""
    except Unreadable:
        content = b""
    looked_at = Exchange(seen.method, seen.url, seen.request_headers, content, None)
    return description_of(fitting, looked_at, base_url=place.base_url)


def told_by(seen: Observation, events: Events | None) -> Told:
    """An exchange with its answer read; no answer where it was cut, or is one of success in an unreadable coding.

    Args:
        seen: the exchange; where its answer came as events, it learns when the first partial one had come.
        events: how the operation speaks in them.
    """
    if seen.status is None or seen.ended != "whole" or seen.broken:
        return Told(seen, None)
    headers = {name: value for name, value in seen.response_headers}
    kind = headers.get("content-type", "")
    if seen.status < 400 and kind and "json" not in kind and "text" not in kind:
        return Told(seen, Answer(seen.status, headers))  # a file: it is the output, and nothing is told in it
    try:
        data = b"".join(decoded(seen.response.pieces(), headers.get("content-encoding", "")))
    except Unreadable:  # a refusal is told by its status alone
        return Told(seen, Answer(seen.status, headers) if seen.status >= 400 else None)
    if is_events(headers):
        if "content-encoding" not in headers:  # else what was counted on its way are other bytes
            seen.partial(first_part(events, data))
        data = final_answer(events, data)
    return Told(seen, parsed_answer(seen.status, headers, data))


def _same(url: str, others: tuple[str | None, ...]) -> bool:
    """Whether a path was asked for: through the proxy, the host is another one than the provider names.

    What the provider's address says in its query has to be there too: some tell their jobs apart by it.
    """
    asked = urlsplit(url)
    pairs = set(parse_qsl(asked.query))
    named = [urlsplit(other) for other in others if other is not None]
    return any(asked.path == one.path and pairs >= set(parse_qsl(one.query)) for one in named)
