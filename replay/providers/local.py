"""Local engines: work is done at submit, on this machine; a wrong request is an outcome, never an exception."""

import errno
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from registry.assets.local import StorageFailed
from registry.canonical import JSON
from replay.errors import JobUnfinished
from replay.outcome import EndState, JobState, OutcomeClass, Safety, ended
from replay.provider import Call, Job, Outcome, Output, latency_ms

DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""What the system says where a disk takes no more."""


class Refusal(Exception):
    """An engine will not do the call; ``LocalEngine`` turns it into an outcome."""

    def __init__(self, why: str, class_: OutcomeClass = OutcomeClass.REJECTED, safety: Safety = Safety.NONE) -> None:
        """Keep the reason and what it means for the caller."""
        super().__init__(why)
        self.class_, self.safety = class_, safety


@dataclass(frozen=True, slots=True)
class Made:
    """What an engine made: files, the exact model that served, and the seed it used if it has one."""

    outputs: tuple[Output, ...]
    served_model: str
    actual_seed: str | None = None


class LocalEngine(ABC):
    """A provider that runs in this process: ``submit`` returns a job that has ended."""

    @abstractmethod
    def make(self, call: Call) -> Made:
        """Do the work, writing files into ``call.workdir``.

        Raises:
            Refusal: the request cannot be done, and why.
        """

    @abstractmethod
    def engine(self) -> Mapping[str, JSON]:
        """``environment.engine`` of the manifest: name, build, library versions, model-file digests."""

    def submit(self, call: Call) -> Job:
        """Do the whole call.

        Raises:
            StorageFailed: the disk does not take the output. That is no failure of the engine's.
        """
        start = time.perf_counter()
        try:
            outcome = self._finished(self.make(call))
        except Refusal as refusal:
            outcome = Outcome(refusal.class_, EndState.FAILED, refusal.safety, error=str(refusal))
        except OSError as error:
            if error.errno in DISK:
                raise StorageFailed(call.workdir.parent, error) from error
            outcome = Outcome(OutcomeClass.FAILED, EndState.FAILED, Safety.NONE, error=f"cannot write or read: {error}")
        took = round((time.perf_counter() - start) * 1000)
        outcome = replace(outcome, engine=self.engine(), latency_ms=latency_ms(queue=0, run=took, total=took))
        return Job(call, JobState(outcome.state), outcome=outcome)

    def poll(self, job: Job) -> Job:
        """The job as it is: it ended at submit."""
        return job

    def fetch(self, job: Job) -> Outcome:
        """What ``submit`` took down.

        Raises:
            JobUnfinished: a job that this engine never ran.
        """
        if job.outcome is None:
            raise JobUnfinished(job.id, job.state)
        return job.outcome

    def cancel(self, job: Job) -> Job:
        """The job as it is, if it ended; else (it was never run) as canceled."""
        if ended(job.state):
            return job
        outcome = Outcome(OutcomeClass.CANCELED, EndState.CANCELED, Safety.NONE, engine=self.engine())
        return replace(job, state=JobState.CANCELED, outcome=outcome)

    def _finished(self, made: Made) -> Outcome:
        return Outcome(
            OutcomeClass.SUCCEEDED,
            EndState.SUCCEEDED,
            Safety.NONE,
            outputs=made.outputs,
            served_model=made.served_model,
            actual_seed=made.actual_seed,
        )
