"""Probes a provider's failure modes: what is done on purpose, what should come of it, and what did."""

import http.server
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import msgspec

from drift.errors import MintmarkError
from registry.canonical import JSON
from registry.capture.description import Description
from registry.capture.request import write_slot
from registry.capture.secrets import variables_of
from registry.drafting import Draft, new_exchange_id
from registry.home import Registry
from registry.journal.deliveries import Deliveries
from registry.manifest import Model, Prompt
from replay.consenting import Pay
from replay.errors import ReplayError
from replay.generating import Ask, Sending, call, drafted
from replay.paying import Paying
from replay.provider import Outcome, run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.pace import Pace

MOST_PAID: Final = 3
"""Calls of one battery that the provider may bill: those that it should refuse, and the one that is canceled."""
_PAID: Final = ("malformed-metadata", "oversized-upload", "cancel")
_WRONG: Final = "mintmark-probe-this-is-no-key"
_TWICE: Final = "duplicate-callback-here"
_NO_MODEL: Final = "mintmark-probe-no-such-model"
_LONG: Final = "a plain grey square, " * 200_000  # 4 MB

Answer = Literal["as expected", "otherwise", "not offered", "could not run"]


class NothingToProbe(ReplayError):
    """An engine on this machine has no key, no network and no bill."""

    exit_code = 2

    def __init__(self, provider: str) -> None:
        """Name it."""
        super().__init__(f"{provider} runs on this machine: there is no key, no line and no bill to probe")


@dataclass(frozen=True, slots=True)
class Probe:
    """One row of the battery.

    Attributes:
        name: of the failure mode.
        tried: what was done, in words.
        expected: outcome classes that are right.
        got: the outcome class; None where it was not tried.
        answer: whether it is as expected.
        request: by what it can be found: a generation recorded here, or what the provider calls its request.
        said: what the provider said, or why there is nothing.
    """

    name: str
    tried: str
    expected: tuple[str, ...]
    got: str | None
    answer: Answer
    request: str | None = None
    said: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Every member."""
        return {"name": self.name, "tried": self.tried, "expected": list(self.expected), "got": self.got,
                "answer": self.answer, "request": self.request, "said": self.said}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Battery:
    registry: Registry
    ask: Ask
    draft: Draft
    description: Description
    pays: Mapping[str, Pay]
    label: str


def probe(
    registry: Registry, ask: Ask, pay: Callable[[Sequence[Draft], Description], Sequence[Pay]]
) -> Iterator[Probe]:
    """Run the battery against the provider of ``ask``, or against whatever ``MINTMARK_BASE_URL_…`` names; row by row.

    What breaks the line is done against stand-ins on this machine, with a key that is none. Calls that the provider may
    bill (at most ``MOST_PAID``) go through the journal within a budget and are recorded as generations of the workflow
    ``probe``.

    Args:
        registry: where calls are recorded.
        ask: a small request that the provider can fulfil.
        pay: asked once how those calls are paid for, each on its own; it may refuse.

    Raises:
        NothingToProbe, ProviderUnknown, SecretMissing, PriceUnknown, ConsentNeeded, Declined: nothing was sent.
    """
    draft, description = drafted(registry, ask)
    if description.local:
        raise NothingToProbe(ask.provider)
    HttpProvider(description, os.environ)  # a missing key is told before anything is tried
    large = _with(draft, description, "prompt", _LONG) or draft
    pays = dict(zip(_PAID, pay([draft, large, draft], description), strict=True))
    battery = _Battery(registry, ask, draft, description, pays, new_exchange_id())
    for one in (_credentials, _outage, _timeout, _malformed, _oversized, _cancel, _callback):
        yield one(battery)


def _credentials(of: _Battery) -> Probe:
    tried, expected = "the same request with a key that is none", ("auth",)
    if of.description.auth is None:
        return Probe("bad-credentials", tried, expected, None, "not offered", said="it takes no key")
    return _sent(of, "bad-credentials", tried, expected, {})


def _outage(of: _Battery) -> Probe:
    with _nobody() as url:
        return _sent(of, "outage", "nobody listens at its address", ("retryable",), {_address(of): url})


def _timeout(of: _Battery) -> Probe:
    tried = "the request is taken, and no answer comes for a second"
    with _silence() as url:
        return _sent(of, "timeout", tried, ("ambiguous",), {_address(of): url}, patience_s=1)


def _malformed(of: _Battery) -> Probe:
    tried = f"a model of the name {_NO_MODEL}"
    expected = ("rejected", "unsupported", "retired")
    return _recorded(of, "malformed-metadata", tried, expected, "model", _NO_MODEL)


def _oversized(of: _Battery) -> Probe:
    tried = f"a prompt of {len(_LONG):,} characters"
    return _recorded(of, "oversized-upload", tried, ("rejected",), "prompt", _LONG)


def _cancel(of: _Battery) -> Probe:
    tried, expected = "the job is canceled as soon as it is accepted", ("canceled",)
    protocol = of.description.protocol
    if protocol is None or protocol.cancel is None:
        return Probe("cancel", tried, expected, None, "not offered", said="its API cancels nothing")
    accepted = threading.Event()  # nothing is waited for before that
    return _made(of, "cancel", tried, expected, of.draft, lambda paying: replace(
        paying, pause=lambda seconds: accepted.set(), stopping=accepted.is_set))  # fmt: skip


def _callback(of: _Battery) -> Probe:
    """What is told of a delivery's number a second time changes nothing here; nobody asks the provider to call."""
    tried, expected = "one delivery's number taken down here twice; the provider was not asked", ("acted on once",)
    protocol = of.description.protocol
    if protocol is None or protocol.webhook is None:
        return Probe(_TWICE, tried, expected, None, "not offered", said="it calls nobody back")
    deliveries = Deliveries(of.registry.catalog.database)
    first, second = (deliveries.first(of.ask.provider, of.label) for _ in range(2))
    got = "acted on once" if first and not second else "acted on twice"
    return _row(_TWICE, tried, expected, got, of.label, None)


