"""``mintmark export``: records for others, as a verifiable bundle or as plain rows."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import STATUSES, as_json

if TYPE_CHECKING:
    from registry.catalog.search import Query
    from registry.home import Registry


@click.command(short_help="Export generations as a bundle, JSON Lines or CSV.")
@click.argument("manifests", nargs=-1, metavar="[ID]…")
@click.option("--format", "form", type=click.Choice(["bundle", "jsonl", "csv"]), default="bundle", show_default=True)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="File or folder; - prints rows.")
@click.option("--all", "everything", is_flag=True, help="Everything; a bundle then proves that nothing is missing.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label or tag. Repeatable.")
@click.option("--workflow", help="The business purpose.")
@click.option("--provider", help="Who ran the model.")
@click.option("--model", help="The model that was asked for.")
@click.option("--status", type=click.Choice(STATUSES), help="The outcome class.")
@click.option("--since", metavar="TIME", help="From then on.")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--replays", is_flag=True, help="Replays, too.")
@click.option(
    "--disclose",
    multiple=True,
    type=click.Choice(["all", "prompt", "subject", "error", "reason", "digest"]),
    help="Sealed values that the bundle shows; none where left out. Repeatable.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there; bundles never do.")
@click.option("--no-assets", is_flag=True, help="Leave the files out of the bundle.")
@as_json
def export(
    manifests: tuple[str, ...],
    form: str,
    target: Path,
    everything: bool,
    labels: tuple[str, ...],
    since: str | None,
    until: str | None,
    disclose: tuple[str, ...],
    no_assets: bool,
    force: bool,
    as_json: bool,
    **plain: object,
) -> None:
    """Export generations: IDs, or all that fit the options, or --all.

    Exit status: 0 written, 2 usage, 5 nothing selected.
    """
    from registry.annotate import parse_labels
    from registry.catalog.search import Query, matching
    from registry.commands.printing import emit, reading
    from registry.errors import counted
    from registry.export.selecting import export_selection
    from registry.times import parse_time

    if everything and manifests:
        raise click.UsageError("--all exports everything; leave out the IDs, or leave out --all")
    if disclose and form != "bundle":
        raise click.UsageError(f"--disclose is for bundles; {form} never opens what is sealed")
    registry = reading()
    chosen = [registry.catalog.resolve(name) for name in manifests]
    query = Query(
        labels=parse_labels(labels),
        since=None if since is None else parse_time("--since", since),
        until=None if until is None else parse_time("--until", until),
        among=chosen or None,
        replays=bool(plain.pop("replays")) or bool(chosen) or everything,
        **plain,  # type: ignore[arg-type]  # click names and types them as Query does
    )
    if not (manifests or everything or labels or since or until or any(plain.values())):
        raise click.UsageError("say what to export: IDs, --all, or conditions such as --label app=storefront")
    if form != "bundle":
        click.echo(counted(_rows(registry, query, form, target, force), "generation"), err=True)
        return
    words = "all" if everything else " ".join([*manifests, *_conditions(labels, since, until, plain)])
    bundle = export_selection(
        registry,
        target,
        matching(registry.catalog, query),
        words=words,
        disclose=disclose,
        assets=not no_assets,
        everything=everything,
    )
    if as_json:
        emit(bundle)
        return
    paths = [member["path"] for member in bundle["members"]]
    records = sum(path.startswith("records/") and path.endswith(".dsse.json") for path in paths)
    click.echo(f"{target}  {counted(records, 'record')} (keys included), {counted(len(paths), 'file')}")
    click.echo("hand over, apart from it: mintmark key export > trust.txt", err=True)
    click.echo(f"they check it with: mintmark verify {target} --trust trust.txt", err=True)


def _conditions(
    labels: tuple[str, ...], since: str | None, until: str | None, plain: dict[str, object]
) -> Iterable[str]:
    yield from (f"label:{pair}" for pair in labels)
    yield from (f"{name}:{value}" for name, value in {**plain, "since": since, "until": until}.items() if value)


def _rows(registry: "Registry", query: "Query", form: str, target: Path, force: bool) -> int:
    """Write rows, into place only when they are complete."""
    import os
    import secrets
    import sys

    from registry.catalog.search import bodies
    from registry.errors import FileThere
    from registry.export.lines import csv_lines, json_lines
    from registry.export.selecting import NothingSelected

    if str(target) != "-" and target.exists() and not force:
        raise FileThere(target)
    lines = (json_lines if form == "jsonl" else csv_lines)(bodies(registry.catalog, query))
    header = 1 if form == "csv" else 0
    count = -header
    if str(target) == "-":
        for line in lines:
            sys.stdout.buffer.write(line)
            count += 1
    else:
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as out:
                for line in lines:
                    out.write(line)
                    count += 1
                out.flush()
                os.fsync(out.fileno())
            if count:
                os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    if not count:
        raise NothingSelected
    return count
