"""One writer at a time among the processes of one machine: the only module with calls of one operating system."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.errors import CouldNotRun

PATIENCE = 60.0  # seconds; a writer holds the lock for milliseconds

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class LockBusy(CouldNotRun):
    """Another process kept the lock for a minute."""

    def __init__(self, path: Path) -> None:
        """Name the lock."""
        super().__init__(
            f"{path}: another process has been writing for {PATIENCE:.0f} s; "
            "end it if it hangs (the lock goes with it), then try again"
        )


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; the system gives it back when the process ends, however it ends.

    Raises:
        LockBusy: it could not be had within 60 s.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        patience = time.monotonic() + PATIENCE
        pause = 0.0005
        while not _try_lock(descriptor):
            if time.monotonic() > patience:
                raise LockBusy(path)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a synced file can still vanish with its folder entry."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
