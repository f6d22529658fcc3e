"""Never pays twice: a remote call is written down, sent once, answered on disk, followed, recorded.

Theory: the row ``intended`` is committed right before the request leaves, so whatever dies after it leaves a trace. The
answer lies on disk before the row says so; from there on everything is reading, which any process may repeat. A request
is sent by whoever committed its row, and by nobody else, unless the provider tells repeated requests by a key.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from registry.errors import CouldNotRun, ExchangeConflict, InvalidValue, Refused
from registry.home import Registry
from registry.journal.answers import AnswerElsewhere
from registry.journal.budgets import BudgetSpent, nanos_of
from registry.journal.calls import Intent, KeyTaken, StoredCall, Superseded, link, move
from registry.journal.owners import fate_of, this_process
from registry.journal.states import OPEN, CallState, IllegalMove
from registry.record import Also, ErasedMeanwhile, Recorded
from registry.times import now
from replay.alone import alone, under_way
from replay.answered import packed, unpacked
from replay.errors import Unrecorded
from replay.outcome import EndState, OutcomeClass, Safety
from replay.provider import Call, Job, Outcome, Provider, follow, never
from replay.providers.http.outputs import answer_file
from replay.resuming import fate_of_call, next_step, resumed_key

_LOOK_S: Final = 0.2  # between two looks at a call that another process makes
_MARGIN_S: Final = 60.0
_KEY: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{7,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Paying:
    """How one call is paid for.

    Args:
        key: names the call; the same key again goes on with the same call, it never makes a second one.
        budget: what it is taken from; None where nobody set one.
        reserve: what it may cost, in billionths of ``currency``.
        currency: of the reservation.
        run: the run that wants it.
        owner: this process, or a worker that has a heartbeat.
        pause: waits for so many seconds between two polls; may return early.
        stopping: once true, the job is canceled where the provider can.
    """

    key: str
    budget: str | None = None
    reserve: int = 0
    currency: str | None = None
    run: str | None = None
    owner: str = field(default_factory=this_process)
    pause: Callable[[float], None] = time.sleep
    stopping: Callable[[], bool] = never

    def __post_init__(self) -> None:
        """Refuse a key that cannot be an exchange id and the name of a folder."""
        if not _KEY(self.key):
            raise InvalidValue("key", self.key, "8 to 64 of A-Z a-z 0-9 . _ : -")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid for, and how what comes of it is recorded.

    ``calling`` makes the call for a key, a folder and a gate; ``told`` records an outcome under the key, with a step of
    the same transaction. ``request_digest`` says whether two orders are the same. ``idempotent`` providers know a
    repeated request by its key. ``answer_s`` is how long an answer may take, ``limit_s`` how long a job.
    """

    provider: Provider
    name: str
    host: str
    operation: str
    model: str
    manifest: str | None
    request_digest: str
    idempotent: bool
    answer_s: float
    limit_s: float | None
    calling: Callable[[str, Path, Callable[[], None]], Call]
    told: Callable[[str, Outcome, str, Also | None], Recorded]


class CallBusy(CouldNotRun):
    """Another process makes the same call, and has not come to an end of it."""

    def __init__(self, key: str, owner: str) -> None:
        """Name the call and who makes it."""
        super().__init__(f"call {key} is being made by {owner}; wait for it, or end that process, then run this again")


class _Stopped(Exception):
    """It was told to stop before anything was sent."""


def pay(registry: Registry, order: Order, paying: Paying) -> Recorded:
    """Make a call, or go on with it from wherever it stands; durable when this returns.

    Raises:
        BudgetSpent: nothing was sent.
        KeyTaken: the key stands for another request.
        CallBusy: another process makes it.
        CallUnclear: the same request is open, and nothing tells whether its process lives.
        AnswerElsewhere: it was answered to a process with another home.
        Unrecorded: it was answered, and what came does not fit a manifest.
    """
    registry.answers.tidy(registry.calls.done_among)
    key = resumed_key(
        registry.calls, order.manifest, order.request_digest, paying.key, owner=paying.owner, run=paying.run,
        answer_s=order.answer_s,
    )  # fmt: skip
    return _Payment(registry, order, replace(paying, key=key)).run()


def is_awaited(registry: Registry, budget: str, owner: str) -> bool:
    """Whether somebody makes a call that may give back some of what it reserved of a budget.

    A call that nobody works on gives back nothing, however long one waits.

    Args:
        registry: where the calls lie.
        budget: its id.
        owner: who asks.
    """
    reserving = [call for call in registry.calls.in_states(sorted(OPEN)) if call.budget == budget]
    mine = [call for call in reserving if call.owner == owner]
    if any(under_way(call.key) for call in mine):
        return True
    others = {call.owner for call in reserving} - {owner}
    return any(fate_of(registry.calls.database, other) == "alive" for other in others)


