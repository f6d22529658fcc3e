"""Who makes a call: a process by host, pid and start; and whether it still lives."""

import hashlib
import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from registry.database import Database
from registry.journal.workers import Workers

Fate: TypeAlias = Literal["alive", "gone", "unknown"]


def this_process() -> str:
    """``host:pid:start`` of this process, at most 64 characters; another one never has the same."""
    return f"{_host()}:{os.getpid()}:{_start(os.getpid()) or _imported()}"


def fate_of(database: Database, owner: str) -> Fate:
    """Whether the owner of a call still works on it.

    On this machine the system knows: a process that was stopped counts as gone, since nobody can tell whether it will
    ever go on. Of a worker its heartbeat tells; of another machine's process without one, nothing does.

    Args:
        database: where heartbeats lie.
        owner: from ``this_process``, or the id of a worker.
    """
    host, pid, start = _parts(owner)
    if host == _host():
        return "alive" if _runs(int(pid), start) else "gone"
    if owner in Workers(database).living():
        return "alive"
    return "unknown" if host else "gone"


def _parts(owner: str) -> tuple[str, str, str]:
    """Host, pid and start; empty texts for the id of a worker."""
    front, _, start = owner.rpartition(":")
    host, _, pid = front.rpartition(":")
    return (host, pid, start) if pid.isdigit() and start.isdigit() else ("", "", "")


def _runs(pid: int, start: str) -> bool:
    if pid == os.getpid():
        return start in (_start(pid), _imported())
    known = _start(pid)
    if known is not None:
        return known == start and _state(pid) not in "TtZX"
    if _proc():  # and it is not there
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@cache
def _host() -> str:
    """The machine's name and, hashed, what tells this boot and these process ids of it from others."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii") + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = ""
    mark = hashlib.sha256(f"{platform.node()} {boot}".encode()).hexdigest()[:8]
    name = "".join(letter for letter in platform.node() if letter.isalnum() or letter in ".-")
    return f"{name[:24]}.{mark}"


def _start(pid: int) -> str | None:
    """When a process began, in the system's own ticks since boot; None where the system does not say."""
    found = _stat(pid)
    return found[19] if found else None


def _state(pid: int) -> str:
    found = _stat(pid)
    return found[0] if found else "X"


def _stat(pid: int) -> list[str] | None:
    """Fields 3 and later of proc(5), ``/proc/[pid]/stat``: the name before them may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None


@cache
def _proc() -> bool:
    return Path("/proc/self/stat").exists()


@cache
def _imported() -> str:
    """Stands for the start of this process where the system does not tell it."""
    return str(time.time_ns() // 1000)
