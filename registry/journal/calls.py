"""The journal of paid calls: one row each, committed before the request leaves; rows move as ``states`` allows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from registry.database import Database
from registry.errors import CouldNotRun, NotFound
from registry.journal.budgets import reserve, settle
from registry.journal.states import OPEN, RESERVING, SETTLING, CallState, check_move
from registry.journal.tables import call as _call
from registry.times import now

_FRESH_S = 10.0


class KeyTaken(CouldNotRun):
    """A call key that stands for another request."""

    def __init__(self, key: str) -> None:
        """Name the key."""
        super().__init__(f"call {key} was begun with another request; a new request needs a new key")


class Superseded(CouldNotRun):
    """A call that somebody else goes on with."""

    def __init__(self, key: str, owner: str) -> None:
        """Name the call and who has it."""
        super().__init__(f"call {key} was taken over by {owner} while this process stood still; nothing was sent")


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that is about to be made; ``reserved`` is in billionths of ``currency``."""

    key: str
    manifest: str | None
    run: str | None
    provider: str
    operation: str
    model: str
    request_digest: str
    budget: str | None
    currency: str | None
    reserved: int
    owner: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A row of the journal; ``generation`` is the manifest that says how the call ended, if one does."""

    key: str
    manifest: str | None
    run: str | None
    provider: str
    operation: str
    model: str
    request_digest: str
    state: CallState
    budget: str | None
    currency: str | None
    reserved: int
    settled: int | None
    job: str | None
    generation: str | None
    owner: str
    intended_at: str
    updated_at: str
    note: str | None


class Calls:
    """The calls of one database; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, key: str) -> StoredCall | None:
        """The call of that key; None where there is none."""
        with self.database.reading() as connection:
            return _get(connection, key)

    def intend(self, intent: Intent) -> tuple[StoredCall, bool]:
        """Begin a call: its row and its reservation, durable when this returns; says whether it is new.

        Raises:
            KeyTaken: the key stands for another request.
            BudgetSpent, InvalidValue, NotFound: the budget cannot pay for it; there is no row then.
        """
        at = now()
        row = {**asdict(intent), "state": CallState.INTENDED.value, "intended_at": at, "updated_at": at}
        with self.database.writing() as connection:
            dialect = sqlite if self.database.is_sqlite else postgresql
            begin = dialect.insert(_call).on_conflict_do_nothing(index_elements=["key"]).returning(_call.c.key)
            new = connection.execute(begin, row).first() is not None
            if new and intent.budget is not None:
                reserve(connection, intent.budget, intent.currency, intent.reserved)
            found = _get(connection, intent.key)
        assert found is not None
        if found.request_digest != intent.request_digest:
            raise KeyTaken(intent.key)
        return found, new

    def take_over(self, stored: StoredCall, owner: str) -> bool:
        """Go on with an open call in place of its owner; False where somebody else was first."""
        column = _call.c
        same = (column.key == stored.key, column.owner == stored.owner, column.state == stored.state.value)
        values = {"owner": owner, "updated_at": now()}
        with self.database.writing() as connection:
            return connection.execute(update(_call).where(*same).values(values)).rowcount == 1

    def renew(self, key: str, owner: str) -> None:
        """Make sure, right before a request leaves, that it is still this owner's to send.

        Raises:
            Superseded: somebody else has the call, or it has moved on.
        """
        found = self.get(key)
        if found is None or found.owner != owner or found.state is not CallState.INTENDED:
            raise Superseded(key, found.owner if found else "nobody")
        if age_s(found.updated_at) > _FRESH_S and not self.take_over(found, owner):
            raise Superseded(key, "somebody else")

    def acknowledge(self, key: str, owner: str, job: str | None) -> None:
        """Say that the provider has answered; what it said must be on disk by now.

        Raises:
            Superseded: the call is somebody else's.
        """
        with self.database.writing() as connection:
            move(connection, key, CallState.ACKNOWLEDGED, owner=owner, job=job)

    def move(
        self,
        key: str,
        after: CallState,
        *,
        owner: str | None = None,
        settled: int | None = None,
        note: str | None = None,
    ) -> StoredCall:
        """``move`` in a transaction of its own."""
        with self.database.writing() as connection:
            return move(connection, key, after, owner=owner, settled=settled, note=note)

    def by_job(self, provider: str, job: str) -> StoredCall | None:
        """The call that a vendor's job belongs to, the newest of them."""
        query = select(_call).where(_call.c.provider == provider, _call.c.job == job)
        with self.database.reading() as connection:
            row = connection.execute(query.order_by(_call.c.intended_at.desc()).limit(1)).first()
        return None if row is None else _stored(row)

    def done_among(self, keys: Sequence[str]) -> set[str]:
        """Those of some calls that nobody has to go on with."""
        done = _call.c.state.not_in([state.value for state in OPEN])
        with self.database.reading() as connection:
            return set(connection.execute(select(_call.c.key).where(_call.c.key.in_(keys), done)).scalars())

    def in_states(self, states: Sequence[CallState], *, run: str | None = None) -> list[StoredCall]:
        """Every call in one of these states, oldest first; of one run where it is named."""
        query = select(_call).where(_call.c.state.in_([state.value for state in states]))
        if run is not None:
            query = query.where(_call.c.run == run)
        with self.database.reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(_call.c.intended_at, _call.c.key))]

    def open_about(self, manifests: Sequence[str]) -> list[str]:
        """Keys of the calls on their way that replay one of some manifests."""
        return [call.key for call in self.in_states(list(OPEN)) if call.manifest in manifests]

    def unfinished(self, manifest: str | None, request_digest: str) -> list[StoredCall]:
        """Open calls outside of runs for the same request, oldest first: a rerun goes on with them."""
        column = _call.c
        query = select(_call).where(
            column.manifest.is_(None) if manifest is None else column.manifest == manifest,
            column.request_digest == request_digest,
            column.run.is_(None),
            column.state.in_([state.value for state in OPEN]),
        )
        with self.database.reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(column.intended_at, column.key))]


