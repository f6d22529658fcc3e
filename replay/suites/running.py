"""Goes on with a run: says which replays to make next, or, when all is made, what the run has found."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from registry.canonical import JSON
from registry.home import Registry
from registry.journal.runs import Runs
from replay.suites.deciding import Deciding
from replay.suites.finishing import Moved, finish
from replay.suites.plan import Plan
from replay.suites.wanting import Wanted, further


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over; ``result`` is the document of schemas/run/v1."""

    result: Mapping[str, JSON]

    @property
    def exit_code(self) -> int:
        """As the product says it everywhere."""
        return int(self.result["exit_code"])


def advance(registry: Registry, run_id: str) -> tuple[Wanted, ...] | Finished:
    """What is to be made next, in the order that decides; or the result.

    Any process may call it, at any time and as often as it likes: it decides from what the rows say, adds the rows it
    wants, and ends the run exactly once. While replays that it named are being made it names them again.

    Args:
        registry: where the run lies.
        run_id: full id.

    Raises:
        NotFound: there is no such run.
    """
    while True:
        with suppress(Moved):
            return _look(registry, run_id)


def _look(registry: Registry, run_id: str) -> tuple[Wanted, ...] | Finished:
    runs = Runs(registry.catalog.database)
    run = runs.get(run_id)
    if run.result is not None:
        return Finished(run.result)
    plan, rows = Plan.from_json(run.plan), runs.replays(run_id)
    waiting = [row for row in rows if row.state == "wanted"]
    deciding = Deciding(registry, plan, rows)
    if run.state == "open":
        more = further(plan, rows, unconfirmed=deciding.unconfirmed, suspects=deciding.suspects)
        runs.want(run_id, [(one.manifest, one.ordinal, one.purpose) for one in more])
    else:
        more = ()
    if waiting or more:
        place = {case.id: number for number, case in enumerate(plan.cases)}
        open_ = [Wanted(row.manifest, row.ordinal, row.purpose) for row in waiting]  # type: ignore[arg-type]
        return tuple(sorted((*open_, *more), key=lambda one: (one.ordinal, place[one.manifest])))
    return Finished(finish(registry, run, plan, deciding))
