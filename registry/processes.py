"""Processes by machine, boot, pid and start: how they are named, and whether one still lives."""

import hashlib
import os
import platform
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

Fate: TypeAlias = Literal["alive", "gone", "unknown"]

_FIRST_NAMESPACE: Final = "pid:[4026531836]"  # PROC_PID_INIT_INO of Linux: of the machine itself, not of a container


def this_process() -> str:
    """``name.machine.boot:pid:start`` of this process, at most 60 characters; another one never has the same."""
    return f"{_host()}:{os.getpid()}:{_start(os.getpid()) or _imported()}"


def fate_here(owner: str, *, stopped: Fate = "gone") -> Fate:
    """Whether a process still works, as far as this machine can tell; ``unknown`` where it cannot.

    What an earlier boot ran is gone. Another container is another machine.

    Args:
        owner: from ``this_process``.
        stopped: what one counts as that was stopped, by a terminal or a debugger: nobody can tell whether it will
            ever go on.
    """
    host, pid, start = _parts(owner)
    if host == _host():
        return _fate(int(pid), start, stopped)
    if host and host.rpartition(".")[0] == _host().rpartition(".")[0]:
        return "gone"  # this machine has been started anew since
    return "unknown"


def names_process(owner: str) -> bool:
    """Whether a text is one from ``this_process``, of whatever machine."""
    return _parts(owner)[0] != ""


def _parts(owner: str) -> tuple[str, str, str]:
    """Host, pid and start; empty texts for the id of a worker."""
    front, _, start = owner.rpartition(":")
    host, _, pid = front.rpartition(":")
    return (host, pid, start) if pid.isdigit() and start.isdigit() else ("", "", "")


def _fate(pid: int, start: str, stopped: Fate) -> Fate:
    if pid == os.getpid():
        return "alive" if start in (_start(pid), _imported()) else "gone"
    known = _start(pid)
    if known is not None:
        state = _state(pid)
        if known != start or state in "ZX":
            return "gone"
        return stopped if state in "Tt" else "alive"
    if _proc():  # and it is not there
        return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except OSError:  # somebody else's
        return "alive"
    return "alive"


@cache
def _host() -> str:
    return host_of(platform.node())


def host_of(node: str, proc: Path = Path("/proc"), etc: Path = Path("/etc")) -> str:
    """``name.machine.boot``: what tells this machine from others, and this boot of it from earlier ones.

    In a container, which shares its boot with its neighbours, process ids are its own: it counts as a machine that
    never starts anew. One that is made again in its place is another, even under the same name.

    Args:
        node: the machine's name in its network.
        proc: where the system tells about itself; one that does not is of one boot for ever.
        etc: where the machine has its id.
    """
    boot, namespace = _told(proc / "sys/kernel/random/boot_id"), ""
    with suppress(OSError):
        namespace = str((proc / "self/ns/pid").readlink())
    inside = "" if namespace in ("", _FIRST_NAMESPACE) else f"{boot} {namespace}"
    machine = f"{node} {_told(etc / 'machine-id')} {inside}"  # clones of one image share an id, so the name counts
    name = "".join(letter for letter in node if letter.isascii() and (letter.isalnum() or letter in ".-"))
    return f"{name[:16]}.{_mark(machine)}.{_mark(boot)}"


def _told(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


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
