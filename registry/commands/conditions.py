"""The conditions that select generations, as options, and the query they amount to."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from registry.commands.printing import STATUSES

if TYPE_CHECKING:
    from registry.catalog.search import Query

Command = TypeVar("Command", bound=Callable[..., Any])


def conditions(command: Command) -> Command:
    """Add the options that say which generations are meant; every condition must hold."""
    for option in (
        click.option("--replays", is_flag=True, help="Replays, too."),
        click.option("--until", metavar="TIME", help="Before then."),
        click.option("--since", metavar="TIME", help="From then on: 7d, 2026-11-01 (local), 2026-11-01T12:00Z."),
        click.option("--status", type=click.Choice(STATUSES), help="The outcome class."),
        click.option("--model", help="The model that was asked for."),
        click.option("--provider", help="Who ran the model."),
        click.option("--workflow", help="The business purpose."),
        click.option("--label", "labels", multiple=True, metavar="K=V", help="A label or tag. Repeatable."),
    ):
        command = option(command)
    return command


def query_of(
    among: Sequence[str] | None,
    *,
    labels: Sequence[str],
    since: str | None,
    until: str | None,
    **plain: Any,  # noqa: ANN401 - click names and types them as Query does
) -> "Query":
    """What the options ask for, among some generations or all."""
    from registry.annotate import parse_labels
    from registry.catalog.search import Query
    from registry.times import parse_time

    return Query(
        labels=parse_labels(labels),
        since=None if since is None else parse_time("--since", since),
        until=None if until is None else parse_time("--until", until),
        among=among,
        **plain,
    )
