"""How far a run is: a live table on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from registry.journal.runs import Runs

_EVERY_S = 0.25
_LINE_S = 10.0
_STATES = ("wanted", "made", "failed", "parked", "refused", "canceled")


@contextmanager
def following(runs: "Runs", run_id: str, *, quiet: bool) -> "Iterator[Callable[[], None]]":
    """Gives what a driver calls as often as it likes; it looks at the rows a few times a second and shows them."""
    if quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        yield from _live(runs, run_id)
    else:
        yield _plain(runs, run_id)


def _live(runs: "Runs", run_id: str) -> "Iterator[Callable[[], None]]":
    from rich.console import Console
    from rich.live import Live

    began = time.monotonic()
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        looked = [0.0]

        def tell() -> None:
            if time.monotonic() - looked[0] >= _EVERY_S:
                live.update(_table(runs.counts(run_id), time.monotonic() - began), refresh=True)
                looked[0] = time.monotonic()

        yield tell


def _plain(runs: "Runs", run_id: str) -> "Callable[[], None]":
    said, looked = [""], [time.monotonic()]

    def tell() -> None:
        if time.monotonic() - looked[0] < _LINE_S:
            return
        looked[0] = time.monotonic()
        counts = runs.counts(run_id)
        ended = sum(states.get(state, 0) for states in counts.values() for state in _STATES[1:])
        line = f"{ended} of {sum(sum(states.values()) for states in counts.values())} replays ended"
        if line != said[0]:
            click.echo(line, err=True)
            said[0] = line

    return tell


def _table(counts: Mapping[str, Mapping[str, int]], seconds: float) -> "Table":
    from rich.table import Table

    table = Table("replays", *_STATES, "left", box=None, pad_edge=False)
    for purpose, states in sorted(counts.items()):
        ended = sum(count for state, count in states.items() if state != "wanted")
        left = seconds / ended * states.get("wanted", 0) if ended else None
        shown = "" if left is None or not states.get("wanted") else f"{left:.0f} s"
        table.add_row(purpose, *(str(states.get(state, "")) for state in _STATES), shown)
    return table
