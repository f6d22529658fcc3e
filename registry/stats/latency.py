"""How fast calls came back, and whether workflows keep what they are promised."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from registry.objectives import Objective
from registry.stats.calls import PHASES, Call
from registry.stats.grouping import Grouping, Key, in_order

PERCENTS: Final = (50, 95, 99)
OUT_OF_TIME: Final = frozenset({"timeout", "expired"})  # we waited no longer, or the provider did not


class Times:
    """Durations in milliseconds; eight bytes for each."""

    def __init__(self) -> None:
        self._values = array("q")
        self._sorted = True

    def __len__(self) -> int:
        return len(self._values)

    def add(self, milliseconds: int) -> None:
        """One more."""
        self._values.append(milliseconds)
        self._sorted = False

    def percentile(self, percent: int) -> int | None:
        """The nearest rank: the smallest duration that ``percent`` of all do not exceed.

        None where there are fewer than ``needed(percent)``: the answer would be the slowest call, whatever was asked.
        """
        count = len(self._values)
        if count < needed(percent):
            return None
        if not self._sorted:
            self._values = array("q", sorted(self._values))
            self._sorted = True
        return self._values[-(-percent * count // 100) - 1]


def needed(percent: int) -> int:
    """How many calls a percentile takes, so that at least one lies above it: 2, 20 and 100."""
    return -(-100 // (100 - percent))


@dataclass(slots=True)
class Latencies:
    """One group: the durations of calls that succeeded, and how many of all ran out of time."""

    key: Key
    calls: int = 0
    succeeded: int = 0
    out_of_time: int = 0
    total: Times = field(default_factory=Times)
    phases: dict[str, Times] = field(default_factory=dict)

    def add(self, call: Call) -> None:
        """One more call."""
        self.calls += 1
        self.out_of_time += call.outcome.class_ in OUT_OF_TIME
        if call.outcome.class_ != "succeeded":
            return
        self.succeeded += 1
        taken = call.outcome.latency_ms
        if taken.total is not None:
            self.total.add(taken.total)
        for name in PHASES:
            milliseconds = getattr(taken, name)
            if milliseconds is not None:
                self.phases.setdefault(name, Times()).add(milliseconds)


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise to a workflow: what was measured, and whether it is kept; ``unknown`` says why it is."""

    name: str
    limit: float
    measured: float | None
    answer: Literal["kept", "missed", "unknown"]
    why: str | None = None


def latencies(
    calls: Iterable[tuple[str, Call]], grouping: Grouping, objectives: Mapping[str, Objective]
) -> tuple[list[Latencies], dict[str, list[Kept]]]:
    """The groups in the order of their names, and for each workflow with an objective what became of it."""
    groups: dict[Key, Latencies] = {}
    promised = {name: Latencies((name,)) for name in objectives}
    for _, call in calls:
        key = grouping.key(call)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Latencies(key)
        group.add(call)
        if call.replay_of is None and (held := promised.get(call.workflow or "")) is not None:
            held.add(call)
    found = [groups[key] for key in sorted(groups, key=in_order)]
    return found, {name: list(held_against(objectives[name], held)) for name, held in promised.items()}


def held_against(objective: Objective, measured: Latencies) -> Iterable[Kept]:
    """Each figure of an objective against what was measured."""
    for name, limit in objective.times.items():
        percent = int(name[1:3])
        taken = measured.total.percentile(percent)
        if taken is None:
            why = f"{len(measured.total)} of {needed(percent)} timed"
            yield Kept(name, limit, None, "unknown", why)
        else:
            yield Kept(name, limit, taken, "kept" if taken <= limit else "missed")
    if (rate := objective.timeout_rate) is not None:
        enough = calls_needed(rate)
        if measured.calls < enough:
            yield Kept("timeout_rate", rate, None, "unknown", f"{measured.calls} of {enough} calls")
        else:
            share = measured.out_of_time / measured.calls
            yield Kept("timeout_rate", rate, share, "kept" if share <= rate else "missed")


def calls_needed(rate: float) -> int:
    """How many calls it takes before one that runs out of time does not break a promise by itself: 100 for 1 %."""
    return -(-1 // Fraction(str(rate or 0.01)))