class _Payment:
    """One call on its way through its states."""

    def __init__(self, registry: Registry, order: Order, paying: Paying) -> None:
        self._registry, self._order, self._paying = registry, order, paying
        self._calls, self._answers = registry.calls, registry.answers
        self._key, self._owner = paying.key, paying.owner
        self._begun = self._tried = False
        self._currency = paying.currency

    def run(self) -> Recorded:
        waited = 0.0
        patience = _MARGIN_S + (self._order.limit_s or self._order.answer_s)
        while True:
            with alone(self._key) as mine:
                done = self._step() if mine else None
            if done is not None:
                return done
            if self._paying.stopping() or waited > patience:
                found = self._calls.get(self._key)
                raise CallBusy(self._key, found.owner if found else "another thread")
            self._paying.pause(_LOOK_S)
            waited += _LOOK_S

    def _step(self) -> Recorded | None:
        """Go as far as it goes; None where it is somebody else's at the moment."""
        stored = self._calls.get(self._key)
        self._begun = self._tried = stored is not None
        if stored is not None:
            self._currency = stored.currency
            if stored.request_digest != self._order.request_digest:
                raise KeyTaken(self._key)
        if stored is None and (found := self._registry.catalog.exchange(self._key)) is not None:
            return self._recorded(found[0])  # it ended before there was anything to pay for
        fate = fate_of_call(self._calls.database, stored, self._owner, self._order.answer_s)
        step = next_step(stored.state if stored else None, fate, idempotent=self._order.idempotent)
        try:
            if stored is None:
                return self._send()
            if step == "answer":
                return self._answer(stored)
            if step == "wait" or not self._calls.take_over(stored, self._owner):
                return None
            if stored.state is CallState.INTENDED and self._answers.holds(self._key):
                step = "follow"  # it was answered; the process ended before its row could say so
            return {"send": self._send, "follow": self._follow, "park": self._park}[step]()
        except (Superseded, IllegalMove):
            return None  # whoever has it now says how it ends

    def _send(self) -> Recorded:
        self._check_budget()
        try:
            self._admit()
            with self._workdir() as work:
                submitted_at, started = now(), time.monotonic()
                job = self._order.provider.submit(self._order.calling(self._key, work, self._gate))
                try:
                    if job.outcome is not None:
                        return self._ended(job.outcome, submitted_at)
                    self._acknowledge(job, submitted_at, work)
                except (Superseded, IllegalMove):
                    self._answered_late(job)
                    raise
                return self._followed(job, submitted_at, started)
        except _Stopped:
            why = "stopped before it was sent"
            return self._ended(Outcome(OutcomeClass.CANCELED, EndState.CANCELED, Safety.NONE, error=why), now())

    def _gate(self) -> None:
        """Right before each try to send: the row that says so; the room that the limiter leaves; nobody else's call."""
        if self._begun:
            before, self._tried = self._tried, self._tried or self._order.idempotent
            self._admit()  # stopped here, the try before may have been carried out
            self._tried = before
            self._calls.renew(self._key, self._owner)
            return
        if self._paying.stopping():
            raise _Stopped
        stored, new = self._calls.intend(self._intent())
        self._begun = True
        if not new:
            raise Superseded(self._key, stored.owner)

    def _intent(self) -> Intent:
        order, paying = self._order, self._paying
        return Intent(
            key=self._key,
            manifest=order.manifest,
            run=paying.run,
            provider=order.name,
            operation=order.operation,
            model=order.model,
            request_digest=order.request_digest,
            budget=paying.budget,
            currency=paying.currency,
            reserved=paying.reserve,
            owner=self._owner,
            note=f"host {order.host}",
        )

    def _check_budget(self) -> None:
        """Refuse early what the reservation would refuse, before files are sent ahead."""
        if self._paying.budget is not None and not self._begun:
            budget = self._registry.budgets.get(self._paying.budget)
            if budget.left < self._paying.reserve:
                self._answers.drop(self._key)  # of a try that was killed before it sent anything
                raise BudgetSpent(budget.id, self._paying.reserve, budget.left, budget.currency)

    def _admit(self) -> None:
        """Wait until the provider's rate in mintmark.toml has room."""
        rate = self._registry.settings.sending.rates.get(self._order.name)
        if rate is None:
            return
        bucket = f"{self._order.name}@{self._order.host}"[:128]
        while wait := self._registry.admissions.admit(bucket, rate.limit, rate.per_ms):
            if self._paying.stopping():
                raise _Stopped
            self._paying.pause(wait / 1000)

    def _ended(self, outcome: Outcome, submitted_at: str) -> Recorded:
        """It ended with the answer to submit, or with none."""
        answered = outcome.http_status is not None and outcome.http_status < 300
        if answered or outcome.class_ is OutcomeClass.MALFORMED:
            return self._finish(CallState.RECORDED, outcome, submitted_at)
        if self._tried and outcome.class_ is not OutcomeClass.AMBIGUOUS:
            # That this try was refused says nothing of the one whose process ended.
            why = f"an earlier try may have been carried out; this one ended as {outcome.class_}: {outcome.error}"
            outcome = replace(outcome, class_=OutcomeClass.AMBIGUOUS, state=EndState.UNKNOWN, error=why)
        parked = outcome.class_ is OutcomeClass.AMBIGUOUS
        return self._finish(CallState.AMBIGUOUS if parked else CallState.FAILED, outcome, submitted_at)

    def _acknowledge(self, job: Job, submitted_at: str, work: Path) -> None:
        file = answer_file(job.call)
        self._answers.keep(self._key, packed(job, submitted_at), file if file.exists() else None)
        self._calls.acknowledge(self._key, self._owner, job.id)

    def _follow(self) -> Recorded:
        """Go on from the answer that another process left."""
        with self._workdir() as work:
            data = self._answers.load(self._key, work)
            if data is None:
                stored = self._calls.get(self._key)
                raise AnswerElsewhere(self._key, stored.owner if stored else "nobody")
            call = self._order.calling(self._key, work, self._gate)
            job, submitted_at = unpacked(data, call)
            if (stored := self._calls.get(self._key)) is not None and stored.state is CallState.INTENDED:
                self._calls.acknowledge(self._key, self._owner, job.id)
            return self._followed(job, submitted_at, job.started or 0.0)

    def _followed(self, job: Job, submitted_at: str, started: float) -> Recorded:
        outcome = follow(
            self._order.provider,
            job,
            start=started,
            limit_s=self._order.limit_s,
            pause=self._paying.pause,
            stopping=self._paying.stopping,
        )
        return self._finish(CallState.RECORDED, outcome, submitted_at)

    def _park(self) -> Recorded:
        """Nobody knows whether the request left before the process that made it ended."""
        why = "the process that made this call ended before an answer came: it may have been carried out and billed"
        stored = self._calls.get(self._key)
        outcome = Outcome(OutcomeClass.AMBIGUOUS, EndState.UNKNOWN, error=why)
        return self._finish(CallState.AMBIGUOUS, outcome, stored.intended_at if stored else now())

    def _answer(self, stored: StoredCall) -> Recorded:
        """The generation that says how the call ended."""
        if stored.generation is not None:
            return self._recorded(stored.generation)
        outcome = Outcome(OutcomeClass.AMBIGUOUS, EndState.UNKNOWN, error=f"no output; a person said: {stored.state}")
        return self._order.told(
            self._key, outcome, stored.intended_at, lambda connection, made: link(connection, self._key, made)
        )

    def _finish(self, state: CallState, outcome: Outcome, submitted_at: str) -> Recorded:
        """Record how it ended and move the row in one transaction."""
        settled = self._settled(outcome)

        def also(connection: Connection, made: str) -> None:
            move(
                connection,
                self._key,
                state,
                owner=self._owner,
                job=outcome.job_id,
                generation=made,
                settled=settled,
                note=f"request id {outcome.request_id}" if outcome.request_id else None,
            )

        try:
            recorded = self._order.told(self._key, outcome, submitted_at, also if self._begun else None)
        except ExchangeConflict as problem:  # recorded with no row: an earlier try ended before anything was sent
            if self._begun:
                with self._calls.database.writing() as connection:
                    also(connection, problem.stored)
            recorded = self._recorded(problem.stored)
        except Refused as problem:
            if self._answers.holds(self._key):
                raise Unrecorded(self._key, problem) from problem
            raise
        except ErasedMeanwhile:
            if self._begun:
                self._calls.move(self._key, state, owner=self._owner, settled=settled, note="erased meanwhile")
            self._answers.drop(self._key)
            raise
        self._answers.drop(self._key)
        return recorded

    def _settled(self, outcome: Outcome) -> int | None:
        """What the provider says it charged, where that is in the currency of the reservation."""
        cost = outcome.cost
        if cost is None or cost.amount is None or cost.currency != (self._currency or cost.currency):
            return None
        return nanos_of(cost.amount)

    def _answered_late(self, job: Job) -> None:
        """Somebody else went on with this call while it was on its way; that it was carried out is known now."""
        outcome, stored = job.outcome, self._calls.get(self._key)
        if stored is None or stored.state in OPEN:
            return
        carried_out = outcome is None or (outcome.http_status is not None and outcome.http_status < 300)
        if carried_out and stored.state in (CallState.AMBIGUOUS, CallState.UNPAID):
            self._calls.move(self._key, CallState.PAID, note=f"the answer came after all: job {job.id or 'without id'}")
        self._answers.drop(self._key)

    def _recorded(self, generation: str) -> Recorded:
        return Recorded(generation, self._registry.catalog.manifest(generation), False)

    @contextmanager
    def _workdir(self) -> Iterator[Path]:
        work = self._answers.workdir(self._key)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            if not self._begun:
                self._answers.drop(self._key)
