"""Runs of suites and the replays that each wants: rows that survive a crash; who moves one decides nothing else."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from registry.canonical import JSON, canonical, parse
from registry.database import Database, raw
from registry.errors import AmbiguousPrefix, InvalidValue, NotFound
from registry.journal.tables import run, run_replay
from registry.times import now

RunState = Literal["open", "finished", "canceled"]
ReplayState = Literal["wanted", "made", "failed", "parked", "refused", "canceled"]

MOVES: Final[Mapping[str, frozenset[str]]] = {
    "wanted": frozenset({"made", "failed", "parked", "refused", "canceled"}),
    "made": frozenset(),
    "failed": frozenset({"wanted"}),
    "parked": frozenset({"wanted"}),
    "refused": frozenset({"wanted"}),
    "canceled": frozenset({"wanted"}),
}
"""What may follow what: a maker ends a replay once, and only who resumes a run wants one again."""

_PREFIX = "run-"
_SHORTEST = 8  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a suite.

    ``plan`` is what was asked for, resolved: never changed. ``result`` (schemas/run/v1) and ``record``, the id of the
    signed record, are None until the run is over.
    """

    id: str
    suite: str
    state: RunState
    plan: JSON
    created_at: str
    updated_at: str
    result: JSON
    record: str | None


@dataclass(frozen=True, slots=True)
class RunReplay:
    """One replay that a run wants, or what became of it.

    ``tries`` counts how often it was wanted again; ``outcome`` is how the call ended, or why there was none; ``scores``
    is what its maker measured (replay/suites/measuring.py); ``why`` a sentence for people where nothing was made.
    """

    run: str
    manifest: str
    ordinal: int
    purpose: str
    state: ReplayState
    tries: int
    generation: str | None
    outcome: str | None
    scores: JSON
    why: str | None
    updated_at: str


