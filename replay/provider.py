"""What a provider is: submit, poll, fetch, cancel; and the one loop that drives any of them to an outcome."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from registry.canonical import JSON
from registry.capture.answers import Answer
from registry.capture.description import Description
from registry.capture.wire import Fetch
from registry.manifest import Request
from replay.errors import IllegalTransition
from replay.outcome import ENDS, EndState, JobState, OutcomeClass, Safety, advance, ended

LATENCY_KEYS: Final = ("connect", "upload", "queue", "run", "first_partial", "fetch", "store", "total")
"""The phases of ``outcome.latency_ms`` in ``schemas/manifest/v1``."""

POLL_MS: Final = 1000
"""Pause before the first poll where the description names none."""

LONGEST_POLL_S: Final = 10.0
_LONGEST_ASKED_S: Final = 60.0
_GROWTH: Final = 1.5


def _open() -> None:
    """A gate that lets everything through."""


def never() -> bool:
    """Nobody stops it."""
    return False


@dataclass(frozen=True, slots=True)
class CallInput:
    """A file that goes with a call: what it is for (``audio``, ``reference``, ``mask`` …), its type, where it lies."""

    role: str
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one provider operation: plain, with nothing sealed, ready to send.

    ``workdir`` is an existing folder that belongs to this call; outputs are written there and nowhere else. A local
    engine takes ``body`` and ``inputs``; a remote provider is sent ``request`` as it is stored, and ``fetch`` finds the
    files that stand in it as ``$asset``. ``gate`` is called right before every try to send the request that is paid
    for; what it raises keeps that try from being sent, and passes through ``submit``.
    """

    description: Description
    body: Mapping[str, JSON]
    inputs: tuple[CallInput, ...]
    workdir: Path
    idempotency_key: str
    request: Request | None = None
    fetch: Fetch | None = None
    gate: Callable[[], None] = _open


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a call made; ``media_type`` is None where the provider did not say."""

    role: str
    media_type: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class CallCost:
    """What the provider says it charged: decimal string and currency, and what was counted (``{"images": 1}``)."""

    amount: str | None
    currency: str | None
    units: Mapping[str, int]


def latency_ms(**known: int) -> dict[str, int | None]:
    """Every phase of ``LATENCY_KEYS`` in whole milliseconds; None for those not given.

    Raises:
        TypeError: a phase that does not exist.
    """
    if strange := known.keys() - set(LATENCY_KEYS):
        raise TypeError(f"no such phase: {', '.join(sorted(strange))}")
    return {key: known.get(key) for key in LATENCY_KEYS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended and what it made. ``error`` is the provider's text and may quote the prompt: seal it.

    ``engine`` is ``environment.engine`` of the manifest: a local engine's build, library versions and model-file
    digests. ``cost`` is None where the provider says nothing about it.
    """

    class_: OutcomeClass
    state: EndState
    safety: Safety = Safety.UNKNOWN
    outputs: tuple[Output, ...] = ()
    http_status: int | None = None
    request_id: str | None = None
    job_id: str | None = None
    served_model: str | None = None
    effective_prompt: str | None = None
    actual_seed: str | None = None
    attempts: int = 1
    latency_ms: Mapping[str, int | None] = field(default_factory=latency_ms)
    error: str | None = None
    cost: CallCost | None = None
    engine: Mapping[str, JSON] | None = None

    def __post_init__(self) -> None:
        """Refuse a class and a state that cannot go together."""
        if self.state not in ENDS[self.class_]:
            raise IllegalTransition(f"outcome {self.class_}", self.state)


@dataclass(frozen=True, slots=True)
class Job:
    """A call on its way. ``outcome`` is set when nothing is left to fetch.

    ``poll_after_ms`` is the pause before the first poll, ``asked_s`` the one that the provider asked for in its newest
    answer (0 where it did not), and ``unknown`` the word there for the job's state that its description does not know.
    ``submitted`` and ``latest`` are the first and the last answer of a remote provider, ``attempts`` counts every try
    beyond one for each request, ``started`` is ``time.monotonic`` at submit and ``upload_ms`` what uploads took.
    """

    call: Call
    state: JobState
    id: str | None = None
    poll_after_ms: int | None = None
    asked_s: float = 0.0
    unknown: str | None = None
    outcome: Outcome | None = None
    submitted: Answer | None = None
    latest: Answer | None = None
    attempts: int = 1
    started: float | None = None
    upload_ms: int | None = None


