"""Lets requests through to a provider: never more than N in any window, among all processes of one database."""

from sqlalchemy import delete, func, insert, select, text, update

from registry.database import Database
from registry.journal.tables import admission as _admission
from registry.journal.workers import clock_ms


class Admissions:
    """A sliding window over what was let through, one row each; exact, and the same on both databases."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def admit(self, bucket: str, limit: int, window_ms: int, now_ms: int | None = None) -> int:
        """Let one request through, if the window has room.

        Any ``window_ms`` milliseconds, wherever they begin, hold at most ``limit`` admissions. A clock that lies
        behind the newest admission counts as being there: a clock that was set back admits nothing twice. What lies
        more than a window ahead was let in by a clock that went wrong, at a time that nobody knows any more: it counts
        as let in now, so that it holds others back for one window and no longer.

        Args:
            bucket: who is counted together: a provider and a key.
            limit: how many, at least 1.
            window_ms: in how many milliseconds, at least 1.
            now_ms: milliseconds since 1970; where left out, by the clock that all who share the database have, read
                while nobody else is let in.

        Returns:
            0 when admitted, else after how many milliseconds it is worth asking again.
        """
        column = _admission.c
        mine = column.bucket == bucket
        with self.database.writing() as connection:
            if not self.database.is_sqlite:  # SQLite's writers are one at a time anyway
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:b, 7))"), {"b": bucket})
            now = clock_ms(connection) if now_ms is None else now_ms
            connection.execute(update(_admission).where(mine, column.at_ms > now + window_ms).values(at_ms=now))
            newest = connection.execute(select(func.max(column.at_ms)).where(mine)).scalar()
            at = now if newest is None else max(now, newest)
            connection.execute(delete(_admission).where(mine, column.at_ms <= at - window_ms))
            inside = connection.execute(select(column.at_ms).where(mine).order_by(column.at_ms)).scalars().all()
            if len(inside) >= limit:
                # Room comes when all but ``limit - 1`` of them have left the window.
                return int(inside[len(inside) - limit]) + window_ms - at
            connection.execute(insert(_admission), {"bucket": bucket, "at_ms": at})
        return 0
