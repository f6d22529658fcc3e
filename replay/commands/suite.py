"""``mintmark suite``: write a suite, lock it, calibrate it, pack it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json
from registry.errors import counted
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from replay.suites.calibrating import Calibrated


@click.group(short_help="Write, lock, calibrate and pack suites.")
def suite() -> None:
    """A suite is a list of generations with policies: what `mintmark check` replays and judges."""


@suite.command(short_help="Write a first suite for what is recorded.")
@click.argument("file", type=click.Path(path_type=Path), default=Path("suite.yaml"))
@click.option("--label", "labels", multiple=True, metavar="K=V", help="Only generations with this label or tag.")
@click.option("--size", type=click.IntRange(1, 10_000), default=12, show_default=True, help="How many at most.")
def new(file: Path, labels: tuple[str, ...], size: int) -> int:
    """Write FILE (suite.yaml unless told) with policies for the media found, and its lock beside it.

    Where more generations fit than --size, a spread over operations, models and time is taken, always the same.

    Exit status: 0 written; 2 FILE is there already; 5 nothing fits.
    """
    from registry.annotate import parse_labels
    from registry.commands.printing import reading
    from replay.suites.authoring import write_suite
    from replay.suites.file import read_suite
    from replay.suites.selecting import lock_path, write_lock

    registry = reading()
    count = write_suite(registry, file, parse_labels(labels), size)
    write_lock(registry, read_suite(file))
    click.echo(f"wrote {file} and {lock_path(file)}: {counted(count, 'manifest')}; next: mintmark check --plan {file}")
    return 0


@suite.command(short_help="Resolve a suite's selection into its lock.")
@click.argument("file", type=click.Path(path_type=Path))
def lock(file: Path) -> int:
    """Write the lock of suite FILE anew: exactly which generations it selects now. Commit it beside the suite.

    Exit status: 0 written; 2 the suite has a mistake; 5 nothing fits.
    """
    from registry.commands.printing import reading
    from registry.errors import Refused
    from replay.suites.file import read_suite
    from replay.suites.selecting import lock_path, read_lock, write_lock

    registry, found = reading(), read_suite(file)
    try:
        before = read_lock(found)
    except Refused:  # stale or damaged: that is what this command is for
        before = None
    written = write_lock(registry, found)
    known = set(before.manifests) if before else set()
    added, gone = len(set(written.manifests) - known), len(known - set(written.manifests))
    changed = f", {added} added, {gone} gone" if before else ""
    click.echo(f"{lock_path(file)}: {counted(len(written.manifests), 'manifest')}{changed}")
    return 0


@suite.command(short_help="Calibrate what a suite's policies need.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--deep", is_flag=True, help="Enough to decide free samples of each generation on its own.")
@may_cost
@as_json
def calibrate(file: Path, deep: bool, budget: str | None, assume_cost: str | None, yes: bool, as_json: bool) -> int:
    """Replay the recorded versions of suite FILE until each generation is calibrated as its policy needs.

    What is calibrated already is left alone. Replays are recorded and logged; a killed calibration of one generation is
    begun anew, finished ones are kept.

    Exit status: 0 done; 1 a version had changed already; 2 usage; 3 the provider failed; 4 not replayable, or the
    budget is spent.
    """
    from registry.commands.printing import emit, open_for_change
    from replay.calibrating import Calibration
    from replay.commands.consent import terms_of
    from replay.suites.calibrating import calibrate_suite
    from replay.suites.file import read_suite
    from replay.suites.plan import Case
    from replay.suites.planning import Asked, plan_of
    from replay.suites.selecting import locked
    from replay.suites.starting import amount_of, terms_with

    registry, found = open_for_change(), read_suite(file)
    terms = terms_with(terms_of(budget, assume_cost, yes, silent=as_json), found.budget)
    plan = plan_of(registry, found, locked(registry, found)[0], Asked(assume_cost=amount_of(terms.assumed)))

    def tell(case: Case, number: int, most: int) -> None:
        if not as_json:
            click.echo(f"{case.name}: calibration replay {number + 1} of at most {most}", err=True)

    done = []
    for one in calibrate_suite(registry, plan, terms, deep=deep, tell=tell):
        done.append(one)
        if not as_json:
            click.echo(f"{one.case.name}: {_said(one)}")
    if as_json:
        emit([_json(one) for one in done])
    if any(isinstance(one.found, Calibration) and one.found.apart for one in done):
        return 1
    if failed := [one.exit_code for one in done if one.error]:
        return min(failed)
    return 4 if any(one.found is not None and not isinstance(one.found, Calibration) for one in done) else 0


@suite.command(short_help="Carry a suite to a machine without a registry.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The zip file to write.")
@click.option("--force", is_flag=True, help="Replace that file if there is one.")
def pack(file: Path, target: Path, force: bool) -> int:
    """Write suite FILE, its lock and everything its check needs into one zip, for `mintmark check --from`.

    The zip holds the prompts in clear, since whoever has none cannot send them: keep it as you keep them.

    Exit status: 0 written; 2 there is such a file and no --force, or the suite has a mistake.
    """
    from registry.commands.printing import reading
    from replay.suites.file import read_suite
    from replay.suites.packing import pack as write
    from replay.suites.planning import Asked, plan_of
    from replay.suites.selecting import locked

    registry, found = reading(), read_suite(file)
    count = write(registry, found, plan_of(registry, found, locked(registry, found)[0], Asked()), target, force=force)
    told = f"wrote {target}: {counted(count, 'manifest')}; prompts stand in it in clear"
    click.echo(f"{told}; next: mintmark check --from {target}")
    return 0


def _said(one: "Calibrated") -> str:
    if one.error is not None:
        return one.error
    if one.found is None:
        return f"{one.case.regime}, calibrated as far as its policy needs"
    return one.found.sentence


def _json(one: "Calibrated") -> dict[str, object]:
    from replay.calibrating import Calibration

    record = one.found.record if isinstance(one.found, Calibration) else None
    return {"id": one.case.id, "name": one.case.name, "calibration": record, "error": one.error, "said": _said(one)}
