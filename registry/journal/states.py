"""States of a paid call as data: what may follow what, and where its money stands.

Theory: the row of a call is committed before the request leaves, so a crash can lose an answer and never the fact that
there was a call. Money is reserved with the first row. It is settled or released by the very move that decides it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from registry.errors import CouldNotRun


class CallState(StrEnum):
    """Where a paid call stands."""

    INTENDED = "intended"  # the request may be on its way
    ACKNOWLEDGED = "acknowledged"  # the provider has answered, and what it said is on disk
    RECORDED = "recorded"  # a generation says how it ended
    FAILED = "failed"  # not carried out, nothing owed
    AMBIGUOUS = "ambiguous"  # may have been carried out and billed: a person has to ask the vendor
    PAID = "paid"  # it was billed, and there is no output
    UNPAID = "unpaid"  # it was not billed: it may be made again, under another key


_DONE: Final[frozenset[CallState]] = frozenset()

MOVES: Final[Mapping[CallState, frozenset[CallState]]] = {
    CallState.INTENDED: frozenset({CallState.ACKNOWLEDGED, CallState.RECORDED, CallState.FAILED, CallState.AMBIGUOUS}),
    # An answer whose output can no longer be recorded was paid for all the same.
    CallState.ACKNOWLEDGED: frozenset({CallState.RECORDED, CallState.PAID}),
    CallState.AMBIGUOUS: frozenset({CallState.PAID, CallState.UNPAID}),
    # The bill, or a late answer, knows better than whoever said so.
    CallState.UNPAID: frozenset({CallState.PAID}),
    CallState.RECORDED: _DONE,
    CallState.FAILED: _DONE,
    CallState.PAID: _DONE,
}
"""From each state, what may follow; everything else is refused."""

OPEN: Final = frozenset({CallState.INTENDED, CallState.ACKNOWLEDGED})
"""Somebody has to go on with the call."""

RESERVING: Final = OPEN | {CallState.AMBIGUOUS}
"""The budget holds the reservation back."""

SETTLING: Final = frozenset({CallState.RECORDED, CallState.PAID})
"""The call is paid for."""


class IllegalMove(CouldNotRun):
    """A call was to be moved where no call of its state can go."""

    def __init__(self, key: str, before: str, after: str) -> None:
        """Name the call and both states."""
        super().__init__(
            f"call {key} is {before} and cannot become {after}; `mintmark replay ambiguous` shows what is open"
        )
        self.before, self.after = before, after


def check_move(key: str, before: CallState, after: CallState) -> None:
    """Let a move pass that the table has.

    Raises:
        IllegalMove: it has not.
    """
    if after not in MOVES[before]:
        raise IllegalMove(key, before, after)
