"""What a process does for its recorder once it has been forked off, and what it waits for before it ends."""

import sys
from typing import Final, Protocol

_CHILD_S: Final = 30.0  # that a child of multiprocessing waits for its jobs at its end


class Forked(Protocol):
    """A recorder, as a child sees it."""

    def begin_anew(self) -> None:
        """Forget the parent's threads and calls."""

    def close(self, seconds: float) -> None:
        """Wait for what goes on."""


def begin_anew(recorder: Forked | None) -> None:
    """In the child: begin anew, and where it is one of multiprocessing, end well."""
    if recorder is None:
        return
    recorder.begin_anew()
    working = sys.modules.get("multiprocessing.util")
    if working is not None:  # it forgets, once the child begins, what was to be done at the end of its parent
        working.register_after_fork(recorder, _end_well)


def _end_well(recorder: Forked) -> None:
    """Such a child ends by ``os._exit``, and runs nothing before but this."""
    sys.modules["multiprocessing.util"].Finalize(None, recorder.close, (_CHILD_S,), exitpriority=0)
