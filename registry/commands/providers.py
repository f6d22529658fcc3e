"""``mintmark providers``: what is known of who runs the models."""

import click

from registry.commands.printing import as_json


@click.group(short_help="What is known of who runs the models.")
def providers() -> None:
    """What is known of who runs the models."""


@providers.command(short_help="Recorded models with a day of shut-down.")
@click.option("--within", metavar="TIME", help="Only what is shut down by then: 90d, 12w. Past ones always count.")
@as_json
def retiring(within: str | None, as_json: bool) -> int:
    """List recorded models with a day of shut-down, and how many generations asked for each.

    Exit status: 0 none; 1 some; 3 no registry, or it cannot be read.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from registry.capture.description import shipped
    from registry.commands.options import parse_span
    from registry.commands.printing import columns, emit, reading
    from registry.retiring import retirements

    today = datetime.now(UTC).date()
    until = None if within is None else today + parse_span("--within", within)
    found = retirements(reading(), shipped(), until=until)
    if as_json:
        emit([asdict(one) | {"day": one.day.isoformat(), "days_left": one.days_left(today)} for one in found])
        return int(bool(found))
    if not found:
        click.echo("no recorded model has a day of shut-down" + (f" within {within}" if within else ""))
        return 0
    rows = [
        (
            one.day,
            f"in {left} days" if (left := one.days_left(today)) > 0 else "shut down",
            one.provider,
            one.model,
            f"{one.generations:,}",
            one.source,
        )
        for one in found
    ]
    columns(("DAY", "LEFT", "PROVIDER", "MODEL", "GENERATIONS", "KNOWN FROM"), rows)
    click.echo("their replays end that day; try: mintmark search --provider P --model M", err=True)
    return 1
