"""``mintmark export``: records for others, as a verifiable bundle or as plain rows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from registry.commands.conditions import conditions, query_of
from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.catalog.search import Query
    from registry.export.selecting import Exported
    from registry.home import Registry


@click.command(short_help="Export generations as a bundle, JSON Lines or CSV.")
@click.argument("manifests", nargs=-1, metavar="[ID]…")
@click.option("--format", "form", type=click.Choice(["bundle", "jsonl", "csv"]), default="bundle", show_default=True)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="File or folder; - prints rows.")
@click.option("--all", "everything", is_flag=True, help="Everything; a bundle then proves that nothing is missing.")
@conditions
@click.option(
    "--disclose",
    multiple=True,
    type=click.Choice(["all", "prompt", "subject", "error", "reason", "digest"]),
    help="Sealed values that the bundle shows; none where left out. Repeatable.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there; bundles never do.")
@click.option("--no-assets", is_flag=True, help="Leave the files out of the bundle.")
@click.option(
    "--consistency",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="SIZE",
    help="Prove that the log continues a checkpoint of that size, as an auditor kept one. Repeatable.",
)
@as_json
def export(
    manifests: tuple[str, ...],
    form: str,
    target: Path,
    everything: bool,
    disclose: tuple[str, ...],
    force: bool,
    no_assets: bool,
    consistency: tuple[int, ...],
    as_json: bool,
    **asked: Any,  # noqa: ANN401 - conditions, as click gives them
) -> None:
    """Export generations: IDs, or all that fit the options, or --all.

    A bundle is not written while recorded files are lost; erased ones are no loss.

    Exit status: 0 written, 1 files are lost or altered, 2 usage, 5 nothing selected.
    """
    from registry.catalog.search import matching
    from registry.commands.printing import emit, reading
    from registry.errors import counted
    from registry.export.selecting import export_selection

    if everything and manifests:
        raise click.UsageError("--all exports everything; leave out the IDs, or leave out --all")
    if everything and (conditions := [*_conditions(asked)]):
        raise click.UsageError(f"--all exports everything; leave out {', '.join(conditions)}, or leave out --all")
    if disclose and form != "bundle":
        raise click.UsageError(f"--disclose is for bundles; {form} never opens what is sealed")
    if consistency and form != "bundle":
        raise click.UsageError(f"--consistency is for bundles; {form} holds no proof")
    if not (manifests or everything or any(value for name, value in asked.items() if name != "replays")):
        raise click.UsageError("say what to export: IDs, --all, or conditions such as --label app=storefront")
    registry = reading()
    chosen = [registry.catalog.resolve(name) for name in manifests]
    asked["replays"] |= bool(chosen) or everything
    query = query_of(chosen or None, **asked)
    if form != "bundle":
        click.echo(counted(_rows(registry, query, form, target, force), "generation"), err=True)
        return
    exported = export_selection(
        registry,
        target,
        matching(registry.catalog, query),
        words="all" if everything else " ".join([*manifests, *_conditions(asked)]),
        disclose=disclose,
        assets=not no_assets,
        everything=everything,
        consistency=consistency,
    )
    if as_json:
        emit(exported.bundle)
    else:
        _tell(target, exported)


def _conditions(asked: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"label:{pair}" for pair in asked["labels"])
    names = ("workflow", "provider", "model", "status", "since", "until")
    yield from (f"{name}:{asked[name]}" for name in names if asked[name])


def _tell(target: Path, exported: "Exported") -> None:
    from registry.errors import counted

    paths = [member["path"] for member in exported.bundle["members"]]
    records = sum(path.startswith("records/") and path.endswith(".dsse.json") for path in paths)
    erased = f", {counted(exported.erased, 'erased asset')} left out" if exported.erased else ""
    click.echo(f"{target}  {counted(records, 'record')} (keys included), {counted(len(paths), 'file')}{erased}")
    click.echo("hand over, apart from it: mintmark key export > trust.txt", err=True)
    click.echo(f"they check it with: mintmark verify {target} --trust trust.txt", err=True)


def _rows(registry: "Registry", query: "Query", form: str, target: Path, force: bool) -> int:
    """Write rows, into place only when they are complete."""
    import sys

    from registry.catalog.search import bodies
    from registry.errors import FileThere
    from registry.export.lines import write_rows
    from registry.export.selecting import NothingSelected
    from registry.whole import drafted

    def write(out: BinaryIO) -> int:
        if not (count := write_rows(bodies(registry.catalog, query), form, out)):
            raise NothingSelected
        return count

    if str(target) == "-":
        return write(sys.stdout.buffer)
    if target.exists() and not force:
        raise FileThere(target)
    with drafted(target) as draft, draft.open("xb") as out:
        return write(out)
