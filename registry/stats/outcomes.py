"""How calls ended: outcome classes and safety, counted by group."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from registry.stats.calls import Call
from registry.stats.grouping import Grouping, Key, in_order


@dataclass(slots=True)
class Outcomes:
    """One group: how many calls, and how many of them ended in each way."""

    key: Key
    calls: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    safety: Counter[str] = field(default_factory=Counter)


def outcomes(calls: Iterable[tuple[str, Call]], grouping: Grouping) -> list[Outcomes]:
    """The groups in the order of their names."""
    groups: dict[Key, Outcomes] = {}
    for _, call in calls:
        key = grouping.key(call)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Outcomes(key)
        group.calls += 1
        group.classes[call.outcome.class_] += 1
        group.safety[call.outcome.safety] += 1
    return [groups[key] for key in sorted(groups, key=in_order)]
