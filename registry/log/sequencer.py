"""PostgreSQL: one sequencer at a time gives waiting records their places in the log."""

from sqlalchemy import Connection, delete, func, select

from registry.log.tables import log_pending
from registry.log.writing import Draft, append_all

LOCK = 0x6D696E746C6F67  # "mintlog"; the key of the advisory lock, one log per database


def take_batch(connection: Connection, limit: int) -> int:
    """Move up to ``limit`` waiting records into the log, oldest first.

    The lock is given back with the transaction, so a sequencer that dies
    leaves neither a lock nor half a batch.

    Returns:
        How many; 0 when none wait or another sequencer holds the lock.
    """
    if not connection.execute(select(func.pg_try_advisory_xact_lock(LOCK))).scalar():
        return 0
    rows = connection.execute(select(log_pending).order_by(log_pending.c.serial).limit(limit)).all()
    if not rows:
        return 0
    added = append_all(connection, [Draft(row.kind, row.id, row.pae, row.recorded_at) for row in rows])
    # By number, not by range: a record with a lower number may be committed while we work.
    connection.execute(delete(log_pending).where(log_pending.c.serial.in_([row.serial for row in rows])))
    return len(added)


def waiting(connection: Connection) -> int:
    """How many records have no index yet."""
    return int(connection.execute(select(func.count()).select_from(log_pending)).scalar_one())
