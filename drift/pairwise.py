"""What several metrics need of one pair, computed once: the alignment of two transcripts, the lag of two recordings."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from drift.side import Side

Found = TypeVar("Found")


def once_per_pair(measure: Callable[[Side, Side], Found]) -> Callable[[Side, Side], Found]:
    """Keep what ``measure`` returns for as long as both sides live; what it raises is not kept."""
    kept: WeakKeyDictionary[Side, WeakKeyDictionary[Side, Found]] = WeakKeyDictionary()

    @wraps(measure)
    def kept_or_measured(reference: Side, candidate: Side) -> Found:
        of_reference = kept.setdefault(reference, WeakKeyDictionary())
        if candidate not in of_reference:
            of_reference[candidate] = measure(reference, candidate)
        return of_reference[candidate]

    return kept_or_measured
