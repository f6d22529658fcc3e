"""``mintmark check``: does a suite still reproduce?"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from registry.commands.printing import as_json
from registry.errors import CouldNotRun, NotFound, counted
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from registry.canonical import JSON
    from registry.home import Registry
    from replay.consenting import Terms
    from replay.notify import Unsent
    from replay.suites.plan import Plan

_MOST_LINES = 50


class NotDrift(CouldNotRun):
    """Something else than drift went wrong, and must not end with its status."""

    def __init__(self, problem: Exception) -> None:
        """Say what the problem says."""
        super().__init__(str(problem))


class UnknownRun(CouldNotRun):
    """A run to go on with that there is not: a mistyped argument, and no outage that may pass."""

    exit_code = 2

    def __init__(self, problem: NotFound) -> None:
        """Say what the problem says."""
        super().__init__(f"--resume: {problem}")


@click.command(short_help="Replay a suite and say whether it still reproduces.")
@click.argument("suite", required=False, type=click.Path(path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Say calls, worst-case cost, what can be decided; pay nothing.")
@click.option("--from", "packed", type=click.Path(path_type=Path), help="A suite that `mintmark suite pack` wrote.")
@click.option("--trust", type=click.Path(path_type=Path), help="With --from: keys, one of which must have signed it.")
@click.option("--resume", metavar="RUN", help="Go on with a run: its id, 8 digits of it, or @last.")
@click.option("--retry-errors", is_flag=True, help="With --resume: make again what failed.")
@click.option("--repeat", type=click.IntRange(1, 1000), default=1, help="At least so many replays of each manifest.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Replays at a time.")
@click.option("--offline", is_flag=True, help="Judge recorded replays; nothing is sent.")
@click.option("-o", "outputs", multiple=True, type=click.Path(path_type=Path),
              help="Write result.json, report.html, junit.xml or summary.md. Repeatable.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print nothing but the last line.")
@may_cost
@as_json
def check(**asked: Any) -> int:  # noqa: ANN401 - as click gives them
    """Replay every manifest of SUITE as it was recorded, and say whether the model is still the same.

    Which manifests these are stands in a lock beside the suite, written at the first check. A run that was stopped or
    killed goes on with --resume and pays for nothing twice. Nothing is paid without a budget (in the suite or here) or
    a yes at the terminal.

    Exit status: 0 reproduced, or within noise; 1 something drifted; 2 usage; 3 could not run (provider, network);
    4 undecided, or not replayable, beyond what the suite allows, or the budget is spent; 5 nothing selected. Where
    several hold, the first of 2, 5, 1, 3, 4 counts. The last line says which it was and why.
    """
    from drift.errors import MintmarkError

    try:
        return _check(**asked)
    except MintmarkError as problem:
        if problem.exit_code == 1:  # a run that is not there, a damaged record: whatever it is, it is no drift
            raise NotDrift(problem) from problem
        raise


def _check(
    suite: Path | None,
    only_plan: bool,
    packed: Path | None,
    trust: Path | None,
    resume: str | None,
    retry_errors: bool,
    repeat: int,
    jobs: int,
    offline: bool,
    outputs: tuple[Path, ...],
    quiet: bool,
    budget: str | None,
    assume_cost: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    # Before numpy comes: replays are scored side by side, and its threads would fight over the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from replay.commands.consent import terms_of
    from replay.suites.outputs import check_outputs

    for contradiction, told in (
        ([suite, packed, resume].count(None) != 2, "give one of SUITE, --from suite.zip and --resume RUN"),
        (retry_errors and resume is None, "--retry-errors goes with --resume RUN"),
        (trust is not None and packed is None, "--trust goes with --from suite.zip"),
        (only_plan and resume is not None, "--plan looks ahead of a new run: give SUITE or --from instead of --resume"),
        (resume and (offline or repeat > 1), "--resume goes on as the run began: leave --offline and --repeat out"),
        (only_plan and outputs, "--plan makes no result: leave -o out"),
    ):
        if contradiction:
            raise click.UsageError(told)
    check_outputs(outputs)
    terms = terms_of(budget, assume_cost, yes, silent=as_json)
    registry, path = _opened(suite, packed, trust)
    if path is None:
        run_id = _resumed(registry, str(resume), terms, errors=retry_errors)
    else:
        plan, terms = _planned(registry, path, terms, offline=offline, repeat=repeat)
        if only_plan:
            return _tell_plan(registry, plan, terms, as_json=as_json)
        run_id = _started(registry, plan, terms, quiet=quiet or as_json)
    result = _driven(registry, run_id, jobs, quiet=quiet or as_json)
    from replay.suites.outputs import write_outputs

    write_outputs(registry, result, outputs)
    if as_json:
        from registry.commands.printing import emit

        emit(dict(result))
    else:
        _tell(result, outputs, quiet=quiet)
    if not quiet and any((one["verdict"] or {}).get("reason") == "uncalibrated" for one in result["manifests"]):
        click.echo(f"hint: {_calibrating(result, suite, packed)}", err=True)
    return int(result["exit_code"])


def _calibrating(result: "Mapping[str, JSON]", suite: Path | None, packed: Path | None) -> str:
    """What calibrates a run's suite: a file here that is the suite, else its name."""
    import hashlib

    if packed is not None:
        return f"calibrate the suite {result['suite']['name']} where it was recorded, then pack it again"
    here = (path for path in sorted(Path().glob("*.y*ml")) if path.is_file())
    same = (path for path in here if hashlib.sha256(path.read_bytes()).hexdigest() == result["suite"]["sha256"])
    if (found := suite or next(same, None)) is not None:
        return f"mintmark suite calibrate {found}"
    return f"mintmark suite calibrate, with the file of the suite {result['suite']['name']}"


