"""Who makes a call: a process by machine, boot, pid and start; and whether it still lives."""

from registry.database import Database
from registry.journal.workers import Workers
from registry.processes import Fate as Fate
from registry.processes import fate_here, names_process
from registry.processes import this_process as this_process


def fate_of(database: Database, owner: str) -> Fate:
    """Whether the owner of a call still works on it.

    On this machine the system knows: what an earlier boot ran is gone, and a process that was stopped counts as gone,
    since nobody can tell whether it will ever go on. Of a worker its heartbeat tells. Of a process of another machine,
    or of another container, that has none, nothing does.

    Args:
        database: where heartbeats lie.
        owner: from ``this_process``, or the id of a worker.
    """
    fate = fate_here(owner)
    if fate != "unknown":
        return fate
    if owner in Workers(database).living():
        return "alive"
    return "unknown" if names_process(owner) else "gone"
