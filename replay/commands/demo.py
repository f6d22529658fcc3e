"""``mintmark demo``: the whole story in one command."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from registry.lookup import Answer
    from replay.demo import Calibrated, Demo, Made, Replays
    from replay.demo_crash import Crash

_COLOURS = {
    "reproduced": "green",
    "within-noise": "green",
    "drifted": "red",
    "undecided": "yellow",
    "not-replayable": "yellow",
}


@click.command(short_help="The whole story on this machine, in half a minute.")
@click.option(
    "--home",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mintmark-demo"),
    show_default=True,
    help="Where the demo lives; an earlier demo there is replaced.",
)
def demo(folder: Path) -> None:
    """Generate, replay, compare, look up, erase, export, verify: real work on this machine, no network, no keys.

    Exit status: 0 the story ran to its end.
    """
    import time

    from rich.console import Console

    from registry.home import create_at
    from registry.settings import HOME
    from replay.demo import Demo, new_folder

    start = time.monotonic()
    console = Console(highlight=False)
    folder = new_folder(folder.absolute())
    registry, _ = create_at(folder / HOME)
    try:
        _tell(console, Demo(registry, folder))
    finally:
        registry.close()
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    console.print(f"\n[bold]report[/bold]  {shown}/report.html   ({time.monotonic() - start:.0f} s)")
    console.print("\n[bold]try[/bold]")
    for line in ("lookup from-a-customer.jpg", "show @last", "serve"):
        console.print(f"  cd {shown} && {_program(folder)} {line}")


def _program(folder: Path) -> str:
    """How this program is called from ``folder``: by name where the shell finds it, else by its path."""
    import os
    import shutil
    import sys

    if shutil.which("mintmark"):
        return "mintmark"
    return os.path.relpath(Path(sys.argv[0]).absolute(), folder)


def _tell(console: "Console", story: "Demo") -> None:
    from replay.demo_report import write_report

    _chapter(console, "Generations", "recorded as signed manifests; prompts are sealed")
    story.make(lambda made: _made(console, made))
    _chapter(console, "Calibration", "how far do honest runs of one version lie apart?")
    story.calibrate(lambda one: _calibrated(console, one))
    _chapter(console, "Replays", "could it be made again? every verdict gives its reason")
    story.play_again(lambda one: _replayed(console, one))
    _chapter(console, "Killed midway", "a run of paid replays, and the vendor counts")
    _crashed(console, story.crash())
    _transcripts(console, story)
    copy, _, found = story.look_up()
    _looked_up(console, story, found)
    erased = story.erase_prompt()
    _chapter(console, "Erasure", "a prompt goes, the record stays")
    console.print(f'  "{erased[0].prompt}" is now [{story.prompt_state(erased[0])}]', markup=False)
    console.print(f"  {erased[2]} files of the registry hold it; erasure record {erased[1][7:19]}")
    bundle, verified, tampered, offset = story.audit()
    _chapter(console, "Audit", "a bundle that anyone can check offline")
    console.print(f"  {bundle.name}: [green]{verified.verdict}[/green], {verified.records} records besides keys")
    fault = next(layer for layer in tampered.layers if layer.state == "failed")
    console.print(f"  one bit of byte {offset} changed: [red]{tampered.verdict}[/red], layer {fault.name}")
    contrast = story.contrast(copy, found, erased, tampered)
    _chapter(console, "Beside a script", "that compares pHash with a limit of 10, same files")
    _table(console, ("", "script", "mintmark"), [(row.question, row.script, row.mintmark) for row in contrast])
    origin = story.registry.snapshot.origin
    write_report(story.folder / "report.html", story, contrast, verified=verified, tampered=tampered, origin=origin)


def _made(console: "Console", made: "Made") -> None:
    took = f"{made.milliseconds} ms".rjust(8)
    console.print(f"  {made.id[7:19]} {made.kind:<5} {took} noise {made.noise:<6} {made.prompt}")


def _calibrated(console: "Console", one: "Calibrated") -> None:
    from rich.markup import escape
    from rich.padding import Padding

    console.print(f"  {one.made.kind}, {escape(one.made.prompt)}")
    line = f"[bold]{one.calibration.regime}[/bold]  {escape(one.calibration.sentence)}"
    console.print(Padding(line, (0, 0, 0, 4)))


def _replayed(console: "Console", one: "Replays") -> None:
    from rich.markup import escape
    from rich.padding import Padding

    console.print(f"  [bold]{one.title}[/bold]: {one.made.kind}, {escape(one.made.prompt)}")
    for kind, sentence, times in one.told:
        many = f" ({times} replays)" if times > 1 else ""
        line = f"[{_COLOURS.get(kind, 'white')}]{kind}[/]{many}  {escape(sentence)}"
        console.print(Padding(line, (0, 0, 0, 4)))


def _crashed(console: "Console", one: "Crash") -> None:
    console.print(f"  {one.pictures} pictures of a vendor on loopback that takes jobs and charges for each")
    console.print(f"  the run's process was killed (SIGKILL) with {one.under_way} paid replays under way")
    console.print(f"  resumed: {one.sentence}; {one.replays} of {one.pictures} replays recorded", markup=False)
    colour = "red" if one.twice else "green"
    console.print(
        f"  {one.paid} charges for {one.pictures} replays, [{colour}]{one.twice} paid twice[/], {one.parked} parked; "
        f"{one.spent} spent"
    )


def _transcripts(console: "Console", story: "Demo") -> None:
    from drift.evidence import shown

    comparison = story.compare_transcripts()
    _chapter(console, "Two transcripts", "of one meeting, by two systems")
    rows = [
        (score.name, shown(score)) for score in comparison.scores if score.base in ("wer.raw", "wer.norm", "cer.norm")
    ]
    _table(console, ("metric", "value"), rows)


def _looked_up(console: "Console", story: "Demo", found: "Answer") -> None:
    _chapter(console, "Look-up", "a customer's copy: 360 x 360, JPEG 62")
    if not found.hits:
        console.print(f"  nothing found in {found.searched}")
        return
    hit = found.hits[0]
    prompt = next((made.prompt for made in story.made if made.id == hit.manifest), "")
    console.print(f'  {hit.sureness}: {hit.manifest[7:19]}, "{prompt}"', markup=False)
    console.print(f"  {hit.sentence}", markup=False)


def _chapter(console: "Console", title: str, about: str) -> None:
    console.print(f"\n[bold]{title}[/bold]  [dim]{about}[/dim]")


def _table(console: "Console", head: tuple[str, ...], rows: "Sequence[tuple[str, ...]]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 2))
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    console.print(table)