def _opened(suite: Path | None, packed: Path | None, trust: Path | None) -> "tuple[Registry, Path | None]":
    """The registry here, or a fresh one that a packed suite was admitted into; and the suite's file."""
    from registry.commands.printing import open_for_change

    if packed is None:
        return open_for_change(), suite
    from replay.commands.unpacking import admitted

    return admitted(packed, trust)


def _planned(registry: "Registry", path: Path, terms: "Terms", *, offline: bool, repeat: int) -> "tuple[Plan, Terms]":
    from replay.suites.file import read_suite
    from replay.suites.planning import Asked, plan_of
    from replay.suites.selecting import lock_path, locked, newly_fitting
    from replay.suites.starting import amount_of, terms_with

    suite = read_suite(path)
    lock, new = locked(registry, suite)
    if new:
        held = counted(len(lock.manifests), "manifest")
        click.echo(f"wrote {lock_path(path)}: {held}; commit it beside the suite", err=True)
    elif more := newly_fitting(registry, suite, lock):
        told = f"since the lock was written, {counted(more, 'manifest')} came that `select` takes, too"
        click.echo(f"{told}; `mintmark suite lock {path}` takes in what fits now", err=True)
    asked = Asked(offline=offline, repeat=repeat, assume_cost=amount_of(terms.assumed))
    plan = plan_of(registry, suite, lock, asked)
    return plan, terms_with(terms, suite.budget)


def _started(registry: "Registry", plan: "Plan", terms: "Terms", *, quiet: bool) -> str:
    from replay.suites.starting import start

    started = start(registry, plan, terms)
    if not quiet:
        held, begun = counted(len(plan.cases), "manifest"), counted(started.bill.begun, "replay")
        click.echo(f"{started.run}: {held}, {begun} to begin with", err=True)
    return started.run


def _resumed(registry: "Registry", name: str, terms: "Terms", *, errors: bool) -> str:
    from registry.journal.runs import Runs
    from replay.suites.starting import again, agree_again

    runs = Runs(registry.catalog.database)
    try:
        run_id = runs.resolve(name)
    except NotFound as problem:
        raise UnknownRun(problem) from None
    agree_again(registry, run_id, terms, errors=errors)
    count = again(registry, run_id, errors=errors)
    if count:
        click.echo(f"{run_id}: made again: {counted(count, 'replay')}", err=True)
    elif (ended := runs.get(run_id).result) is not None:
        over = f"{run_id} was over at {ended['finished_at']}, and nothing is left of it to make"
        failed = 0 if errors else ended["counts"]["errors"]
        click.echo(f"{over}{' without --retry-errors' if failed else ''}: this is its result", err=True)
    return run_id


