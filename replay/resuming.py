"""What follows from where the row of a paid call stands and from what became of whoever made it."""

from typing import Final, Literal, TypeAlias

from registry.database import Database
from registry.journal.calls import Calls, StoredCall, age_s
from registry.journal.owners import Fate, fate_of
from registry.journal.states import OPEN, CallState

_SILENT_S: Final = 30.0
_MARGIN_S: Final = 60.0

Step: TypeAlias = Literal["send", "follow", "park", "wait", "answer"]


def next_step(state: CallState | None, fate: Fate, *, idempotent: bool) -> Step:
    """What to do about a call, given where its row stands and what became of its owner; None is no row."""
    if state is None:
        return "send"
    if state not in OPEN:
        return "answer"
    if fate == "alive":
        return "wait"
    if state is CallState.ACKNOWLEDGED:
        return "follow"
    return "send" if idempotent else "park"


def fate_of_call(database: Database, stored: StoredCall | None, owner: str, answer_s: float) -> Fate:
    """Whether somebody else still works on a call; of another machine, after how long a silence nobody does.

    Args:
        database: where heartbeats lie.
        stored: its row; None where there is none.
        owner: who asks, and holds the call alone in its own process.
        answer_s: how long an answer may take.
    """
    if stored is None or stored.owner == owner:
        return "gone"
    fate = fate_of(database, stored.owner)
    if fate == "unknown":  # who works on a run has a heartbeat
        patience = _SILENT_S if stored.run else answer_s + _MARGIN_S
        return "gone" if age_s(stored.updated_at) > patience else "alive"
    return fate


def resumed_key(
    calls: Calls, manifest: str | None, request_digest: str, key: str, *, owner: str, run: str | None
) -> str:
    """The key to go on with: outside of runs, that of the same request of a process that has ended, if there is one."""
    if run is None and calls.get(key) is None:
        for left in calls.unfinished(manifest, request_digest):
            if left.owner != owner and fate_of(calls.database, left.owner) == "gone":
                return left.key
    return key
