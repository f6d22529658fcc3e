"""Drives a run to its end in this process, with a few threads; the rows say where it stands, so it may be killed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from drift.crowd import one_thread_each
from registry.home import Registry
from registry.journal.owners import this_process
from replay.paying import CallBusy
from replay.suites.making import make_one
from replay.suites.running import Finished, advance
from replay.suites.wanting import Wanted

_BUSY_S = 1.0  # until a call that another process makes is looked at again


def drive(
    registry: Registry,
    run_id: str,
    *,
    jobs: int = 4,
    made: Callable[[Wanted], None] = lambda one: None,
) -> Finished:
    """Make what a run wants until nothing is wanted any more.

    Args:
        registry: where the run lies.
        run_id: full id.
        jobs: replays made at a time.
        made: hears of each replay that ended.

    Raises:
        MintmarkError: nothing can be written down any more; the run stays where it is.
    """
    if jobs > 1:
        one_thread_each()
    halt, owner = threading.Event(), this_process()

    def make(one: Wanted) -> None:
        while not halt.is_set():
            try:
                make_one(registry, run_id, one.manifest, one.ordinal, owner=owner, pause=_pause(halt),
                         stopping=halt.is_set)  # fmt: skip
                return made(one)
            except CallBusy:
                halt.wait(_BUSY_S)

    with ThreadPoolExecutor(jobs, thread_name_prefix="mintmark-replay") as pool:
        try:
            while not isinstance(found := advance(registry, run_id), Finished):
                for future in as_completed([pool.submit(make, one) for one in found]):
                    future.result()
            return found
        except BaseException:
            halt.set()  # threads leave what they have not begun
            raise


def _pause(halt: threading.Event) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        halt.wait(seconds)

    return pause