class Provider(Protocol):
    """Makes media, or text from media.

    ``tests/replay/providers/test_contract.py`` states what every implementation owes: trouble with the request, the
    model or the network is an ``Outcome`` and never an exception, and every state follows ``replay.outcome.MOVES``.
    """

    def submit(self, call: Call) -> Job:
        """Hand the call over, once; a refusal is a job that has ended already."""
        ...

    def poll(self, job: Job) -> Job:
        """Ask where the job stands; asking changes nothing, and a job that has ended comes back as it is."""
        ...

    def fetch(self, job: Job) -> Outcome:
        """Take down how a job ended, with its outputs in the call's ``workdir``.

        Raises:
            JobUnfinished: it has not ended.
        """
        ...

    def cancel(self, job: Job) -> Job:
        """Stop the job where that is possible; a job that has ended comes back as it is."""
        ...


def run(
    provider: Provider,
    call: Call,
    *,
    limit_s: float | None = None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Drive one call from submit to outcome.

    Args:
        provider: who makes it.
        call: what to make.
        limit_s: seconds after which a job is canceled and the outcome is ``timeout``; None waits for ever.
        pause: waits for that many seconds.
        clock: seconds, monotonic.

    Raises:
        IllegalTransition: the provider moved the job in a way no job can move.
    """
    start = clock()
    return follow(provider, provider.submit(call), start=start, limit_s=limit_s, pause=pause, clock=clock)


def follow(
    provider: Provider,
    job: Job,
    *,
    start: float,
    limit_s: float | None = None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    stopping: Callable[[], bool] = never,
) -> Outcome:
    """Drive a job that was submitted, here or by a process that has ended, to its outcome.

    Args:
        provider: who makes it.
        job: as it was answered.
        start: when it was submitted, by ``clock``.
        limit_s: as ``run`` takes it.
        pause: as ``run`` takes it.
        clock: as ``run`` takes it.
        stopping: asked before every poll; once true, the job is canceled where that can be, and so is the outcome.

    Raises:
        IllegalTransition: the provider moved the job in a way no job can move.
    """
    waited: float | None = None
    while not ended(job.state):
        if stopping():
            return _canceled(provider, job, round((clock() - start) * 1000))
        left = None if limit_s is None else limit_s - (clock() - start)
        if left is not None and left <= 0:
            return _timed_out(provider, job, round((clock() - start) * 1000))
        waited = next_pause(job.poll_after_ms, waited, left, job.asked_s)
        pause(waited)
        polled = provider.poll(job)
        advance(job.state, polled.state)
        job = polled
    return provider.fetch(job)


def next_pause(after_ms: int | None, waited_s: float | None, left_s: float | None, asked_s: float = 0.0) -> float:
    """Seconds until a job is asked about again: as its provider asks, up to a minute, where it does.

    Else half as long again each time, so that a long job is asked about seldom.

    Args:
        after_ms: the pause to begin with, as the description names it; one above the longest is kept.
        waited_s: the pause before; None before the first poll.
        left_s: what is left of the job's limit; None where there is none.
        asked_s: what the provider's newest answer asks for (Retry-After: RFC 9110, 10.2.3); 0 where it does not.
    """
    first = (POLL_MS if after_ms is None else after_ms) / 1000
    grown = first if waited_s is None else max(first, min(_GROWTH * waited_s, LONGEST_POLL_S))
    pause = max(first, min(asked_s, _LONGEST_ASKED_S)) if asked_s else grown
    return pause if left_s is None else min(pause, left_s)


def _canceled(provider: Provider, job: Job, waited_ms: int) -> Outcome:
    stopped = provider.cancel(job)
    advance(job.state, stopped.state)
    if ended(stopped.state):
        return provider.fetch(stopped)
    return Outcome(
        class_=OutcomeClass.CANCELED,
        state=EndState.UNKNOWN,
        job_id=job.id,
        latency_ms=latency_ms(total=waited_ms),
        error=f"stopped here while it was {job.state}; the provider could not be made to stop it and may bill it",
    )


def _timed_out(provider: Provider, job: Job, waited_ms: int) -> Outcome:
    stopped = provider.cancel(job)
    advance(job.state, stopped.state)
    if stopped.state in (JobState.SUCCEEDED, JobState.FAILED, JobState.EXPIRED):
        return provider.fetch(stopped)  # it ended while we made up our mind
    seen = str(job.state) if job.unknown is None else f"{job.unknown[:60]!r}, which its description's poll.map lacks"
    return Outcome(
        class_=OutcomeClass.TIMEOUT,
        state=EndState.CANCELED if stopped.state is JobState.CANCELED else EndState.UNKNOWN,
        job_id=job.id,
        latency_ms=latency_ms(total=waited_ms),
        error=f"not finished after {waited_ms} ms, last seen {seen}; raise the limit or look at the provider",
    )
