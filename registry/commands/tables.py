"""Tables for terminals of any width, and the same rows as CSV."""

import shutil
import sys
from collections.abc import Iterable, Sequence

import click

from registry.canonical import JSON
from registry.commands.printing import harmless

UNBOUNDED = 10_000  # columns where nobody looks: rows in a pipe stay rows


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, title: int, right: Iterable[str] = ()) -> None:
    """Print rows in columns or, where the terminal is too narrow for them, one block for each row.

    Args:
        head: names of the columns.
        rows: cells; None is shown as ``-``.
        title: how many columns name the row; in a block they are its title.
        right: columns of numbers, aligned to the right.
    """
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(line[n]) for line in [list(head), *texts]) for n in range(len(head))]
    room = shutil.get_terminal_size((UNBOUNDED, 24)).columns
    if sum(widths) + 2 * (len(widths) - 1) > room:
        _blocks(head, texts, title, room)
        return
    numbers = {n for n, name in enumerate(head) if name in right}
    for line in [list(head), *texts]:
        pairs = zip(line, widths, strict=True)
        cells = [cell.rjust(width) if n in numbers else cell.ljust(width) for n, (cell, width) in enumerate(pairs)]
        click.echo("  ".join(cells).rstrip())


def csv(rows: tuple[Sequence[JSON], Iterable[Sequence[JSON]]]) -> None:
    """Print a heading and rows, RFC 4180, UTF-8."""
    from registry.export.lines import csv_row

    for row in (rows[0], *rows[1]):
        sys.stdout.buffer.write(csv_row(row))
    sys.stdout.buffer.flush()


def folded(text: str, first: str = "", more: str = "") -> None:
    """Print a paragraph inside the terminal's width; what begins its first line, and each of the others."""
    import textwrap

    room = min(shutil.get_terminal_size((120, 24)).columns, 120)
    click.echo(textwrap.fill(harmless(text), room, initial_indent=first, subsequent_indent=more))


def _blocks(head: Sequence[str], texts: Sequence[Sequence[str]], title: int, room: int) -> None:
    width = max(len(name) for name in head[title:])
    before: Sequence[str] = ()
    for row in texts:
        if tuple(row[:title]) != before:
            before = tuple(row[:title])
            click.echo("  ".join(f"{name.lower()} {cell}" for name, cell in zip(head, row[:title], strict=False)))
        for name, cell in zip(head[title:], row[title:], strict=True):
            click.echo(f"  {name.lower():<{width}}  {cell}")


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:,}" if isinstance(cell, int) else " ".join(harmless(str(cell)).splitlines())
