"""Runs a program with the hook in place, and tells what was recorded of it."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.capturing.context import Said
from registry.capturing.draining import QUIET, Drain
from registry.errors import InvalidValue
from registry.home import Registry

PATIENCE_S: Final = 120.0
_LOOKED_AT: Final = 500  # files; beyond that, the hint is not worth the time
_LARGEST: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Ran:
    """The program's exit status as a shell tells it, how much was recorded, the newest ids, and why others wait."""

    status: int
    recorded: int
    latest: tuple[str, ...]
    waiting: tuple[str, ...]


def run(command: Sequence[str], home: Path, said: Said) -> Ran:
    """Run a program to its end; its input and output are the caller's.

    Args:
        command: the program and its arguments.
        home: of an existing registry.
        said: what holds for all its generations where it says nothing else.

    Raises:
        InvalidValue: there is no such program.
    """
    inject = str(Path(__file__).with_name("inject"))
    told = {"home": str(home.absolute()), "workflow": said.workflow, "labels": dict(said.labels)}
    path = os.pathsep.join(filter(None, (inject, os.environ.get("PYTHONPATH"))))
    environment = os.environ | {QUIET: json.dumps(told), "PYTHONPATH": path}
    drain = Drain(home)
    drain.start()
    # Ctrl-C reaches the program by itself; what it makes of it is its own affair.
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    try:
        program = subprocess.Popen(command, env=environment)
        # What ends a container reaches this process alone: the program is ended by it, and what it made is recorded.
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: program.terminate())
        status = _status(program.wait())
    except OSError as problem:
        raise InvalidValue("CMD", command[0], f"a program that can be run ({problem.strerror})") from None
    finally:
        drain.close(PATIENCE_S)
        for number, handler in before.items():
            signal.signal(number, handler)
    return Ran(status, drain.recorded, tuple(drain.latest), tuple(drain.reasons))


def one_of(registry: Registry, recorded: Sequence[str], since: float, folder: Path) -> Path | None:
    """A file in ``folder`` that is an output of what was recorded and was written since; None where none is found."""
    wanted = set()
    for name in recorded:
        opened = {found.pointer: found.value for found in registry.vault.get(name)}
        for number, output in enumerate(registry.catalog.manifest(name).outputs):
            digests = output.digests_with(opened, f"/outputs/{number}/digest")
            wanted.add(digests.sha256 if digests else None)
    for path in _young(folder, since):
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() in wanted:
                return path
    return None


def _young(folder: Path, since: float) -> Iterator[Path]:
    looked = 0
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        try:
            about = path.stat()
        except OSError:
            continue
        looked += 1
        if looked > _LOOKED_AT:
            return
        if path.is_file() and about.st_mtime >= since - 1 and 0 < about.st_size <= _LARGEST:
            yield path


def _status(code: int) -> int:
    return code if code >= 0 else 128 - code