def _sent(
    of: _Battery, name: str, tried: str, expected: tuple[str, ...], changes: Mapping[str, str], *, patience_s: int = 30
) -> Probe:
    """Send the request with a key that is none, so that nobody can bill it."""
    description = of.description
    assert description.protocol is not None and of.draft.request is not None  # it is remote
    environment = {**os.environ, **changes}
    if description.auth is not None:
        environment[variables_of(description.auth.secret, environment)[0]] = _WRONG
    described = replace(description, protocol=replace(description.protocol, timeout_s=patience_s))
    provider = HttpProvider(described, environment, Pace(tries=2, base_s=0.01))
    with tempfile.TemporaryDirectory(prefix="mintmark-probe-") as folder:
        sending = Sending(of.registry, of.draft, described, of.draft.request, of.ask.inputs)
        outcome: Outcome = run(provider, sending.called(of.label, Path(folder)), limit_s=patience_s)
    return _row(name, tried, expected, outcome.class_.value, outcome.request_id, outcome.error)


def _recorded(of: _Battery, name: str, tried: str, expected: tuple[str, ...], slot: str, value: str) -> Probe:
    """Send the request with another value in a slot."""
    draft = _with(of.draft, of.description, slot, value)
    if draft is None:
        return Probe(name, tried, expected, None, "not offered", said=f"it takes no {slot}")
    return _made(of, name, tried, expected, draft, lambda paying: paying)


def _with(draft: Draft, description: Description, slot: str, value: str) -> Draft | None:
    """The request with another model or prompt; None where it has no such slot."""
    if slot not in description.slots or draft.request is None:
        return None
    draft = msgspec.structs.replace(draft, request=write_slot(description, draft.request, slot, value))
    if slot == "model":
        return msgspec.structs.replace(draft, model=Model(requested=value))
    return msgspec.structs.replace(draft, prompt=Prompt(submitted=value))


def _made(
    of: _Battery,
    name: str,
    tried: str,
    expected: tuple[str, ...],
    draft: Draft,
    changed: Callable[[Paying], Paying],
) -> Probe:
    """Make a call within the budget; what came of it is a generation."""
    context = msgspec.structs.replace(draft.context, workflow="probe")
    named = msgspec.structs.replace(draft, context=context, labels={"probe": name}, exchange_id=None)
    try:
        paying = of.pays[name]() or Paying(new_exchange_id())
        made = call(of.registry, named, of.description, of.ask.inputs, changed(paying))
    except MintmarkError as problem:
        return Probe(name, tried, expected, None, "could not run", said=str(problem))
    errors = [found.value for found in of.registry.vault.get(made.id) if found.pointer == "/outcome/error"]
    return _row(name, tried, expected, made.manifest.outcome.class_, made.id, str(errors[0]) if errors else None)


def _row(name: str, tried: str, expected: tuple[str, ...], got: str, request: str | None, said: str | None) -> Probe:
    return Probe(name, tried, expected, got, "as expected" if got in expected else "otherwise", request, said)


def _address(of: _Battery) -> str:
    return f"MINTMARK_BASE_URL_{of.ask.provider.upper().replace('-', '_')}"


@contextmanager
def _nobody() -> Iterator[str]:
    """An address at which nobody listens: bound and closed to everybody while it is needed."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class _Silent(http.server.BaseHTTPRequestHandler):
    """Takes whatever comes and never answers."""

    def handle(self) -> None:
        """Read until the other side gives up."""
        while self.connection.recv(1 << 16):
            pass


@contextmanager
def _silence() -> Iterator[str]:
    """An address that takes requests and never answers."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Silent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
