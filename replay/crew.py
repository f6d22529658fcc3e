"""The hands of one worker: threads for each lane, bells that cut a wait short, and when to let go."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
_MOST_BELLS: Final = 1000  # a bell that is dropped costs one poll more


class HandOver(BaseException):
    """This worker ends, or was taken for dead: what is on its way stays as the journal has it, for somebody else.

    No ``Exception``, so that nobody on the way takes it for an outcome and writes it down.
    """


class Crew:
    """Threads for each lane, so that no lane can take another's; ``ending`` is set when the worker lets go.

    Args:
        threads: how many each lane has.
        listen: called when the first thread waits for news of a call, so that mail is looked for from then on.
        fit: blocks while it is in doubt whether the others take this worker for dead; raises HandOver if they do.
    """

    def __init__(
        self,
        threads: Mapping[str, int],
        *,
        listen: Callable[[], None] = lambda: None,
        fit: Callable[[], None] = lambda: None,
    ) -> None:
        self.threads = dict(threads)
        self.ending = threading.Event()
        self._pools = {lane: ThreadPoolExecutor(count, f"mintmark-{lane}") for lane, count in threads.items()}
        self._bells: OrderedDict[str, threading.Event] = OrderedDict()
        self._lock = threading.Lock()
        self._listen, self._fit = listen, fit

    def submit(self, lane: str, work: Callable[[], T]) -> Future[T]:
        """Let a thread of the lane do it, once this worker is known to be fit for it.

        A future ends as ``HandOver`` where the worker is not.
        """

        def fit_for_it() -> T:
            if self.ending.is_set():
                raise HandOver
            self._fit()
            return work()

        return self._pools[lane].submit(fit_for_it)

    def pause(self, call: str, seconds: float) -> None:
        """The wait between two polls of a call; a webhook for the call cuts it short, or came before it.

        Raises:
            HandOver: the worker ends.
        """
        bell = self._bell(call)
        if not self.ending.is_set():
            self._listen()
            bell.wait(seconds)
            bell.clear()
        if self.ending.is_set():
            raise HandOver

    def ring(self, call: str) -> None:
        """Wake who waits for news of a call, or is about to."""
        self._bell(call).set()

    def _bell(self, call: str) -> threading.Event:
        with self._lock:
            bell = self._bells.setdefault(call, threading.Event())
            self._bells.move_to_end(call)
            while len(self._bells) > _MOST_BELLS:
                self._bells.popitem(last=False)
        return bell

    def ring_all(self) -> None:
        """Wake everybody: a run was canceled, or the worker ends."""
        with self._lock:
            bells = list(self._bells.values())
        for bell in bells:
            bell.set()

    def let_go(self) -> None:
        """Begin nothing more; whoever waits between two polls stops waiting and lets go of its call."""
        self.ending.set()
        self.ring_all()

    def dismiss(self) -> None:
        """End the threads that have nothing to do, and the others when they are done."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
