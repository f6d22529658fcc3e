"""Commands of the ground floor: compare two files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.text import Text

    from drift.compare import Comparison

_EXCERPT = 60  # words of the diff that a terminal shows


@click.command(short_help="Measure how far two files lie apart.")
@click.argument("reference", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("candidate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Run only this metric; may be repeated.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write a self-contained HTML report here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def compare(reference: Path, candidate: Path, metrics: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Measure how far CANDIDATE lies from REFERENCE.

    Both must be images, videos, recordings or transcripts. Measuring is not
    deciding: the exit status is 0 whether they are equal or not, and 2 when
    a file cannot be used or the two are of different kinds.
    """
    from drift.compare import compare as measure

    if output is not None and output.exists() and output.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"{output} exists and is no report; give -o a new name, such as report.html")
    comparison = measure(reference, candidate, metrics=metrics or None)
    if output is not None:
        from drift.errors import ReportNotWritten
        from drift.report.page import render

        try:
            output.write_text(render(comparison), encoding="utf-8")
        except OSError as error:
            raise ReportNotWritten(str(output), error.strerror or str(error)) from None
    if as_json:
        click.echo(json.dumps(comparison.to_json(), ensure_ascii=False, indent=2, allow_nan=False))
        return
    _print(comparison)
    if output is not None:
        click.echo(f"report: {output}")


def _print(comparison: "Comparison") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from drift.evidence import shown

    console = Console(highlight=False)
    console.print(escape(comparison.summary), style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("metric", "value", "better"):
        table.add_column(heading)
    for score in comparison.scores:
        value = escape(shown(score)) if score.value is not None else f"[dim]{escape(shown(score))}[/dim]"
        table.add_row(escape(score.name), value, "higher" if score.higher_is_better else "lower")
    console.print(table)
    for note in comparison.notes:
        console.print(escape(note), style="dim")
    excerpt = _excerpt(comparison)
    if excerpt is not None:
        console.print(excerpt)


def _excerpt(comparison: "Comparison") -> "Text | None":
    """The first words of a transcript diff, beginning a little before the first change."""
    from rich.text import Text

    from drift.report.transcript import word_spans
    from drift.word_edits import Edits

    found = comparison.details.get("wer.raw/1") or comparison.details.get("cer.raw/1")
    if not isinstance(found, Edits) or all(kind == "equal" for kind, *_ in found.ranges):
        return None
    styles = {"gone": "red strike", "new": "green bold", "fold": "dim"}
    text = Text("\n")
    words = 0
    spans = word_spans(found, glue=" " if "wer.raw/1" in comparison.details else "")
    for number, span in enumerate(spans):
        said = span.text
        if number == 0 and span.kind == "same":
            said = " ".join(said.split(" ")[-8:])
        if span.kind == "fold":
            said = f"({said} unchanged)"
        text.append(said, style=styles.get(span.kind, ""))
        text.append(" ")
        words += len(said.split())
        if words >= _EXCERPT:
            text.append("...", style="dim")
            break
    return text
