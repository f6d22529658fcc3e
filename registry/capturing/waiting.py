"""Says how many captured calls wait to be recorded, and why the oldest of them still does."""

import shlex
from pathlib import Path

from registry.capturing.spool import Spool
from registry.errors import counted
from registry.health import Finding

_REMEDY = "mintmark capture -- true"  # whatever is captured next records what waits, too


def waiting(home: Path) -> Finding:
    """One finding about the spool of a home: a problem where a call was tried and could not be recorded."""
    spool = Spool(home)
    entries = list(spool.waiting())
    if aside := spool.aside():
        told = f"{counted(len(aside), 'captured call')} torn on the disk, which will not be recorded"
        return Finding("spool", "problem", told, f"rm -r {shlex.quote(str(aside[0].parent))}")
    if not entries:
        return Finding("spool", "ok", "no captured call waits to be recorded")
    tried = [value for entry in entries if (value := spool.read(entry)) and value.get("attempts")]
    told = f"{counted(len(entries), 'captured call')} not recorded yet, prompts in clear"
    if tried:
        return Finding("spool", "problem", f"{told}; {len(tried)} tried in vain: {tried[0].get('failed')}", _REMEDY)
    return Finding("spool", "note", told, _REMEDY)
