"""Does again what may be done again, for as long as a database, a disk or another worker may be away."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from registry.assets.local import StorageFailed
from registry.database import DatabaseFailed
from replay.crew import HandOver
from replay.paying import CallBusy

T = TypeVar("T")
PATIENCE_S: Final = 300.0
"""How long a database may be away."""

_FIRST_S, _LONGEST_S = 0.25, 10.0


def lasting(
    work: Callable[[], T],
    wait: Callable[[float], object],
    told: Callable[[Exception], None] = lambda problem: None,
) -> T:
    """Do something until it is done.

    Args:
        work: what may be done again at any time.
        wait: waits so many seconds; what it gives is true where nobody is to wait any more.
        told: told of what fails first.

    Raises:
        HandOver: ``wait`` said so.
        DatabaseFailed, StorageFailed, CallBusy: it failed for five minutes.
    """
    until, pause = time.monotonic() + PATIENCE_S, _FIRST_S
    while True:
        try:
            return work()
        except (DatabaseFailed, StorageFailed, CallBusy) as problem:
            if time.monotonic() > until:
                raise
            if pause == _FIRST_S:
                told(problem)
        if wait(pause):
            raise HandOver
        pause = min(2 * pause, _LONGEST_S)