def _driven(registry: "Registry", run_id: str, jobs: int, *, quiet: bool) -> "Mapping[str, JSON]":
    """Bring the run to its end; what was interrupted says how to go on."""
    from registry.journal.runs import Runs
    from replay.commands.progress import following
    from replay.embedded import RunDead, drive
    from replay.suites import driving

    runs = Runs(registry.catalog.database)
    unsent: list[Unsent] = []
    click.get_current_context().call_on_close(lambda: _warn(unsent))
    run = runs.get(run_id)
    if run.result is not None:
        return dict(run.result)
    try:
        with following(runs, run_id, quiet=quiet) as tell:
            if run.plan["options"]["offline"]:  # nothing is sent, so nothing has to survive this process
                return driving.drive(registry, run_id, jobs=jobs, made=lambda _: tell()).result
            drive(registry, run_id, threads=jobs, tell=tell, unsent=unsent.append)
    except KeyboardInterrupt:
        click.echo(f"stopped; go on with: mintmark check --resume {run_id}", err=True)
        raise
    except RunDead:  # says so itself
        raise
    except Exception:
        click.echo(f"a living worker goes on with this run, or: mintmark check --resume {run_id}", err=True)
        raise
    written: Mapping[str, JSON] = runs.get(run_id).result
    return written


def _warn(unsent: "Sequence[Unsent]") -> None:
    """Say who was not told of this run, after its own answer, and how to look after it."""
    from registry.commands.printing import harmless
    from replay.jobs import AttemptFailed

    grouped: dict[tuple[str, bool], list[Unsent]] = {}
    for one in unsent:
        grouped.setdefault((one.receiver, isinstance(one.why, AttemptFailed)), []).append(one)
    for (receiver, further), missed in grouped.items():
        events = " and ".join(one.event for one in missed)
        how, verb = ("a worker tries again", "show") if further else ("once that is mended", "retry")
        lines = " and ".join(f"mintmark jobs {verb} {one.why.job}" for one in missed)
        told = f"warning: {receiver} was not told of {events}, which changes nothing above: {missed[0].why}"
        click.echo(harmless(f"{told}; {how}: {lines}"), err=True)


def _tell_plan(registry: "Registry", plan: "Plan", terms: "Terms", *, as_json: bool) -> int:
    from registry.commands.printing import emit
    from replay.suites.foreseeing import foresee

    found = foresee(registry, plan, terms)
    if as_json:
        emit(found.to_json())
    else:
        for line in found.lines():
            click.echo(line)
    return 0


def _tell(result: "Mapping[str, JSON]", outputs: tuple[Path, ...], *, quiet: bool) -> None:
    if not quiet:
        from registry.commands.printing import columns

        told = [one for one in result["manifests"] if _telling(one)]
        rows = [(one["name"], _verdict_of(one), _why(one)) for one in told[:_MOST_LINES]]
        if rows:
            columns(("manifest", "verdict", "why"), rows)
        if len(told) > _MOST_LINES:
            click.echo(f"… and {len(told) - _MOST_LINES} more; -o report.html shows all")
        if result["gate"] is not None:
            click.echo(f"together: {result['gate']['sentence']}")
        for cost in result["cost"]:
            click.echo(f"cost: {cost['amount']} {cost['currency']} ({cost['kind']})")
        for path in outputs:
            click.echo(f"wrote {path}", err=True)
    click.echo(f"{result['id']}  exit {result['exit_code']}, {result['exit_reason']}")


def _telling(one: "JSON") -> bool:
    return one["error"] is not None or one["verdict"]["kind"] not in ("reproduced", "within-noise")


def _verdict_of(one: "JSON") -> str:
    if one["error"] is not None and (one["verdict"] is None or one["verdict"]["kind"] != "drifted"):
        return f"error ({one['error']['class']})"
    reason = one["verdict"]["reason"]
    return f"{one['verdict']['kind']}{f' ({reason})' if reason else ''}"


def _why(one: "JSON") -> str:
    return str(one["error"]["why"] if one["verdict"] is None else one["verdict"]["sentence"])
