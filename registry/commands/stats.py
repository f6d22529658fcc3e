"""``mintmark stats``: what generations cost, how fast they came, how they ended, who is good at what."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.home import Registry
    from registry.stats.calls import Selection
    from registry.stats.grouping import Grouping

Command = TypeVar("Command", bound=Callable[..., Any])
_BY = "workflow,provider,model"


@click.group(short_help="Cost, latency, outcomes and scores of providers.")
def stats() -> None:
    """What generations cost, how fast they came, how they ended, and how providers compare.

    Read from the signed records: nothing is counted ahead, nothing is guessed.
    """


def selecting(command: Command) -> Command:
    """Add the options that say which calls a report is about."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
        click.option("--model", help="Only this model."),
        click.option("--provider", help="Only who runs it."),
        click.option("--workflow", help="Only this workflow."),
        click.option("--tz", "zone", metavar="ZONE", help="What bare dates mean: Europe/Berlin; this machine's zone."),
        click.option("--month", metavar="MONTH", help="A calendar month, 2026-10."),
        click.option("--until", metavar="TIME", help="Calls before then."),
        click.option("--since", metavar="TIME", help="Calls from then on: 7d, 2026-11-01, 2026-11-01T12:00Z."),
        as_json,
    ):
        command = option(command)
    return command


def grouping(command: Command) -> Command:
    """Add ``--by`` and ``--replays``."""
    by = "What is counted together: workflow, provider, model, served, pin, operation, account, region, day, month, "
    option = click.option("--by", default=_BY, show_default=True, metavar="NAMES", help=by + "label:KEY.")
    return click.option("--replays", is_flag=True, help="Replays, too, in groups of their own.")(option(command))


@stats.command(short_help="What a usable output costs.")
@selecting
@grouping
@click.option("--minute-cost", metavar="AMOUNT", help="What a minute of a person costs, 0.80EUR; counted with reviews.")
def cost(by: str, minute_cost: str | None, as_json: bool, as_csv: bool, **which: Any) -> None:  # noqa: ANN401
    """Say what was spent, what came of it, and what one usable output costs, failures and reviews included.

    An output is usable when the newest review says so. Nothing is added up across currencies.

    Exit status: 0; 5 no call fits.
    """
    from decimal import Decimal

    from registry.commands.options import parse_amount
    from registry.commands.printing import emit
    from registry.commands.stats_text import cost_text
    from registry.commands.tables import csv
    from registry.stats.calls import calls
    from registry.stats.cost import costs
    from registry.stats.report import cost_json, cost_rows, head
    from registry.stats.reviews import reviewed

    minute = None
    if minute_cost is not None:
        amount, currency = parse_amount("--minute-cost", minute_cost)
        minute = Decimal(amount), currency
    registry, selection, groups_of = _asked(by, as_json and as_csv, **which)
    found = costs(calls(registry, selection), groups_of, reviewed(registry), minute)
    if as_json:
        emit(head("cost", selection, groups_of.names) | {"groups": cost_json(found, groups_of)})
    elif as_csv:
        csv(cost_rows(found, groups_of))
    else:
        cost_text(selection, groups_of, found)


@stats.command(short_help="How fast, and whether objectives are kept.")
@selecting
@grouping
def latency(by: str, as_json: bool, as_csv: bool, **which: Any) -> int:  # noqa: ANN401
    """Say how long successful calls took (p50, p95, p99) and how many ran out of time.

    Workflows with an objective ([slo."NAME"] in mintmark.toml) are held to it, first generations only.

    Exit status: 0 every objective kept, or none set; 1 one missed; 4 too few calls to say; 5 no call fits.
    """
    from registry.commands.printing import emit
    from registry.commands.stats_text import latency_text
    from registry.commands.tables import csv
    from registry.stats.calls import calls
    from registry.stats.latency import latencies
    from registry.stats.report import head, latency_json, latency_rows, objectives_json

    registry, selection, groups_of = _asked(by, as_json and as_csv, **which)
    objectives = registry.settings.holding.objectives
    if selection.workflow is not None:
        objectives = {name: one for name, one in objectives.items() if name == selection.workflow}
    found, kept = latencies(calls(registry, selection), groups_of, objectives)
    if as_json:
        told = {"groups": latency_json(found, groups_of), "objectives": objectives_json(kept, objectives)}
        emit(head("latency", selection, groups_of.names) | told)
    elif as_csv:
        csv(latency_rows(found, groups_of))
    else:
        latency_text(selection, groups_of, found, kept, objectives)
    answers = {one.answer for figures in kept.values() for one in figures}
    return 1 if "missed" in answers else 4 if "unknown" in answers else 0


