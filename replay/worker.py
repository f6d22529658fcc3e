"""One worker: the engine, its threads, its heartbeat, and the eye it has on the others."""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from drift.errors import MintmarkError
from registry.database import DatabaseFailed
from registry.home import Registry
from registry.journal.owners import this_process
from registry.journal.workers import STALE_MS, Workers
from registry.notices import Event
from replay.crew import Crew, HandOver
from replay.engine import Engine, Queue
from replay.jobs import (
    BATCH,
    INTERACTIVE,
    MAIL,
    NOTICE,
    OWN,
    SHARE,
    SHARES,
    SUITE,
    JobError,
    Jobs,
    Lane,
    prepare,
    queue_of,
)
from replay.lasting import lasting
from replay.notify import Notices, Unsent
from replay.workflows import Suites, Work, told

BEAT_S: Final = 3.0
REAP_S: Final = 5.0
GRACE_S: Final = 25.0
"""How long a worker that is told to end waits for calls that nothing can interrupt."""

_FRESH_S: Final = STALE_MS / 1000 - 2 * BEAT_S  # older than that, a heartbeat leaves in doubt who is taken for dead
_LOOK_S: Final = {INTERACTIVE: 0.5, BATCH: 1.0, SHARES: 1.0}
_AT_ONCE: Final = {INTERACTIVE: 32, BATCH: 4, SHARES: 2}
_QUEUES: Final[dict[Lane, tuple[str, ...]]] = {"interactive": (INTERACTIVE,), "batch": (BATCH, SHARES)}
_ROUNDS: Final = 60  # of reaping between two looks at what nobody else tells
_OWN_QUEUE: Final = 4, 0.2
_started = itertools.count()


