"""Calls that nobody here can say the end of: what a person needs to ask the vendor, and what a person says."""

from dataclasses import dataclass

from registry.errors import NotFound
from registry.home import Registry
from registry.journal.budgets import amount_text
from registry.journal.calls import StoredCall
from registry.journal.owners import fate_of, this_process
from registry.journal.states import OPEN, CallState
from registry.times import now
from replay.errors import ReplayError


class StillRunning(ReplayError):
    """A call whose process lives."""

    def __init__(self, key: str, owner: str) -> None:
        """Name the process."""
        super().__init__(f"call {key} is still being made by {owner}; wait for it, or end that process first")


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that a person has to look at, and why: ``ambiguous``, or ``left`` by a process that has ended."""

    call: StoredCall
    why: str

    @property
    def host(self) -> str | None:
        """Where it was sent."""
        lines = (self.call.note or "").splitlines()
        return next((line.removeprefix("host ") for line in lines if line.startswith("host ")), None)

    @property
    def amount(self) -> str | None:
        """What was set aside for it."""
        return None if self.call.currency is None else f"{amount_text(self.call.reserved)} {self.call.currency}"


def open_calls(registry: Registry) -> list[OpenCall]:
    """Every call that waits for a person, the oldest first."""
    found = registry.calls.in_states([*OPEN, CallState.AMBIGUOUS])
    return [OpenCall(call, why) for call in found if (why := _why(registry, call)) is not None]


def resolve(registry: Registry, key: str, *, paid: bool, by: str, reason: str) -> StoredCall:
    """Write down what a person found out about a call.

    Args:
        registry: where the call is kept.
        key: its key, or the first 8 characters and more of it.
        paid: whether it was billed. If not, its money is free again, and it may be made anew.
        by: who says so.
        reason: why.

    Raises:
        NotFound: no such call, or several.
        StillRunning: its process lives.
        IllegalMove: it cannot be said of this call.
    """
    call = _called(registry, key)
    said = CallState.PAID if paid else CallState.UNPAID
    if call.state is said:
        return call  # it was said before
    note = f"{now()} {said} by {by}: {reason}"
    if call.state in OPEN:
        if fate_of(registry.calls.database, call.owner) != "gone" or not registry.calls.take_over(call, this_process()):
            raise StillRunning(call.key, call.owner)
        if call.state is CallState.INTENDED:
            registry.calls.move(call.key, CallState.AMBIGUOUS, owner=this_process())
    done = registry.calls.move(call.key, said, note=note)
    registry.answers.drop(call.key)
    return done


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
