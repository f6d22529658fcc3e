"""Commands of the ground floor: compare two files, check each of some."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.text import Text

    from drift.assertions.files import CheckedFile
    from drift.assertions.finding import Finding
    from drift.compare import Comparison

Resolve = Callable[[str], tuple[Path, str]]
"""Finds the file behind an argument, and what readers call it; raises where there is none."""


def existing(text: str) -> tuple[Path, str]:
    """A file by its path. Raises: click.UsageError."""
    from drift.visible import visible

    path = Path(text)
    if path.is_file():
        return path, visible(path.name)
    if path.is_dir():
        raise click.UsageError(f"{visible(text)} is a folder; name a file in it")
    raise click.UsageError(f"there is no file {visible(text)}{_near(path)}")


def _near(path: Path) -> str:
    from difflib import get_close_matches

    from drift.visible import visible

    try:
        beside = [other.name for other in path.parent.iterdir() if other.is_file()]
    except OSError:
        return f"; there is no folder {visible(str(path.parent))} either"
    near = get_close_matches(path.name, beside, n=1)
    return f" (did you mean {visible(str(path.parent / near[0]))}?)" if near else ""


def comparing(resolve: Resolve) -> click.Command:
    """The command ``compare``, its arguments found by ``resolve``."""

    @click.command(short_help="Measure how far two files lie apart, or check files for failures.")
    @click.argument("names", metavar="REFERENCE CANDIDATE | --check FILE...", nargs=-1, required=True)
    @click.option("--check", is_flag=True, help="Compare nothing: check each FILE for what no output should be.")
    @click.option("--language", metavar="CODE", help="The language transcripts should be in, for --check.")
    @click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Run only this metric; may be repeated.")
    @click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a self-contained HTML report here.")
    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.pass_context
    def compare(
        ctx: click.Context,
        names: tuple[str, ...],
        check: bool,
        language: str | None,
        metrics: tuple[str, ...],
        output: Path | None,
        as_json: bool,
    ) -> None:
        """Measure how far CANDIDATE lies from REFERENCE, and check both for failures.

        Both must be images, videos, recordings or transcripts. Measuring is not
        deciding: the exit status is 0 whether they are equal or not, and 2 when
        a file cannot be used or the two are of different kinds.

        With --check any number of files is checked one by one: black, flat, cut
        off or noise; frozen, silent, looping; empty, or of another language.
        Exit status then: 0 none failed, 1 one failed, 3 one cannot be read.
        """
        if check:
            if metrics or output:
                raise click.UsageError("--check measures nothing: leave out --metric and --output")
            if language is not None:
                _known(language)
            ctx.exit(_check(names, resolve, language, as_json))
        if len(names) != 2:
            raise click.UsageError(f"compare takes a reference and a candidate, not {len(names)} files")
        if language is not None:
            raise click.UsageError("--language goes with --check")
        _compare([resolve(name) for name in names], metrics, output, as_json)

    return compare


compare = comparing(existing)


def _compare(sides: Sequence[tuple[Path, str]], metrics: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    from drift.compare import compare as measure
    from drift.report.writing import promise, write

    (reference, ours), (candidate, theirs) = sides
    if output is not None:
        promise(output, (reference, candidate))
    comparison = measure(reference, candidate, metrics=metrics or None, names=(ours, theirs), assertions=True)
    if output is not None:
        write(output, comparison)
    if as_json:
        _emit(comparison.to_json())
        return
    _print(comparison)
    if output is not None:
        from drift.visible import visible

        click.echo(f"report: {visible(str(output))}")


def _emit(document: dict[str, object]) -> None:
    from drift.visible import steering_escaped

    click.echo(steering_escaped(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)))


def _known(language: str) -> None:
    """Raises: click.UsageError: transcripts cannot be told to be in that language."""
    from drift.assertions.language import LANGUAGES, code_of
    from drift.visible import visible

    if code_of(language) is None:
        codes = ", ".join(LANGUAGES)
        why = f"{visible(repr(language))} is no language that can be told"
        raise click.UsageError(f"--language: {why}; give a code such as de or a name such as german, of {codes}")


def _check(names: Sequence[str], resolve: Resolve, language: str | None, as_json: bool) -> int:
    from drift.assertions.files import CheckedFile, checked, to_json

    files = [resolve(name) for name in names]
    every: list[CheckedFile] = []
    for path, called in files:
        found = checked(path, called, language=language)
        every.append(found)
        if not as_json:
            _print_checked(found)
    if as_json:
        _emit(to_json(every))
    if any(found.failed for found in every):
        return 1
    return 3 if any(found.error for found in every) else 0


def _print_checked(found: "CheckedFile") -> None:
    from rich.console import Console
    from rich.text import Text

    from drift.visible import visible

    console = Console(highlight=False, soft_wrap=True)
    if found.error is not None:
        console.print(Text.assemble((found.name, "bold"), ": ", ("unreadable", "red bold")))
        console.print(f"  {visible(found.error)}", markup=False)
        return
    held = sum(finding.verdict == "ok" for finding in found.findings)
    told = ("failed", "red bold") if found.failed else ("ok", "green bold")
    moot = len(found.findings) - held - len(found.failed)
    rest = f" ({held} hold{f', {moot} not applicable' if moot else ''})"
    console.print(Text.assemble((found.name, "bold"), ": ", told, (rest, "dim")))
    for finding in found.failed:
        console.print(_failure(finding))


def _failure(finding: "Finding", which: str = "") -> "Text":
    from rich.text import Text

    from drift.visible import visible

    return Text.assemble(f"  {which}", (finding.name, "red"), f"  {visible(finding.reason)}")


def _print(comparison: "Comparison") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from drift.assertions import failed
    from drift.evidence import shown
    from drift.report.excerpt import excerpt
    from drift.visible import visible

    console = Console(highlight=False)
    console.print(Text(visible(comparison.summary), "bold"))
    for which, findings in zip(("reference", "candidate"), comparison.findings or (), strict=False):
        for finding in failed(findings):
            console.print(_failure(finding, f"the {which} failed "))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("metric", "value", "better"):
        table.add_column(heading)
    for score in comparison.scores:
        value = Text(visible(shown(score)), "" if score.value is not None else "dim")
        table.add_row(Text(score.name), value, "higher" if score.higher_is_better else "lower")
    console.print(table)
    for note in comparison.notes:
        console.print(Text(visible(note), "dim"))
    words = excerpt(comparison)
    if words is not None:
        console.print(words)
