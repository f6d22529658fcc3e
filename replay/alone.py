"""Which calls the threads of this process are at, so that each is made by one of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_UNDER_WAY: set[str] = set()
_LOCK = threading.Lock()


@contextmanager
def alone(key: str) -> Iterator[bool]:
    """Hold a call among the threads of this process; False where another one has it."""
    with _LOCK:
        mine = key not in _UNDER_WAY
        _UNDER_WAY.add(key)
    try:
        yield mine
    finally:
        if mine:
            with _LOCK:
                _UNDER_WAY.discard(key)


def under_way(key: str) -> bool:
    """Whether a thread of this process is at a call."""
    with _LOCK:
        return key in _UNDER_WAY
