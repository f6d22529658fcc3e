"""What commands share in speaking to people and to pipes."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from registry.canonical import JSON
from registry.errors import harmless as harmless
from registry.home import Registry, open_or_create, open_registry
from registry.manifest import Manifest, OutcomeClass

Command = TypeVar("Command", bound=Callable[..., Any])


STATUSES = get_args(OutcomeClass)


def as_json(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def emit(value: JSON) -> None:
    """Print JSON, indented for eyes, one document."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo(re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text))  # JSON itself escapes the others


def facts(rows: Iterable[tuple[str, object]], indent: str = "") -> None:
    """Print names and values in two columns; None and empty values are left out."""
    shown = [(harmless(name), harmless(str(value))) for name, value in rows if value not in (None, "", [], {})]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *more = value.splitlines() or [""]
        click.echo(f"{indent}{name:<{width}}  {first}")
        for line in more:  # below the first: no value may look like another name
            click.echo(f"{indent}{'':<{width}}  {line}")


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in plain columns; the last column may run on."""
    texts = [[" ".join(harmless(str(cell)).splitlines()) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max(len(line[n]) for line in [list(head), *texts]) for n in range(len(head))]
    for line in [list(head), *texts]:
        cells = [f"{cell:<{width}}" for cell, width in zip(line[:-1], widths[:-1], strict=True)]
        click.echo("  ".join([*cells, line[-1]]).rstrip())


def short(record_id: str) -> str:
    """An id as people read and type it: its first 12 digits."""
    return record_id.removeprefix("sha256:")[:12]


def fewer(manifest: Manifest) -> str:
    """``, 1 of 3 outputs (safety omitted)`` where a call that succeeded brought fewer than were asked for."""
    made, asked = len(manifest.outputs), manifest.outputs_requested
    if manifest.outcome.class_ != "succeeded" or made >= asked:
        return ""
    return f", {made:,} of {asked:,} outputs" + (" (safety omitted)" if manifest.outcome.safety == "omitted" else "")


def reading() -> Registry:
    """The registry here; refuses where there is none."""
    return _closing(open_registry(Path.cwd()))


def writing() -> Registry:
    """The registry here, made if need be; signs the log's head when the command ends."""
    registry, new = open_or_create(Path.cwd())
    if new:
        click.echo(f"made a registry in {registry.home}", err=True)
    return _changing(_closing(registry))


def open_for_change() -> Registry:
    """The registry here, to add records that speak of others; refuses where there is none."""
    return _changing(reading())


def _changing(registry: Registry) -> Registry:
    """Keep promises of an erasure that was interrupted, first; sign the log's head when the command ends."""
    if registry.catalog.intents():
        from registry.erase import ResiduePending, finish

        try:
            click.echo(f"completed {finish(registry)} interrupted erasures", err=True)
        except ResiduePending as problem:  # no reason to refuse what was asked for now
            click.echo(str(problem), err=True)
    click.get_current_context().call_on_close(registry.sign_checkpoint)
    return registry


def _closing(registry: Registry) -> Registry:
    click.get_current_context().call_on_close(registry.close)
    return registry
