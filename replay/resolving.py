"""Calls that nobody here can say the end of: what a person needs to ask the vendor, and what a person says."""

from dataclasses import dataclass
from typing import Final

from registry.errors import NotFound
from registry.home import Registry
from registry.journal.budgets import amount_text
from registry.journal.calls import StoredCall, age_s
from registry.journal.owners import fate_of, this_process
from registry.journal.states import OPEN, CallState, check_move
from registry.times import now
from replay.errors import ReplayError

_SILENT_S: Final = 3600.0  # the longest that a job of a description may take; until then its row stands still


class StillRunning(ReplayError):
    """A call whose process lives."""

    def __init__(self, key: str, owner: str) -> None:
        """Name the process."""
        super().__init__(f"call {key} is still being made by {owner}; wait for it, or end that process first")


class PerhapsRunning(ReplayError):
    """A call whose process nobody here can look at."""

    def __init__(self, call: StoredCall) -> None:
        """Name the call, the two ways on, and the danger of the shorter one."""
        wait = (_SILENT_S - age_s(call.updated_at)) / 60
        super().__init__(
            f"call {call.key} was made by {call.owner}, on another machine or in another container, and nothing tells "
            f"whether that process still works on it: say it again in {wait:.0f} min, or with --ended once you have "
            "made sure that it has ended; if it has not, its output is lost, and the call made anew pays twice"
        )


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that a person has to look at, and why: ``ambiguous``, or ``left`` by a process that has ended.

    ``left?`` where that process was another machine's or another container's: nobody can tell.
    """

    call: StoredCall
    why: str

    @property
    def host(self) -> str | None:
        """Where it was sent."""
        lines = (self.call.note or "").splitlines()
        return next((line.removeprefix("host ") for line in lines if line.startswith("host ")), None)

    @property
    def notes(self) -> str:
        """What else was noted of it."""
        return "\n".join(line for line in (self.call.note or "").splitlines() if not line.startswith("host "))

    @property
    def amount(self) -> str | None:
        """What was set aside for it."""
        return None if self.call.currency is None else f"{amount_text(self.call.reserved)} {self.call.currency}"


def open_calls(registry: Registry) -> list[OpenCall]:
    """Every call that waits for a person, the oldest first."""
    found = registry.calls.in_states([*OPEN, CallState.AMBIGUOUS])
    return [OpenCall(call, why) for call in found if (why := _why(registry, call)) is not None]


def resolve(registry: Registry, key: str, *, paid: bool, by: str, reason: str, has_ended: bool = False) -> StoredCall:
    """Write down what a person found out about a call.

    Args:
        registry: where the call is kept.
        key: its key, or the first 8 characters and more of it.
        paid: whether it was billed. If not, its money is free again, and it may be made anew.
        by: who says so.
        reason: why.
        has_ended: whether that person has made sure that its process has ended, where nobody here can look.

    Raises:
        NotFound: no such call, or several.
        StillRunning: its process lives.
        PerhapsRunning: it may, for all one can tell from here, and has moved the row within the hour.
        IllegalMove: it cannot be said of this call.
    """
    call = _called(registry, key)
    said = CallState.PAID if paid else CallState.UNPAID
    if call.state is said:
        return call  # it was said before
    note = f"{now()} {said} by {by}: {reason}"
    if call.state in OPEN:
        _take(registry, call, said, has_ended=has_ended)
    done = registry.calls.move(call.key, said, note=note)
    registry.answers.drop(call.key)
    return done


def _take(registry: Registry, call: StoredCall, said: CallState, *, has_ended: bool) -> None:
    """Take an open call from a process that has ended, so that something can be said of it."""
    if call.state is CallState.ACKNOWLEDGED:
        check_move(call.key, call.state, said)
    fate = fate_of(registry.calls.database, call.owner)
    if fate == "unknown" and not has_ended and age_s(call.updated_at) <= _SILENT_S:
        raise PerhapsRunning(call)
    if fate == "alive" or not registry.calls.take_over(call, this_process()):
        raise StillRunning(call.key, call.owner)
    if call.state is CallState.INTENDED:
        registry.calls.move(call.key, CallState.AMBIGUOUS, owner=this_process())


def _called(registry: Registry, key: str) -> StoredCall:
    if (exact := registry.calls.get(key)) is not None:
        return exact
    states = [*OPEN, CallState.AMBIGUOUS, CallState.UNPAID]
    found = [call for call in registry.calls.in_states(states) if len(key) >= 8 and call.key.startswith(key)]
    if len(found) != 1:
        raise NotFound("call", key, "`mintmark replay ambiguous` lists what is open")
    return found[0]


def _why(registry: Registry, call: StoredCall) -> str | None:
    if call.state is CallState.AMBIGUOUS:
        return "ambiguous"
    fate = fate_of(registry.calls.database, call.owner)
    return {"alive": None, "gone": "left", "unknown": "left?"}[fate]
