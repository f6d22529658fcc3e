"""How calls end: outcome classes, safety and job states as data, with the moves a job can make.

Theory: a job lives at the provider, and we learn its state from what the provider says. ``JobState`` holds what may be
said, ``MOVES`` what may follow what. When we stop listening there is an ``OutcomeClass`` (what a person has to know)
and an ``EndState`` (where the job stood); ``ENDS`` says which go together. The three enums equal the words of
``schemas/manifest/v1``.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from replay.errors import IllegalTransition


class OutcomeClass(StrEnum):
    """What became of a call; one set for every provider."""

    SUCCEEDED = "succeeded"
    BLOCKED = "blocked"  # safety: change the input, never try again unchanged
    REJECTED = "rejected"  # the request is wrong
    AUTH = "auth"
    QUOTA = "quota"
    RETRYABLE = "retryable"  # was tried again as often as allowed
    TIMEOUT = "timeout"
    AMBIGUOUS = "ambiguous"  # cut after sending: may have been billed, never resent without a person
    FAILED = "failed"
    MALFORMED = "malformed"  # the answer is not what the description says
    CANCELED = "canceled"
    EXPIRED = "expired"
    RETIRED = "retired"
    UNSUPPORTED = "unsupported"


class Safety(StrEnum):
    """What the provider's safety system did."""

    NONE = "none"
    REFUSED = "refused"
    OMITTED = "omitted"  # fewer outputs than asked for
    ALTERED = "altered"
    UNKNOWN = "unknown"


class JobState(StrEnum):
    """What a provider may say about a job."""

    SUBMITTED = "submitted"  # handed over; the provider has not said more
    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class EndState(StrEnum):
    """Where a job stood when its outcome was taken down; ``unknown`` if the provider never said that it ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


_ENDED: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.EXPIRED})

MOVES: Final[Mapping[JobState, frozenset[JobState]]] = {
    JobState.SUBMITTED: frozenset({JobState.QUEUED, JobState.PROCESSING}) | _ENDED,
    JobState.QUEUED: frozenset({JobState.PROCESSING}) | _ENDED,
    # A provider whose machine was taken away puts the job back in line.
    JobState.PROCESSING: frozenset({JobState.QUEUED}) | _ENDED,
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
    JobState.EXPIRED: frozenset(),
}
"""From each state, the other states that may follow; staying is always allowed."""

_FAILED: Final = frozenset({EndState.FAILED})
_OPEN: Final = frozenset({EndState.FAILED, EndState.UNKNOWN})

ENDS: Final[Mapping[OutcomeClass, frozenset[EndState]]] = {
    OutcomeClass.SUCCEEDED: frozenset({EndState.SUCCEEDED}),
    OutcomeClass.BLOCKED: frozenset({EndState.FAILED, EndState.SUCCEEDED}),  # some answer 200 and a reason
    OutcomeClass.REJECTED: _FAILED,
    OutcomeClass.AUTH: _OPEN,
    OutcomeClass.QUOTA: _OPEN,
    OutcomeClass.RETRYABLE: _OPEN,
    OutcomeClass.TIMEOUT: frozenset({EndState.FAILED, EndState.CANCELED, EndState.UNKNOWN}),
    OutcomeClass.AMBIGUOUS: frozenset({EndState.UNKNOWN}),
    OutcomeClass.FAILED: _FAILED,
    OutcomeClass.MALFORMED: frozenset({EndState.SUCCEEDED, EndState.FAILED, EndState.UNKNOWN}),
    OutcomeClass.CANCELED: frozenset({EndState.CANCELED, EndState.UNKNOWN}),  # not every provider can be stopped
    OutcomeClass.EXPIRED: frozenset({EndState.EXPIRED, EndState.SUCCEEDED}),  # done, but its files are gone
    OutcomeClass.RETIRED: _FAILED,
    OutcomeClass.UNSUPPORTED: _FAILED,
}
"""For each outcome class, where the job can have stood."""


def ended(state: JobState) -> bool:
    """Whether nothing can follow ``state``."""
    return not MOVES[state]


def advance(before: JobState, after: JobState) -> JobState:
    """``after``, if a job in ``before`` can come to stand there.

    Raises:
        IllegalTransition: it cannot.
    """
    if after != before and after not in MOVES[before]:
        raise IllegalTransition(before, after)
    return after
