"""``mintmark erase``: take values and bytes away for good."""

from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.erase import Plan


@click.command(short_help="Take values or files of a generation away for good.")
@click.argument("manifest", metavar="[ID]", required=False)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD",
    help="prompt (all words for the model, the negative ones, too), request (all that was sent), subject, error: "
    "wherever the value stands. reason (of reviews), label:KEY, /json/pointer: that place alone. Repeatable.",
)
@click.option("--subject", help="Every generation about this person, instead of one ID.")
@click.option("--asset", is_flag=True, help="The bytes of its outputs, too, and every file that holds the value.")
@click.option("--all-references", is_flag=True, help="Even if other generations use those bytes.")
@click.option("--reason", help="Why; it is sealed in the erasure record.  [required unless --finish]")
@click.option("--authority", help="On whose word: a ticket, an office, a law.  [required unless --finish]")
@click.option("--plan", "--dry-run", "plan_only", is_flag=True, help="Say what would go and change nothing.")
@click.option("--finish", "finish_only", is_flag=True, help="Complete an interrupted erasure and clear residue.")
@as_json
def erase(
    manifest: str | None,
    fields: tuple[str, ...],
    subject: str | None,
    asset: bool,
    all_references: bool,
    reason: str | None,
    authority: str | None,
    plan_only: bool,
    finish_only: bool,
    as_json: bool,
) -> None:
    """Erase values of generation ID, in the manifest and in all its replays; ids and proofs still verify.

    With --subject, of every generation about a person: prompt, subject, error and reasons of reviews, where no
    --field is given.

    Exit status: 0 erased; 1 nothing to erase; 2 refused; 3 erased, but another process still holds old pages.
    """
    from registry.commands.printing import emit, open_for_change
    from registry.erase import OF_A_PERSON, erase, finish, generations_about, plan_erasure
    from registry.errors import counted

    if finish_only and (manifest or subject or fields or asset or plan_only):
        raise click.UsageError("--finish completes what was begun before; erase something else in a call of its own")
    if finish_only:
        completed = finish(open_for_change())
        if as_json:
            emit({"completed": completed})
        else:
            click.echo(f"completed {counted(completed, 'erasure')}; no residue left")
        return
    if (manifest is None) == (subject is None):
        raise click.UsageError("say what to erase: ID with --field prompt, --asset or both; or --subject")
    if subject is None and not (fields or asset):
        raise click.UsageError("say what of it to erase: --field prompt, --asset or both")
    if not reason or not authority:
        raise click.UsageError("an erasure needs --reason and --authority: the log keeps who asked and why")
    registry = open_for_change()
    whole = [registry.catalog.resolve(manifest)] if manifest else generations_about(registry, str(subject))
    plan = plan_erasure(
        registry,
        *whole,
        fields=fields or (OF_A_PERSON if subject else ()),
        asset=asset,
        all_references=all_references,
        reason=reason,
        authority=authority,
    )
    record = None if plan_only else erase(registry, plan)
    if as_json:
        stays = [{"id": one, "pointer": pointer} for one, pointer in plan.stays]
        emit({"record": record, "subjects": plan.subjects, "assets": len(plan.assets), "stays": stays})
        return
    click.echo("would erase" if plan_only else f"erased, record {record}")
    _say(plan)


def _say(plan: "Plan") -> None:
    """What goes, and in one line what the requests keep."""
    from registry.commands.printing import short
    from registry.errors import counted

    for found in plan.subjects:
        what = list(found["pointers"])
        what += [f"bytes of {kind[:-1]} {n}" for kind in ("outputs", "inputs") for n in found[kind]]
        click.echo(f"  {short(found['id'])}  {', '.join(what)}")
    if plan.stays:
        one, pointer = plan.stays[0]
        others = f"still sealed in the request: {counted(len(plan.stays), 'other text')}"
        click.echo(f"{others}, the longest at {pointer} of {short(one)}; --field request takes all of it", err=True)
