"""A run made by the process that asks for it: a worker of its own, with the help of others if there are any."""

from collections.abc import Callable
from typing import Final

from registry.errors import NotFound
from registry.home import Registry
from registry.journal.runs import Runs
from registry.journal.workers import Workers
from replay.errors import ReplayError
from replay.jobs import OWN, SUITE, Job
from replay.worker import Worker
from replay.workflows import Planned

_LOOK_S: Final = 0.1
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
) -> None:
    """Bring a run to its end, or go on with it wherever it stood; it has a result when this returns.

    Where another worker has it, this one waits for that and helps. When this is interrupted, calls that are on their
    way are finished, and the run waits until somebody asks for it again.

    Args:
        registry: where the run lies.
        run_id: full id.
        threads: replays at a time.
        tell: called about ten times a second while it goes on.

    Raises:
        NotFound: there is no such run.
        RunDead: it cannot go on by itself.
        DatabaseFailed: a database cannot be reached.
    """
    runs = Runs(registry.catalog.database)
    runs.state(run_id)
    worker = Worker(registry, Planned(), threads=threads, own=True)
    worker.start()
    try:
        _begin(worker, registry, run_id)
        while True:
            tell()
            job = worker.jobs.get(run_id)
            if job.state in ("done", "dead", "canceled"):
                break
            if worker.wait(_LOOK_S):
                raise RunDead(run_id, "this process stood still for so long that others took it for dead")
            adopt(worker, registry, job)
        worker.settle_notices(_NOTICES_S)
        if runs.get(run_id).result is None:
            raise RunDead(run_id, job.error)
    finally:
        worker.stop()


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
