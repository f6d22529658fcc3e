"""``mintmark erase``: take values and bytes away for good."""

import click

from registry.commands.printing import as_json


@click.command(short_help="Take values or files of a generation away for good.")
@click.argument("manifest", metavar="ID", required=False)
@click.option("--field", "fields", multiple=True, type=click.Choice(["prompt", "subject", "error"]), help="Repeatable.")
@click.option("--asset", is_flag=True, help="The bytes of its outputs, too, and every file that holds the value.")
@click.option("--all-references", is_flag=True, help="Even if other generations use those bytes.")
@click.option("--reason", help="Why; it is sealed in the erasure record.")
@click.option("--authority", help="On whose word: a ticket, an office, a law.")
@click.option("--plan", "plan_only", is_flag=True, help="Say what would go and change nothing.")
@click.option("--finish", "finish_only", is_flag=True, help="Complete an interrupted erasure and clear residue.")
@as_json
def erase(
    manifest: str | None,
    fields: tuple[str, ...],
    asset: bool,
    all_references: bool,
    reason: str | None,
    authority: str | None,
    plan_only: bool,
    finish_only: bool,
    as_json: bool,
) -> None:
    """Erase values of generation ID, in the manifest and in all its replays; ids and proofs still verify.

    Exit status: 0 erased; 1 nothing to erase; 2 refused; 3 erased, but another process still holds old pages.
    """
    from registry.commands.printing import emit, open_for_change, short
    from registry.erase import erase, finish, plan_erasure

    if finish_only:
        completed = finish(open_for_change())
        if as_json:
            emit({"completed": completed})
        else:
            click.echo(f"completed {completed} erasures; no residue left")
        return
    if manifest is None or not (fields or asset):
        raise click.UsageError("say what to erase: ID with --field prompt, --asset or both")
    if not reason or not authority:
        raise click.UsageError("an erasure needs --reason and --authority: the log keeps who asked and why")
    registry = open_for_change()
    full = registry.catalog.resolve(manifest)
    plan = plan_erasure(
        registry,
        full,
        fields=fields,
        asset=asset,
        all_references=all_references,
        reason=reason,
        authority=authority,
    )
    record = None if plan_only else erase(registry, plan)
    if as_json:
        emit({"record": record, "subjects": plan.subjects, "assets": len(plan.assets)})
        return
    click.echo("would erase" if plan_only else f"erased, record {record}")
    for subject in plan.subjects:
        what = list(subject["pointers"])
        what += [f"bytes of {kind[:-1]} {n}" for kind in ("outputs", "inputs") for n in subject[kind]]
        click.echo(f"  {short(subject['id'])}  {', '.join(what)}")
