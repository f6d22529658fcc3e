"""What the engine runs: a run from what it wants to what it finds, in shares that any worker can take."""

import threading
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Final, Protocol, TypeVar

from drift.errors import MintmarkError
from registry.assets.local import StorageFailed
from registry.database import DatabaseFailed
from registry.home import Registry
from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay.crew import Crew, HandOver
from replay.jobs import BATCH, SHARE, SHARES, Job, JobError, Jobs, Lane
from replay.lasting import lasting
from replay.suites import making
from replay.suites.running import Finished, advance

T = TypeVar("T")
Item = tuple[str, int]
"""One replay that a run wants: manifest and ordinal."""

TICK_S: Final = 1.0  # between two looks whether a run was canceled
_LOOK_S: Final = 0.5  # between two looks whether the shares that others have are done
_ALONE: Final = 64  # replays that one worker makes without giving shares away, where it is the only one
_PIECES: Final = 16


class Suites(Protocol):
    """What a run is: replay/suites decides it, this module only has it done."""

    def advance(self, registry: Registry, run_id: str) -> Sequence[Item]:
        """The replays that a run wants now; none when it is finished. The same rows give the same answer."""
        ...

    def make_one(
        self,
        registry: Registry,
        run_id: str,
        manifest: str,
        ordinal: int,
        *,
        owner: str,
        pause: Callable[[float], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Make one of them, once, however often it is called."""
        ...

    def call_key(self, registry: Registry, run_id: str, manifest: str, ordinal: int) -> str:
        """The key of its call, which a webhook is heard by."""
        ...


class Planned:
    """Runs as replay/suites plans them."""

    def advance(self, registry: Registry, run_id: str) -> Sequence[Item]:
        """See ``Suites``."""
        found = advance(registry, run_id)
        return () if isinstance(found, Finished) else [(one.manifest, one.ordinal) for one in found]

    make_one = staticmethod(making.make_one)

    def call_key(self, registry: Registry, run_id: str, manifest: str, ordinal: int) -> str:
        """See ``Suites``."""
        return making.key_of(Runs(registry.catalog.database).replay(run_id, manifest, ordinal))


class Work:
    """The jobs of one worker.

    Nothing here remembers anything: each job reads the run's rows and goes on from there, so it may be run again from
    the beginning at any time. Who runs a job has its replays to itself, as long as nobody takes it for dead; if two do
    run one, the journal of calls keeps either from paying twice.
    """

    def __init__(
        self, registry: Registry, jobs: Jobs, crew: Crew, worker: str, suites: Suites, *, takes_shares: bool
    ) -> None:
        self._registry, self._jobs, self._crew, self._worker, self._suites = registry, jobs, crew, worker, suites
        self._takes_shares = takes_shares  # whether this worker's queues bring it any
        self._runs = Runs(registry.catalog.database)
        self._workers = Workers(registry.catalog.database)

    def suite(self, run_id: str, lane: Lane) -> None:
        """Bring a run to its end.

        Raises:
            JobError: replays failed for reasons that are no outcome; the run stays open, the job is dead until
                somebody has it tried again.
        """
        before: list[Item] | None = None
        problems: list[BaseException] = []
        while True:
            problems += self._await_shares(run_id, lane)
            if away := [found for found in problems if isinstance(found, DatabaseFailed | StorageFailed)]:
                raise JobError(told(away[0]))  # it was waited for long enough
            wanted = [*self._lasting(lambda: self._suites.advance(self._registry, run_id))]
            if not wanted:
                return
            if wanted == before:
                raise JobError(told(problems[0]) if problems else f"{run_id} makes no progress")
            before = wanted
            mine, others = self._lasting(partial(self._divide, wanted, lane))
            for piece in others:
                self._give(f"{run_id}.{uuid.uuid4().hex[:12]}", [run_id, lane, piece])
            problems = self._make(run_id, lane, mine)

    def share(self, run_id: str, lane: Lane, items: Sequence[Item]) -> None:
        """Make a share of what a run wants.

        Raises:
            JobError: some failed for reasons that are no outcome; whoever has the run tries those again, once.
        """
        if problems := self._make(run_id, lane, [(manifest, ordinal) for manifest, ordinal in items]):
            raise JobError(told(problems[0]))

    def _give(self, name: str, args: list[object]) -> None:
        self._lasting(lambda: self._jobs.add(SHARE, name, args, SHARES))

    def _divide(self, wanted: list[Item], lane: Lane) -> tuple[list[Item], list[list[Item]]]:
        """What to make here, and pieces for whoever else there is; small ones, so that nobody waits for the last."""
        helped = lane == "batch" and self._helped()
        if len(wanted) <= (1 if helped else _ALONE) or not (helped or self._takes_shares):
            return wanted, []
        size = max(-(-len(wanted) // _PIECES), 1 if helped else _ALONE)
        pieces = [wanted[at : at + size] for at in range(0, len(wanted), size)]
        return pieces[0], pieces[1:]

    def _helped(self) -> bool:
        return bool(self._workers.living(BATCH) - {self._worker})

    def _await_shares(self, run_id: str, lane: Lane) -> list[BaseException]:
        """Wait for the shares that others have; what nobody has taken is made here, where no queue brings it.

        Whoever takes one in the instant in which it is taken back makes it, too; its journal keeps that harmless.
        """
        problems: list[BaseException] = []
        while open_ := self._lasting(lambda: self._shares(run_id)):
            left = [] if self._takes_shares else [share for share in open_ if share.state == "queued"]
            if left:
                problems += self._make(run_id, lane, self._lasting(partial(self._taken_back, left[0])))
            elif self._crew.ending.wait(_LOOK_S):
                raise HandOver
        return problems

    def _shares(self, run_id: str) -> list[Job]:
        return self._jobs.find(states=["queued", "running"], kinds=[SHARE], prefix=f"{run_id}.")

    def _taken_back(self, share: Job) -> list[Item]:
        self._jobs.cancel(share.id)
        return [(manifest, ordinal) for manifest, ordinal in share.args[2]]

    def _make(self, run_id: str, lane: Lane, items: Sequence[Item]) -> list[BaseException]:
        """Make replays, as many at a time as the lane has threads; the problems that are no outcomes."""
        stop = threading.Event()
        problems: list[BaseException] = []
        waiting, flying = list(reversed(items)), set[Future[None]]()
        looked = time.monotonic()
        while waiting or flying:
            if self._crew.ending.is_set():
                waiting.clear()
            while waiting and len(flying) < self._crew.threads[lane]:
                flying.add(self._crew.submit(lane, self._one(run_id, waiting.pop(), stop)))
            done, flying = wait(flying, TICK_S, FIRST_COMPLETED)
            problems += [found for found in (one.exception() for one in done) if found is not None]
            if any(isinstance(found, DatabaseFailed | StorageFailed) for found in problems):
                waiting.clear()  # it was waited for long enough; the others would fail of it, too
            if time.monotonic() - looked >= TICK_S and not stop.is_set():
                looked = time.monotonic()
                if self._lasting(lambda: self._runs.state(run_id)) == "canceled":
                    stop.set()
                    self._crew.ring_all()
        if self._crew.ending.is_set() or any(isinstance(found, HandOver) for found in problems):
            raise HandOver
        return problems

    def _one(self, run_id: str, item: Item, stop: threading.Event) -> Callable[[], None]:
        def pause(seconds: float) -> None:
            self._crew.pause(self._suites.call_key(self._registry, run_id, *item), seconds)

        def make() -> None:
            self._suites.make_one(self._registry, run_id, *item, owner=self._worker, pause=pause, stopping=stop.is_set)

        return lambda: self._lasting(make)

    def _lasting(self, work: Callable[[], T]) -> T:
        """Do what may be done again, again: while disk or database fail, or a worker taken for dead still has it."""
        return lasting(work, self._crew.ending.wait)


def told(problem: BaseException) -> str:
    """What the row of a dead job says: our own errors' words; of others the kind and place, for they may quote."""
    if isinstance(problem, MintmarkError | JobError):
        return str(problem)
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"internal error ({type(problem).__name__}{where})"
