"""Says how many captured calls wait to be recorded, and why the oldest of them still does."""

import shlex
from pathlib import Path

from registry.capturing.opened import open_calls
from registry.capturing.spool import REFUSED, Spool
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
    if aside := spool.aside(REFUSED):
        why = (spool.read(aside[0]) or {}).get("failed")
        told = f"{counted(len(aside), 'captured call')} refused for good, prompts in clear: {why}"
        told += f" (look into {aside[0] / 'entry.json'}; move the folder back into {spool.folder} to try again)"
        return Finding("spool", "problem", told, f"rm -r {shlex.quote(str(aside[0].parent))}")
    begun = open_calls(spool)
    if not entries and not begun:
        return Finding("spool", "ok", "no captured call waits to be recorded")
    tried = [value for entry in entries if (value := spool.read(entry)) and value.get("attempts")]
    told = f"{counted(len(entries) + len(begun), 'captured call')} not recorded yet, prompts in clear"
    if begun:
        told += f"; {len(begun)} under way when last heard of"
    if tried:
        return Finding("spool", "problem", f"{told}; {len(tried)} tried in vain: {tried[0].get('failed')}", _REMEDY)
    return Finding("spool", "note", told, _REMEDY)