@stats.command(short_help="How calls ended.")
@selecting
@grouping
def outcomes(by: str, as_json: bool, as_csv: bool, **which: Any) -> None:  # noqa: ANN401
    """Say how calls ended, by outcome class and by what safety filters did, with shares and counts.

    Exit status: 0; 5 no call fits.
    """
    from registry.commands.printing import emit
    from registry.commands.stats_text import outcomes_text
    from registry.commands.tables import csv
    from registry.stats.calls import calls
    from registry.stats.outcomes import outcomes
    from registry.stats.report import head, outcomes_json, outcomes_rows

    registry, selection, groups_of = _asked(by, as_json and as_csv, **which)
    found = outcomes(calls(registry, selection), groups_of)
    if as_json:
        emit(head("outcomes", selection, groups_of.names) | {"groups": outcomes_json(found, groups_of)})
    elif as_csv:
        csv(outcomes_rows(found, groups_of))
    else:
        outcomes_text(selection, groups_of, found)


@stats.command(short_help="Providers in six dimensions, with what was measured.")
@selecting
@click.option("--weights", type=click.Path(path_type=Path), help="A TOML file with weights; else [scorecard].")
@click.option(
    "--by",
    type=click.Choice(["provider", "provider,model"]),
    default="provider",
    show_default=True,
    help="Who is held.",
)
def scorecard(by: str, weights: Path | None, as_json: bool, as_csv: bool, **which: Any) -> None:  # noqa: ANN401
    """Score providers from 0 to 100: latency, versioning, reproducibility, cost, integration, SLA.

    Each score names the measurements behind it; what was not measured is unknown, and says why (docs/stats.md).

    Exit status: 0; 5 no call fits.
    """
    from datetime import UTC, datetime

    from registry.capture.description import shipped
    from registry.commands.printing import emit
    from registry.commands.stats_text import cards_text
    from registry.commands.tables import csv
    from registry.objectives import read_weights
    from registry.stats.again import made_again
    from registry.stats.calls import calls
    from registry.stats.evidence import gather
    from registry.stats.publishing import published_of
    from registry.stats.report import cards_json, cards_rows, head
    from registry.stats.reviews import reviewed
    from registry.stats.scorecard import scorecards

    weight = None if weights is None else read_weights(weights)
    registry, selection, groups_of = _asked(by, as_json and as_csv, **which)
    holding = registry.settings.holding
    again = made_again(registry, selection)
    by_model = by != "provider"
    evidence = gather(calls(registry, selection), reviewed(registry), holding.objectives, again, by_model=by_model)
    published = published_of(registry, shipped(), (one.key[0] for one in evidence))
    today = datetime.now(UTC).date()
    cards = scorecards(evidence, published, holding.objectives, weight or holding.weights, today)
    names = groups_of.names
    if as_json:
        told = {"weights": dict(weight or holding.weights), "groups": cards_json(cards, names)}
        emit(head("scorecard", selection, names) | told)
    elif as_csv:
        csv(cards_rows(cards, names))
    else:
        cards_text(selection, names, cards)


def _asked(by: str, both: bool, replays: bool = False, **which: Any) -> "tuple[Registry, Selection, Grouping]":  # noqa: ANN401
    """The registry, and what of it the options select."""
    from registry.commands.printing import reading
    from registry.stats.calls import Selection
    from registry.stats.grouping import group_by
    from registry.stats.period import parse_period

    if both:
        raise click.UsageError("--json or --csv, not both")
    period = parse_period(which.pop("since"), which.pop("until"), which.pop("month"), which.pop("zone"))
    grouping = group_by(by, period, replays=replays)
    return reading(), Selection(period, replays=replays, **which), grouping
