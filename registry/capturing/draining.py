"""A process beside the caller's that records what is spooled: recording never takes the caller's time."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Final

log: Final = logging.getLogger("mintmark.capture")

_LATEST: Final = 32
_MANY: Final = 256  # entries; then those are forgotten that others have recorded

KEEPS_OFF: Final = "--no-adopting"
QUIET: Final = "MINTMARK_CAPTURE"
"""Set for programs that are to be captured; the drain itself never is."""


class Drain:
    """Runs ``python -m registry.capturing.drain HOME``; started again where it died.

    ``recorded`` and ``failed`` count entries and tries in vain; ``latest`` holds the newest ids, ``reasons`` the newest
    reasons, 32 of each.

    Args:
        home: the registry's home.
        adopts: whether it takes over what ended processes left open; False where a recorder beside it does.
    """

    def __init__(self, home: Path, *, adopts: bool = True) -> None:
        """Start nothing yet."""
        self._home = home
        self._more = [] if adopts else [KEEPS_OFF]
        self.begin()

    def begin(self) -> None:
        """Forget a process that belongs to another one: to the parent of this, which was forked off."""
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._settled = threading.Condition()
        self._waiting: dict[str, Path] = {}
        self._sparse = _MANY
        self.recorded = self.failed = 0
        self.latest: deque[str] = deque(maxlen=_LATEST)
        self.reasons: deque[str] = deque(maxlen=_LATEST)
        self._notes: deque[str] = deque(maxlen=_LATEST)

    def start(self) -> None:
        """Start it. Whatever fails here is told and left for another time: the spool keeps everything."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            environment = {name: value for name, value in os.environ.items() if name != QUIET}
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "registry.capturing.drain", str(self._home), *self._more],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env=environment,
                    start_new_session=True,  # a Ctrl-C at the terminal ends the program, not the recording of it
                )
            except OSError as problem:
                log.warning("captured calls wait in the spool: %s", problem)
                return
            threading.Thread(target=self._listen, args=(self._process,), name="mintmark-drain", daemon=True).start()

    def poke(self, entry: Path) -> None:
        """Say that an entry is spooled."""
        with self._settled:
            self._waiting[entry.name] = entry
            if len(self._waiting) > self._sparse:
                self._forget_gone()
                self._sparse = max(_MANY, 2 * len(self._waiting))
        self._tell()

    def settle(self, seconds: float) -> bool:
        """Wait until everything spooled before was tried, here or by another drain; False where that took longer."""
        until = time.monotonic() + seconds
        with self._settled:
            while self._waiting:
                self._forget_gone()
                left = until - time.monotonic()
                if self._waiting and left <= 0:
                    return False
                if self._waiting:
                    self._settled.wait(min(left, 0.1))
        return True

    def close(self, seconds: float) -> None:
        """Let it finish by itself, and wait for it at most that long."""
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.close()
            process.wait(seconds)
        except (OSError, subprocess.TimeoutExpired):
            return

    def _forget_gone(self) -> None:
        self._waiting = {name: entry for name, entry in self._waiting.items() if entry.exists()}

    def _tell(self) -> None:
        for _ in range(2):
            self.start()
            process = self._process
            if process is None or process.stdin is None:
                return
            try:
                with self._lock:
                    process.stdin.write("\n")
                    process.stdin.flush()
                return
            except (OSError, ValueError):
                continue

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            with self._settled:
                if "recorded" in told:
                    self.recorded += 1
                    self.latest.append(told["recorded"])
                if "failed" in told:
                    self.failed += 1
                    if told["failed"] not in self.reasons:
                        self.reasons.append(told["failed"])
                    log.log(
                        logging.WARNING if told.get("first", True) else logging.DEBUG,
                        "mintmark: a captured call is not recorded yet, and tried again (`mintmark doctor` tells): %s",
                        told["failed"],
                    )
                for note in told.get("notes", ()):
                    log.log(logging.DEBUG if note in self._notes else logging.WARNING, "%s", note)
                    self._notes.append(note)
                self._waiting.pop(told.get("entry", ""), None)
                self._settled.notify_all()
