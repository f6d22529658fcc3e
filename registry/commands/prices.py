"""``mintmark prices``: what calls cost."""

from pathlib import Path

import click

from registry.commands.printing import as_json


@click.group(short_help="Price tables, by which costs are estimated.")
def prices() -> None:
    """Price tables, by which costs are estimated where a call does not tell its own."""


@prices.command("import", short_help="Take in a price table.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--effective-from", metavar="DAY", help="The day its prices begin, 2026-11-01; today where left out.")
@as_json
def import_(file: Path, effective_from: str | None, as_json: bool) -> None:
    """Take in FILE: the public JSON list of the LiteLLM project, or own prices as TOML, which go before it.

    Exit status: 0 stored; 2 the file is no price table; 3 the disk failed.
    """
    from dataclasses import asdict

    from registry.commands.options import parse_day
    from registry.commands.printing import emit, writing
    from registry.prices.store import import_prices

    day = None if effective_from is None else parse_day("--effective-from", effective_from)
    stored = import_prices(writing(), file, day)
    if as_json:
        emit(asdict(stored))
        return
    click.echo(f"{stored.models:,} models with a price, in force from {stored.effective_from}, sha256:{stored.sha256}")


@prices.command(short_help="What a model costs, and who says so.")
@click.argument("model")
@click.option("--provider", help="Whose model; any where left out.")
@as_json
def show(model: str, provider: str | None, as_json: bool) -> int:
    """Show what MODEL costs by the tables in force today; the first entry that fits a call counts.

    Exit status: 0 a price is known; 1 none is; 3 no registry, or a table was altered.
    """
    from registry.commands.printing import emit, facts, reading
    from registry.prices.store import prices_of

    found = list(prices_of(reading().home, provider, model))
    if as_json:
        emit(
            [
                {
                    "key": entry.key,
                    "provider": entry.provider,
                    "mode": entry.mode,
                    "currency": entry.currency,
                    "prices": {name: f"{price:f}" for name, price in entry.prices.items()},
                    "retires": entry.retires.isoformat() if entry.retires else None,
                    "table": {"sha256": stored.sha256, "kind": stored.kind, "effective_from": stored.effective_from},
                }
                for stored, entry in found
            ]
        )
    for stored, entry in () if as_json else found:
        click.echo(entry.key)
        facts([(name, f"{price:f} {entry.currency}") for name, price in entry.prices.items()], "  ")
        source = "own prices" if stored.kind == "own" else "public list"
        table = f"{source}, from {stored.effective_from}, sha256:{stored.sha256[:12]}"
        facts([("mode", entry.mode), ("shut down", entry.retires), ("table", table)], "  ")
    if not any(entry.prices for _, entry in found):
        click.echo(f"no price of {model} is known; `mintmark prices import` takes lists", err=True)
        return 1
    return 0
