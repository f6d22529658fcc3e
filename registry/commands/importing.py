"""``mintmark import``: files that tell how they were made, and tables of past calls."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.canonical import JSON
    from registry.home import Registry
    from registry.importing.files import Terms

_SHOWN = 50  # refusals told in full; --json has them all


@click.command("import", short_help="Import files that carry metadata, or tables of past calls.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    help="A table's map: which column is what (TOML).  [required for a table]",
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, record nothing.")
@click.option("--workflow", help="The business purpose.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label. Repeatable.")
@click.option(
    "--license", "terms", metavar="ID[=USE]", help="The terms: ID, or ID=allowed or ID=denied (commercially)."
)
@as_json
def import_(
    paths: tuple[Path, ...],
    map_file: Path | None,
    dry_run: bool,
    workflow: str | None,
    labels: tuple[str, ...],
    terms: str | None,
    as_json: bool,
) -> int:
    """Import PATHS: files with their own metadata, folders of them, or with --map one CSV or JSON Lines table.

    Exit status: 0 all are recorded, now or earlier; 1 something was refused, the rest is recorded; 2 usage, or the
    table or map cannot be read; 3 the disk or database failed; 5 nothing to import was found.
    """
    from registry.annotate import parse_labels
    from registry.commands.options import parse_license
    from registry.importing.files import Terms

    said = Terms(workflow=workflow, labels=parse_labels(labels), license=parse_license(terms))
    tables = [path for path in paths if path.suffix.lower() in (".csv", ".jsonl", ".ndjson", ".tsv")]
    if map_file is None and tables:
        raise click.UsageError(f"{tables[0]} is a table; --map says which column is what (docs/import.md)")
    if map_file is not None and len(paths) != 1:
        raise click.UsageError("--map goes with one table at a time")
    if map_file is None:
        return _say(_files(paths, said, dry_run), dry_run=dry_run, as_json=as_json)
    return _say(_rows(paths[0], map_file, said, dry_run), dry_run=dry_run, as_json=as_json)


def _registry(dry_run: bool) -> "Registry | None":
    from registry.commands.printing import reading, writing
    from registry.settings import find_home

    if not dry_run:
        return writing()
    home = find_home(Path.cwd())
    return reading() if home is not None and home.is_dir() else None


def _files(paths: tuple[Path, ...], said: "Terms", dry_run: bool) -> "Iterator[dict[str, JSON]]":
    from registry.importing.files import import_files

    for one in import_files(_registry(dry_run), paths, said, dry_run=dry_run):
        yield {"path": str(one.path), "state": one.state, "id": one.id, "tool": one.tool, "why": one.why}


def _rows(table: Path, map_file: Path, said: "Terms", dry_run: bool) -> "Iterator[dict[str, JSON]]":
    from registry.importing.history import import_rows
    from registry.importing.mapping import read_map

    mapped = read_map(map_file)
    if not table.is_file():
        raise click.UsageError(f"{table}: no such file")
    for one in import_rows(_registry(dry_run), table, mapped, said, dry_run=dry_run):
        yield {"row": one.number, "line": one.line, "state": one.state, "id": one.id, "why": one.why}


def _say(results: "Iterator[dict[str, JSON]]", *, dry_run: bool, as_json: bool) -> int:
    """Tell each file as it is done, and each refusal; then the counts."""
    from registry.commands.printing import emit, harmless, short

    counts = {"imported": 0, "known": 0, "refused": 0, "silent": 0}
    kept: list[JSON] = []
    for one in results:
        state = str(one["state"])
        counts[state] += 1
        if as_json:
            kept.append({name: value for name, value in one.items() if value is not None})
        elif state == "refused" and counts["refused"] <= _SHOWN:
            why = str(one["why"])
            named = "path" not in one or str(one["path"]) in why
            where = f"row {one['row']} (line {one['line']}): " if "row" in one else "" if named else f"{one['path']}: "
            click.echo(f"refused: {harmless(where + why)}", err=True)
        elif "path" in one and state in ("imported", "known"):
            mark = short(one["id"]) if one["id"] else "-" * 12
            note = "" if state == "imported" else "  (imported before)"
            click.echo(f"{mark}  {one['tool']}  {harmless(one['path'])}{note}")
        elif "row" in one and sum(counts.values()) % 1000 == 0:
            click.echo(f"{sum(counts.values()):,} rows", err=True)
    if as_json:
        emit({"dry_run": dry_run, **counts, "items": kept})
    else:
        _summary(counts, dry_run)
    if counts["refused"]:
        return 1
    return 0 if counts["imported"] or counts["known"] else 5


def _summary(counts: dict[str, int], dry_run: bool) -> None:
    if (more := counts["refused"] - _SHOWN) > 0:
        click.echo(f"and {more:,} more refused; --json lists all", err=True)
    parts = [f"{counts['imported']:,} {'would be imported' if dry_run else 'imported'}"]
    parts += [f"{counts['known']:,} imported before"] if counts["known"] else []
    parts += [f"{counts['refused']:,} refused"] if counts["refused"] else []
    parts += [f"{counts['silent']:,} files without metadata"] if counts["silent"] else []
    click.echo("; ".join(parts), err=True)
