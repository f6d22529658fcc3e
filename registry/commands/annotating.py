"""``mintmark tag`` and ``mintmark review``: what is known of a generation later."""

import click

from registry.commands.printing import as_json


@click.command(short_help="Add, change or take away tags of a generation.")
@click.argument("manifest", metavar="ID")
@click.argument("tags", nargs=-1, required=True, metavar="K=V…")
@as_json
def tag(manifest: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Tag a generation: K=V adds or changes a tag, K= takes it away. Each call is a signed record.

    Exit status: 0 tagged; 1 no such generation, or none of the tags to take away.
    """
    from registry.annotate import NoSuchTag, parse_labels, tag
    from registry.commands.printing import emit, open_for_change

    pairs = parse_labels(tags, "tag")
    registry = open_for_change()
    full = registry.catalog.resolve(manifest)
    before = registry.catalog.tags(full)
    absent = [key for key, value in pairs.items() if not value and key not in before]
    if len(absent) == len(pairs):
        raise NoSuchTag(full, absent, before)
    done = tag(registry, full, {key: value or None for key, value in pairs.items()})
    in_force = registry.catalog.tags(full)
    if as_json:
        emit({"record": done, "id": full, "tags": in_force})
    else:
        click.echo(done)
        if absent:
            click.echo(f"there was no tag {', '.join(absent)} to take away", err=True)
        click.echo("tags now: " + (", ".join(f"{k}={v}" for k, v in in_force.items()) or "none"), err=True)


@click.command(short_help="Say whether a generation was usable.")
@click.argument("manifest", metavar="ID")
@click.option("--usable", is_flag=True, help="Somebody could use what came out.  [required: this or --unusable]")
@click.option("--unusable", is_flag=True, help="Nobody could.  [required: this or --usable]")
@click.option("--reason", help="Why; it is sealed.")
@click.option("--minutes", help="Human effort, such as 2.5.")
@click.option("--cost", metavar="AMOUNT", help="What the review cost: 1.20 (USD) or 1.20EUR.")
@as_json
def review(
    manifest: str,
    usable: bool,
    unusable: bool,
    reason: str | None,
    minutes: str | None,
    cost: str | None,
    as_json: bool,
) -> None:
    """Say whether a generation was usable. Each review is a signed record; the newest counts.

    Exit status: 0 recorded, 1 no such generation.
    """
    from registry.annotate import review
    from registry.commands.options import parse_amount
    from registry.commands.printing import emit, open_for_change

    if usable == unusable:
        raise click.UsageError("say --usable or --unusable, one of the two")
    registry = open_for_change()
    full = registry.catalog.resolve(manifest)
    amount = None if cost is None else parse_amount("cost", cost)
    done = review(registry, full, usable=usable, reason=reason, minutes=minutes, cost=amount)
    if as_json:
        emit({"record": done, "id": full, "usable": usable})
    else:
        click.echo(done)
