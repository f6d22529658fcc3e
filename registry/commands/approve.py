"""``mintmark approve``: replays of a run become the new baseline."""

from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.approvals import Approval, Subject


@click.command(short_help="Make replays of a run the new baseline.")
@click.argument("run", metavar="RUN")
@click.option("--manifest", "manifests", multiple=True, metavar="ID", help="Only this manifest; may be given again.")
@click.option("--by", required=True, metavar="NAME", help="Who takes responsibility.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is sealed.")
@click.option("--replace", is_flag=True, help="Of free samples, too, nothing before these replays counts any longer.")
@as_json
def approve(run: str, manifests: tuple[str, ...], by: str, reason: str, replace: bool, as_json: bool) -> None:
    """Make the replays of a finished RUN what later replays are held against: a signed, logged record.

    A replay that drifted takes the place of what it was held against, and so does one of another model; its own
    calibrations count from then on. Free samples, and replays that were found the same, join the baseline. RUN is a
    run's id, 8 digits of it or more, or @last.

    Exit status: 0 approved; 1 no such run or manifest, or replays that cannot be approved, with the reason.
    """
    from registry.approvals import approve
    from registry.commands.printing import emit, open_for_change
    from registry.journal.runs import Runs

    registry = open_for_change()
    full = Runs(registry.catalog.database).resolve(run)
    named = [registry.catalog.resolve(one) for one in manifests]
    done = approve(registry, full, manifests=named, by=by, reason=reason, replace=replace)
    if as_json:
        emit(_json(full, done))
    else:
        _say(done)


def _json(run: str, done: "Approval") -> dict[str, object]:
    left = [{"manifest": manifest, "why": why} for manifest, why in done.left_out]
    return {"record": done.record, "run": run, "subjects": [one.to_json() for one in done.subjects], "left_out": left}


def _say(done: "Approval") -> None:
    from registry.commands.printing import short

    click.echo(done.record)
    for one in done.subjects:
        click.echo(f"{short(one.manifest)}  {_told(one)}", err=True)
    for manifest, why in done.left_out:
        click.echo(f"{short(manifest)}  left out: {why}", err=True)
    if fresh := [one for one in done.subjects if one.effect == "replaces"]:
        alone = f"mintmark replay {short(fresh[0].replays[-1])} --calibrate 3"
        what = f"{len(fresh)} new baselines are" if len(fresh) > 1 else "a new baseline is"
        how = "mintmark suite calibrate SUITE" if len(fresh) > 1 else alone
        click.echo(f"hint: {what} not calibrated yet: {how}", err=True)


def _told(one: "Subject") -> str:
    from registry.commands.printing import short
    from registry.errors import counted

    if one.effect == "replaces":
        return f"{short(one.replays[-1])} takes the baseline's place"
    return f"{counted(len(one.replays), 'replay')} {'join' if len(one.replays) > 1 else 'joins'} the baseline"