def move(
    connection: Connection,
    key: str,
    after: CallState,
    *,
    owner: str | None = None,
    job: str | None = None,
    generation: str | None = None,
    settled: int | None = None,
    note: str | None = None,
) -> StoredCall:
    """Move a call on, its money with it; a step of the caller's transaction.

    Args:
        connection: from ``Database.writing``.
        key: which call.
        after: its next state.
        owner: only if the call is still this owner's; None for whoever may speak for all.
        job: the vendor's job.
        generation: the manifest that says how it ended.
        settled: billionths that were really spent; the reservation where left out.
        note: a line to add for people.

    Returns:
        The row as it is now.

    Raises:
        IllegalMove: no call in its state can go there.
        Superseded: it is no longer the owner's.
        NotFound: no call of that key.
    """
    before = _get(connection, key, lock=True)
    if before is None:
        raise NotFound("call", key, "`mintmark replay ambiguous` lists what is open")
    if owner is not None and before.owner != owner:
        raise Superseded(key, before.owner)
    check_move(key, before.state, after)
    values: dict[str, object] = {"state": after.value, "updated_at": now()}
    values |= {} if job is None else {"job": job}
    values |= {} if generation is None else {"generation": generation}
    values |= {} if note is None else {"note": note if before.note is None else f"{before.note}\n{note}"}
    if after not in RESERVING:
        spent = (before.reserved if settled is None else settled) if after in SETTLING else 0
        values["settled"] = spent
        if before.budget is not None:
            settle(connection, before.budget, before.reserved if before.state in RESERVING else 0, spent)
    connection.execute(update(_call).where(_call.c.key == key).values(values))
    found = _get(connection, key)
    assert found is not None
    return found


def link(connection: Connection, key: str, generation: str) -> None:
    """Name the manifest that says how a call ended, where none was named yet; a step of the caller's transaction."""
    unnamed = (_call.c.key == key, _call.c.generation.is_(None))
    connection.execute(update(_call).where(*unnamed).values(generation=generation))


def age_s(at: str) -> float:
    """Seconds since a time of a row, by this machine's clock."""
    return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()


def _get(connection: Connection, key: str, *, lock: bool = False) -> StoredCall | None:
    query = select(_call).where(_call.c.key == key)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> StoredCall:
    values = dict(row._mapping)
    return StoredCall(**{**values, "state": CallState(values["state"])})
