"""What follows from where the row of a paid call stands and from what became of whoever made it."""

from typing import Final, Literal, TypeAlias

from registry.capture.protocol import TIMEOUT_S
from registry.database import Database
from registry.errors import CouldNotRun
from registry.journal.calls import Calls, StoredCall, age_s
from registry.journal.owners import Fate, fate_of
from registry.journal.states import OPEN, CallState
from replay.alone import under_way

_MARGIN_S: Final = 60.0
_OR_UNPAID: Final = " (or unpaid, if it was not billed)"

Step: TypeAlias = Literal["send", "follow", "park", "wait", "answer"]


class CallUnclear(CouldNotRun):
    """The same request is on its way, made where nobody here can look."""

    def __init__(self, call: StoredCall, wait_s: float) -> None:
        """Name the call, and what can be done about it."""
        super().__init__(
            f"call {call.key} is this very request, {call.state} since {call.updated_at}, and nothing here tells "
            f"whether {call.owner} still works on it; nothing was sent. Run this again in {wait_s:.0f} s: then it goes "
            f"on with that call. Where that process has ended, `mintmark replay ambiguous paid {call.key} --ended "
            f"--by NAME --reason TEXT` gives the call up{_OR_UNPAID if call.state is CallState.INTENDED else ''}"
        )


def next_step(state: CallState | None, fate: Fate, *, idempotent: bool) -> Step:
    """What to do about a call, given where its row stands and what became of its owner; None is no row."""
    if state is None:
        return "send"
    if state not in OPEN:
        return "answer"
    if fate != "gone":
        return "wait"
    if state is CallState.ACKNOWLEDGED:
        return "follow"
    return "send" if idempotent else "park"


def fate_of_call(database: Database, stored: StoredCall | None, owner: str, answer_s: float = TIMEOUT_S) -> Fate:
    """Whether somebody else still works on a call.

    Where nobody can look, in another container or on another machine, a row that has not moved for a minute longer
    than an answer may take is one that nobody waits for. Should its owner live all the same, nothing is sent twice:
    who goes on from there reads, or parks.

    Args:
        database: where heartbeats lie.
        stored: its row; None where there is none.
        owner: who asks, and holds the call alone in its own process.
        answer_s: how long an answer may take.
    """
    if stored is None or stored.owner == owner:
        return "gone"
    fate = fate_of(database, stored.owner)
    return "gone" if fate == "unknown" and _left_s(stored, answer_s) < 0 else fate


def resumed_key(
    calls: Calls,
    manifest: str | None,
    request_digest: str,
    key: str,
    *,
    owner: str,
    run: str | None,
    answer_s: float = TIMEOUT_S,
) -> str:
    """The key to go on with: outside of runs, that of the same request of a process that has ended, if there is one.

    What this process itself left behind counts, unless one of its threads is at it.

    Raises:
        CallUnclear: the same request is open, and nothing tells whether it is still being made.
    """
    if run is not None or calls.get(key) is not None:
        return key
    unclear: StoredCall | None = None
    for left in calls.unfinished(manifest, request_digest):
        fate = "alive" if under_way(left.key) else fate_of_call(calls.database, left, owner, answer_s)
        if fate == "gone":
            now = calls.get(left.key)
            if now is not None and now.state in OPEN:
                return left.key
            continue  # whoever was at it has ended it meanwhile: that outcome is theirs
        unclear = left if fate == "unknown" else unclear
    if unclear is not None:
        raise CallUnclear(unclear, _left_s(unclear, answer_s) + 1)
    return key


def _left_s(stored: StoredCall, answer_s: float) -> float:
    """Seconds until nobody can be waiting for an answer to it any more."""
    return answer_s + _MARGIN_S - age_s(stored.updated_at)