class Worker:
    """Takes jobs until it is stopped.

    Args:
        registry: whose jobs.
        suites: what a run is.
        threads: replays at a time, in each lane.
        lanes: which to serve.
        own: take nothing but what is put into this worker's own ``queue``: a command that waits for its run is no
            worker for others, whose keys it may not have.
    """

    def __init__(
        self,
        registry: Registry,
        suites: Suites,
        *,
        threads: int = 4,
        lanes: Sequence[Lane] = ("interactive", "batch"),
        own: bool = False,
    ) -> None:
        number = next(_started)
        self.id = f"{this_process()}.{number}"  # never that of a process: its heartbeat says whether it lives
        self.queue = f"{OWN}{self.id}" if own else None
        self.jobs = Jobs(registry.settings)
        self._workers = Workers(registry.catalog.database)
        self._beat_at = time.monotonic(), time.time()
        self._lost, self._stop = threading.Event(), threading.Event()
        self._running, self._counting = 0, threading.Lock()
        self._mislaid: set[str] = set()
        self.broken: dict[str, str] = {}
        """Why runs broke down here, by id, whether or not their jobs' rows could be told."""
        self.unsent: list[Unsent] = []
        """Of a worker that takes only its own jobs, the notices that did not arrive; nobody else tells of them."""
        self.crew = Crew(
            {"interactive": threads, "batch": threads}, listen=lambda: self._engine.listen(), fit=self._wait_until_fit
        )
        self._lanes = () if own else tuple(lanes)
        work = Work(registry, self.jobs, self.crew, self.id, suites, takes_shares=BATCH in self._lanes)
        self._notices = Notices(registry, self.jobs, self.queue or INTERACTIVE)
        kinds: dict[str, Callable[..., object]] = {
            SUITE: self._telling(work.suite),
            SHARE: work.share,
            NOTICE: self._notices.deliver if self.queue is None else self._deliver,
        }
        guarded = {kind: self._guarded(step) for kind, step in kinds.items()}
        self._engine = Engine(prepare(registry.settings), self.id, guarded, self.crew.ring)
        shared = [Queue(name, _AT_ONCE[name], _LOOK_S[name]) for lane in self._lanes for name in _QUEUES[lane]]
        self._queues = shared if self.queue is None else [Queue(self.queue, *_OWN_QUEUE)]
        self._beside = [
            threading.Thread(target=step, name=f"mintmark-{name}", daemon=True)
            for name, step in (("heartbeat", self._keep_beating), ("reaper", self._keep_reaping))
        ]

    def start(self) -> None:
        """Join the others and take jobs; returns at once.

        Raises:
            DatabaseFailed: a database cannot be reached.
        """
        self._workers.join(self.id, self._lanes)
        self._engine.start(self._queues)
        for thread in self._beside:
            thread.start()

    def stop(self, grace: float = GRACE_S, *, give: bool = False) -> None:
        """End: what can be interrupted is handed over at once, what cannot has ``grace`` seconds to finish.

        What was in this worker's own queue is nobody else's: it waits until it is asked for again, unless ``give``
        leaves it to whoever lives.
        """
        self.crew.let_go()
        self._stop.set()
        until = time.monotonic() + grace
        while self._running and time.monotonic() < until:
            time.sleep(0.02)
        self.crew.dismiss()
        self._engine.stop()
        try:
            self._leave(give)
        except Exception as problem:  # the others find out when they miss the heartbeat
            say(f"the jobs of this worker wait until another one misses it: {told(problem)}")
        self.jobs.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait; True as soon as the others have taken this worker for dead: it must stop, its jobs are theirs."""
        return self._lost.wait(seconds)

    def reap(self) -> None:
        """Give the jobs of workers that are gone to those that live."""
        if not self._beat():
            return
        self._find_mislaid()
        living = self._workers.living()
        if len(self._workers.all()) == len(living) and not self.jobs.orphaned(living):
            return
        with self._workers.reaping() as living:
            back, dead = self.jobs.take_over(living)
        for id in back:
            say(f"took over job {id}, whose worker is gone")
        for id in dead:
            say(f"job {id} is dead: worker after worker died of it; see `mintmark jobs show {id}`")
            self._notices.tell_of_dead(id)

    def _find_mislaid(self) -> None:
        """Queue again what the engine took for this worker and does not run: the database was away in between."""
        mine = [job for job in self.jobs.find(states=["running"]) if job.worker == self.id and job.kind != MAIL]
        mislaid = {job.id for job in mine if job.id not in self._engine.running}
        for job in mine:
            if job.id in mislaid & self._mislaid:  # at two looks, so that it neither begins nor ends just now
                self.jobs.move(job.id, self.queue or queue_of(job))
        self._mislaid = mislaid - self._mislaid

    def settle_notices(self, seconds: float) -> None:
        """Wait until what was told here has been sent once; what failed waits for another worker."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(
            job.queue == self.queue for job in self.jobs.find(states=["queued", "running"], kinds=[NOTICE])
        ):
            time.sleep(0.05)

    def _leave(self, give: bool) -> None:
        if self.queue is not None and not give:
            for job in self.jobs.find(states=["running", "queued"]):
                if job.queue == self.queue and job.kind == NOTICE:
                    self.jobs.move(job.id, INTERACTIVE)
                elif job.queue == self.queue:
                    self.jobs.cancel(job.id)
        with self._workers.reaping() as living:
            self.jobs.take_over(living - {self.id})
        if self.queue is not None:
            self.jobs.drop_queue(self.queue)
        self._workers.leave(self.id)

    def _telling(self, work: Callable[[str, Lane], object]) -> Callable[[str, Lane], object]:
        """Tell who wants to know that a run is over, or its job dead."""

        def run(run_id: str, lane: Lane) -> object:
            self.broken.pop(run_id, None)
            try:
                answer = work(run_id, lane)
                lasting(lambda: self._notices.tell_of_run(run_id), self.crew.ending.wait)
            except Exception as problem:
                self.broken[run_id] = told(problem)
                with suppress(DatabaseFailed):
                    self._notices.tell_of_dead(run_id)
                raise
            return answer

        return run

    def _deliver(self, event: Event, about: str, mark: str, *more: Any) -> None:  # noqa: ANN401 - as a job's row has it
        """Send a notice; of one that does not arrive, nothing is said before the command's own answer."""
        try:
            self._notices.deliver(event, about, mark, *more)
        except JobError as problem:
            problem.kept = True
            self.unsent.append(Unsent(event, self._notices.named(mark), problem))
            raise

    def _guarded(self, work: Callable[..., object]) -> Callable[..., object]:
        """Count what runs; a failure leaves harmless words."""

        def run(*args: object) -> object:
            with self._counting:
                self._running += 1
            try:
                return work(*args)
            except Exception as problem:
                raise problem if isinstance(problem, JobError) else JobError(told(problem)) from None
            finally:
                with self._counting:
                    self._running -= 1

        return run

    def _wait_until_fit(self) -> None:
        """Hold back while the last heartbeat is too old: a process that was stopped learns here what it missed."""
        while not self._lost.is_set() and not self.crew.ending.is_set():
            monotonic, wall = self._beat_at  # one of them stands still while a machine sleeps
            if max(time.monotonic() - monotonic, time.time() - wall) < _FRESH_S:
                return
            self.crew.ending.wait(0.05)
        raise HandOver

    def _beat(self) -> bool:
        at = time.monotonic(), time.time()
        if self._workers.beat(self.id):
            self._beat_at = at
            return True
        self.crew.let_go()
        self._lost.set()
        return False

    def _keep_beating(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                if not self._beat():
                    return
            except MintmarkError:  # the database is away: in doubt, nothing new is begun
                continue

    def _keep_reaping(self) -> None:
        rounds, failed, said = 0, False, False
        while not self._lost.is_set():
            try:
                if failed:  # the others could not say that they live either: they have this round to do so
                    self._beat()
                    failed = False
                else:
                    self.reap()
                    if self.queue is None and rounds % _ROUNDS == 0:
                        self._notices.look_round()
                    rounds, said = rounds + 1, False
            except Exception as problem:  # a later round may do better
                if not said:
                    say(f"could not look after the other workers; it is tried again: {told(problem)}")
                failed = said = True
            if self._stop.wait(REAP_S):
                return


def say(sentence: str) -> None:
    """One line for whoever reads this process's output."""
    print(f"mintmark: {sentence}", file=sys.stderr, flush=True)