class Runs:
    """The runs of one registry. tests/registry/journal/test_runs.py runs it on every database."""

    def __init__(self, database: Database) -> None:
        """Use an open, migrated database."""
        self.database = database

    def create(self, suite: str, plan: JSON, wanted: Iterable[tuple[str, int, str]], run_id: str | None = None) -> str:
        """Begin a run that wants some replays (manifest, ordinal, purpose); the answer is its id."""
        run_id, at = run_id or new_run_id(), now()
        row = {"id": run_id, "suite": suite, "state": "open", "plan": canonical(plan), "created_at": at}
        with self.database.writing() as connection:
            connection.execute(insert(run), row | {"updated_at": at})
            _want(connection, run_id, wanted, at)
        return run_id

    def get(self, run_id: str) -> Run:
        """A run by its full id.

        Raises:
            NotFound: there is none.
        """
        with self.database.reading() as connection:
            row = connection.execute(select(run).where(run.c.id == run_id)).first()
        if row is None:
            raise NotFound("run", run_id, "`mintmark check SUITE` begins one and names it")
        return _run(row)

    def resolve(self, name: str) -> str:
        """The full id behind ``@last``, an id, or its first 8 hexadecimal digits and more.

        Raises:
            NotFound, AmbiguousPrefix, InvalidValue.
        """
        newest = select(run.c.id).order_by(run.c.created_at.desc(), run.c.id.desc()).limit(1)
        digits = name.removeprefix(_PREFIX)
        if name != "@last" and (not _SHORTEST <= len(digits) <= 32 or set(digits) - set("0123456789abcdef")):
            raise InvalidValue("run", name, "a run's id, 8 hexadecimal digits of it or more, or @last")
        begins = run.c.id.between(f"{_PREFIX}{digits}", f"{_PREFIX}{digits}g")  # "g" sorts behind every digit
        with self.database.reading() as connection:
            chosen = newest if name == "@last" else select(run.c.id).where(begins).limit(20)
            found = list(connection.execute(chosen).scalars())
        if not found:
            raise NotFound("run", name, "`mintmark check SUITE` begins one and names it")
        if len(found) > 1:
            raise AmbiguousPrefix(name, len(found))
        return str(found[0])

    def replays(self, run_id: str) -> list[RunReplay]:
        """Every replay of a run, by manifest and ordinal."""
        mine = select(run_replay).where(run_replay.c.run == run_id)
        with self.database.reading() as connection:
            ordered = mine.order_by(run_replay.c.manifest, run_replay.c.ordinal)
            return [_replay(row) for row in connection.execute(ordered)]

    def counts(self, run_id: str) -> Mapping[str, Mapping[str, int]]:
        """How many replays of a run stand where: purpose to state to number."""
        c = run_replay.c
        wanted = select(c.purpose, c.state, func.count()).where(c.run == run_id).group_by(c.purpose, c.state)
        found: dict[str, dict[str, int]] = {}
        with self.database.reading() as connection:
            for purpose, state, count in connection.execute(wanted):
                found.setdefault(purpose, {})[state] = count
        return found

    def totals(self, run_id: str) -> Mapping[str, int]:
        """How many replays of a run stand where, whatever they are for: state to number."""
        found: Counter[str] = Counter()
        for states in self.counts(run_id).values():
            found.update(states)
        return dict(found)

    def replay(self, run_id: str, manifest: str, ordinal: int) -> RunReplay:
        """One replay of a run.

        Raises:
            NotFound: the run does not want it.
        """
        with self.database.reading() as connection:
            row = connection.execute(select(run_replay).where(_at(run_id, manifest, ordinal))).first()
        if row is None:
            raise NotFound("replay", f"{ordinal} of {manifest} in {run_id}", "`mintmark check --resume` plans it")
        return _replay(row)

    def want(self, run_id: str, wanted: Sequence[tuple[str, int, str]]) -> None:
        """Add replays (manifest, ordinal, purpose); those that are there already stay as they are."""
        if wanted:
            with self.database.writing() as connection:
                _want(connection, run_id, wanted, now())

    def settle(
        self,
        found: RunReplay,
        state: ReplayState,
        *,
        outcome: str,
        generation: str | None = None,
        scores: JSON = None,
        why: str | None = None,
    ) -> bool:
        """End a wanted replay; False where somebody else ended it, or its run wants it anew, meanwhile."""
        if state not in MOVES["wanted"]:
            raise InvalidValue("state", state, f"one of {', '.join(sorted(MOVES['wanted']))}")
        here = _at(found.run, found.manifest, found.ordinal) & (run_replay.c.tries == found.tries)
        values = {
            "state": state,
            "outcome": outcome,
            "generation": generation,
            "scores": None if scores is None else canonical(scores),
            "why": why,
            "updated_at": now(),
        }
        with self.database.writing() as connection:
            moved = connection.execute(update(run_replay).where(here, run_replay.c.state == "wanted").values(values))
            return moved.rowcount == 1

    def again(self, run_id: str, replays: Iterable[RunReplay], *, same_try: bool = False) -> int:
        """Want some ended replays once more, each as a new try unless its call goes on; how many were."""
        count = 0
        with self.database.writing() as connection:
            for one in replays:
                if "wanted" not in MOVES[one.state]:
                    raise InvalidValue("state", one.state, "a replay that failed, was refused, parked or canceled")
                here = _at(run_id, one.manifest, one.ordinal) & (run_replay.c.state == one.state)
                cleared = {"state": "wanted", "tries": one.tries + (not same_try), "outcome": None, "generation": None,
                           "scores": None, "why": None, "updated_at": now()}  # fmt: skip
                count += connection.execute(update(run_replay).where(here).values(cleared)).rowcount
            if count:
                reopened = {"state": "open", "result": None, "record": None, "updated_at": now()}
                connection.execute(update(run).where(run.c.id == run_id).values(reopened))
        return count

    def cancel(self, run_id: str) -> bool:
        """Ask an open run to end; its makers then cancel what is left. False where it is over already."""
        asked = update(run).where(run.c.id == run_id, run.c.state == "open")
        with self.database.writing() as connection:
            return connection.execute(asked.values(state="canceled", updated_at=now())).rowcount == 1

    def state(self, run_id: str) -> RunState:
        """Where a run stands. Raises: NotFound."""
        with self.database.reading() as connection:
            found: RunState | None = connection.execute(select(run.c.state).where(run.c.id == run_id)).scalar()
        if found is None:
            raise NotFound("run", run_id, "`mintmark check SUITE` begins one and names it")
        return found

    def record_of(self, connection: Connection, run_id: str) -> str | None:
        """The signed record of a run that is over; until the caller's transaction ends, nobody else can end the run."""
        return connection.execute(select(run.c.record).where(run.c.id == run_id).with_for_update()).scalar()

    def still(self, connection: Connection, seen: Run) -> bool:
        """Whether a run stands as it was seen, and wants nothing; to be asked after ``record_of``, under its lock."""
        found = connection.execute(select(run.c.state, run.c.updated_at).where(run.c.id == seen.id)).one()
        wanted = select(run_replay.c.run).where(run_replay.c.run == seen.id, run_replay.c.state == "wanted").limit(1)
        return tuple(found) == (seen.state, seen.updated_at) and connection.execute(wanted).first() is None

    def finish(self, connection: Connection, run_id: str, state: RunState, result: JSON, record: str) -> None:
        """Write down how a run ended, inside the transaction that logs its record."""
        ended = {"state": state, "result": canonical(result), "record": record, "updated_at": now()}
        connection.execute(update(run).where(run.c.id == run_id).values(ended))


def new_run_id() -> str:
    """An id nobody has."""
    return f"{_PREFIX}{uuid.uuid4().hex}"


def _want(connection: Connection, run_id: str, wanted: Iterable[tuple[str, int, str]], at: str) -> None:
    connection.execute(select(run.c.id).where(run.c.id == run_id).with_for_update())  # one at a time, on PostgreSQL too
    there = select(run_replay.c.manifest, run_replay.c.ordinal).where(run_replay.c.run == run_id)
    known = {(row.manifest, row.ordinal) for row in connection.execute(there)}
    rows = [
        {"run": run_id, "manifest": manifest, "ordinal": ordinal, "purpose": purpose, "state": "wanted", "tries": 0,
         "updated_at": at}
        for manifest, ordinal, purpose in wanted
        if (manifest, ordinal) not in known
    ]  # fmt: skip
    if rows:
        connection.execute(insert(run_replay), rows)


def _at(run_id: str, manifest: str, ordinal: int) -> Any:  # noqa: ANN401 - what ``where`` takes
    c = run_replay.c
    return (c.run == run_id) & (c.manifest == manifest) & (c.ordinal == ordinal)


def _run(row: Row[Any]) -> Run:
    result = None if row.result is None else parse(raw(row.result))
    plan = parse(raw(row.plan))
    return Run(row.id, row.suite, row.state, plan, row.created_at, row.updated_at, result, row.record)


def _replay(row: Row[Any]) -> RunReplay:
    scores = None if row.scores is None else parse(raw(row.scores))
    return RunReplay(row.run, row.manifest, row.ordinal, row.purpose, row.state, row.tries, row.generation, row.outcome,
                     scores, row.why, row.updated_at)  # fmt: skip
