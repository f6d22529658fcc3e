"""What goes on behind the requests: the index follows the log, checkpoints are signed, records are sequenced."""

import sys
import threading
import time

from drift.errors import MintmarkError
from registry.home import Registry
from registry.indexing import catch_up

POLL = 0.5  # seconds; other processes record too, and what they record is to be found within one
GATHER = 0.2  # seconds after a record, so that a burst of them is indexed in few transactions
CHECKPOINT_EVERY = 256  # entries: one full tile
QUIET = 10.0  # seconds without a record after which the tail is signed, however short


class Follower:
    """One thread beside the server."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mintmark-follower", daemon=True)
        self._failed: str | None = None
        self._tail_since: tuple[int, float] = (0, 0.0)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def notice(self) -> None:
        """Something was recorded here."""
        self._wake.set()

    def stop(self) -> None:
        """End, and sign what no checkpoint covers yet; what is not indexed then is indexed by the next reader."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        try:
            self._registry.sign_checkpoint()
        except MintmarkError as problem:  # the records are durable; the next process signs over them
            print(f"mintmark: no checkpoint was signed at the end: {problem}", file=sys.stderr, flush=True)

    @property
    def fault(self) -> str | None:
        """Why it does not keep up; None while it does."""
        if not self._thread.is_alive():
            return "the thread has ended"
        return self._failed

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._wake.wait(POLL):
                self._wake.clear()
                self._stop.wait(GATHER)
            try:
                self.step()
                self._failed = None
            except Exception as problem:  # a full disk now may be free in a second: say it once, go on
                if self._failed is None:
                    print(f"mintmark: the index falls behind: {problem}", file=sys.stderr, flush=True)
                self._failed = type(problem).__name__
                self._stop.wait(5 * POLL)

    def step(self) -> None:
        """Do once what there is to do."""
        registry = self._registry
        if not registry.catalog.database.is_sqlite:
            while registry.log.sequence() and not self._stop.is_set():
                pass
        while catch_up(registry, most=1) and not self._stop.is_set():
            pass
        with registry.catalog.database.reading() as connection:
            size, tail = registry.log.size(connection), registry.log.unsigned_tail(connection)
        if self._tail_since[0] != size:
            self._tail_since = (size, time.monotonic())
        if tail >= CHECKPOINT_EVERY or (tail and time.monotonic() - self._tail_since[1] >= QUIET):
            registry.sign_checkpoint()
