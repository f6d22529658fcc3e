"""Beside a server: sees to it that captured calls are recorded whose programs have ended."""

import logging
import threading
import time
from pathlib import Path
from typing import Final

from registry.capturing.draining import Drain
from registry.capturing.opened import open_calls, orphaned
from registry.capturing.spool import Spool

log: Final = logging.getLogger("mintmark.capture")

_LOOK_S: Final = 5.0
_LEFT_S: Final = 10.0  # that an entry waits before it counts as left: a program that runs has a drain of its own
_END_S: Final = 10.0  # for what is being recorded when the server ends


class Emptier:
    """One thread, and a drain while something waits that nobody records; no process where nothing does.

    Args:
        home: of the registry.
    """

    def __init__(self, home: Path) -> None:
        """Start nothing yet."""
        self._spool, self._drain = Spool(home), Drain(home)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mintmark-emptier", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a drain that takes longer than 10 s goes on by itself."""
        self._stop.set()
        self._thread.join()
        self._drain.close(_END_S)

    def _run(self) -> None:
        while True:
            try:
                self._look()
            except OSError as problem:  # the disk may be back in a while
                log.debug("the spool cannot be looked at: %s", problem)
            if self._stop.wait(_LOOK_S):
                return

    def _look(self) -> None:
        oldest = next(self._spool.waiting(), None)
        if (oldest and time.time() - oldest.stat().st_mtime > _LEFT_S) or orphaned(self._spool):
            self._drain.start()
        elif not oldest and not open_calls(self._spool):
            self._drain.close(0)
