"""A run made by the process that asks for it: a worker of its own, with the help of others if there are any."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from registry.database import DatabaseFailed
from registry.errors import NotFound
from registry.home import Registry
from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay.errors import ReplayError
from replay.jobs import OWN, SUITE, Job
from replay.lasting import lasting
from replay.notify import Unsent
from replay.worker import Worker, say
from replay.workflows import Planned

T = TypeVar("T")
_LOOK_S: Final = 0.1
_LOOKS: Final = 30
_NOTICES_S: Final = 20.0  # one attempt at most; it is skipped where nobody wants to be told


class RunDead(ReplayError):
    """A run whose job failed for reasons that are no outcome."""

    def __init__(self, run_id: str, why: str | None) -> None:
        """Name the run and what its job said."""
        super().__init__(
            f"{run_id} stands still: {why or 'its job is dead'}; once that is mended, go on with "
            f"`mintmark check --resume {run_id}`, which pays for nothing twice"
        )


def drive(
    registry: Registry,
    run_id: str,
    *,
    threads: int = 4,
    tell: Callable[[], None] = lambda: None,
    unsent: Callable[[Unsent], None] = lambda one: None,
) -> None:
    """Bring a run to its end, or go on with it wherever it stood; it has a result when this returns.

    Where another worker has it, this one waits for that and helps. When this is interrupted, calls that are on their
    way are finished, and the run waits until somebody asks for it again. When anything else ends this before the run's
    end, the run is left to whichever worker lives. A database that goes away is waited for, as workers do.

    Args:
        registry: where the run lies.
        run_id: full id.
        threads: replays at a time.
        tell: called about ten times a second while it goes on.
        unsent: told of each notice of the run that did not arrive.

    Raises:
        NotFound: there is no such run.
        RunDead: it cannot go on by itself.
        DatabaseFailed: a database cannot be reached, for longer than workers wait.
    """
    runs = Runs(registry.catalog.database)
    runs.state(run_id)
    while not _worked(registry, run_id, threads, tell, unsent):
        say("this process stood still for so long that others took it for dead; it begins anew")
    _bearing(registry.sign_checkpoint)


def _worked(
    registry: Registry, run_id: str, threads: int, tell: Callable[[], None], unsent: Callable[[Unsent], None]
) -> bool:
    """Follow the run with one worker; False where others have taken that one for dead."""
    worker = _bearing(lambda: _started(registry, threads))
    give = False
    try:
        _bearing(lambda: _begin(worker, registry, run_id))
        while True:
            _bearing(tell)
            if worker.wait(_LOOK_S):
                return False
            if _bearing(lambda: _is_over(worker, registry, run_id)):
                break
        with suppress(DatabaseFailed):
            worker.settle_notices(_NOTICES_S)
    except (RunDead, NotFound):
        raise
    except Exception:
        give = True
        raise
    finally:
        worker.stop(give=give)
        for one in worker.unsent:
            unsent(one)
    return True


def _started(registry: Registry, threads: int) -> Worker:
    worker = Worker(registry, Planned(), threads=threads, own=True)
    try:
        worker.start()
    except BaseException:
        worker.stop(0)
        raise
    return worker


def _is_over(worker: Worker, registry: Registry, run_id: str) -> bool:
    """Whether the run has its result; a job that waits for nobody is taken."""
    for _ in range(_LOOKS):
        job = worker.jobs.get(run_id)
        if job.state in ("done", "dead", "canceled") or run_id not in worker.broken:
            break
        time.sleep(_LOOK_S)  # the engine is about to say so, unless its disk is what fails
    else:
        raise RunDead(run_id, worker.broken[run_id])
    if job.state in ("queued", "running"):
        adopt(worker, registry, job)
        return False
    if Runs(registry.catalog.database).get(run_id).result is None:
        raise RunDead(run_id, job.error)
    return True


def _bearing(ask: Callable[[], T]) -> T:
    def told(problem: Exception) -> None:
        what = " ".join(str(problem).partition("; ")[0].split())  # what to do about it is done here
        say(f"{what}; waiting for it, up to five minutes")

    return lasting(ask, time.sleep, told)


def _begin(worker: Worker, registry: Registry, run_id: str) -> None:
    """Put the run's job into the worker's own queue, unless somebody else has it."""
    assert worker.queue is not None
    worker.reap()
    try:
        job = worker.jobs.retry(run_id, worker.queue)
    except NotFound:
        worker.jobs.add(SUITE, run_id, [run_id, "batch"], worker.queue)
    else:
        adopt(worker, registry, job)


def adopt(worker: Worker, registry: Registry, job: Job) -> None:
    """Take a job that waits where nobody looks; one that others can take is left to them."""
    if job.state != "queued" or worker.queue is None or job.queue == worker.queue:
        return
    workers = Workers(registry.catalog.database)
    own = (job.queue or "").startswith(OWN)
    if not (workers.living() & {str(job.queue).removeprefix(OWN)} if own else workers.living(job.queue)):
        worker.jobs.move(job.id, worker.queue)
