"""``mintmark reconcile``: a vendor's bill against what was recorded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.stats.matching import Item, Reconciliation, Recorded
    from registry.stats.period import Period

_FEW = 20  # lines of a list on a terminal


@click.command(short_help="Hold a vendor's usage export against what was recorded.")
@click.argument("usage", metavar="USAGE.csv", type=click.Path(path_type=Path))
@click.option("--provider", required=True, help="Whose export it is.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="A TOML file: which column is what.")
@click.option("--since", metavar="TIME", help="Only rows and calls from then on; from the first row where left out.")
@click.option("--until", metavar="TIME", help="Only rows and calls before then; to the last row where left out.")
@click.option("--month", metavar="MONTH", help="Only those of a calendar month, 2026-10.")
@click.option("--tz", "zone", metavar="ZONE", help="What times without a zone mean; this machine's zone.")
@click.option("--csv", "as_csv", is_flag=True, help="Print every difference as CSV.")
@as_json
def reconcile(
    usage: Path,
    provider: str,
    map_file: Path | None,
    as_json: bool,
    as_csv: bool,
    **when: str | None,
) -> int:
    """Match the rows of a usage export with recorded calls: by request id, job id, or time, model and amount.

    Lists what was billed and not recorded, recorded and not billed, and billed otherwise; sums by currency.

    Exit status: 0 all match; 1 differences; 2 the file or the map cannot be used; 5 nothing to compare.
    """
    from registry.commands.printing import emit, reading
    from registry.commands.tables import csv
    from registry.importing.mapping import read_map
    from registry.stats.billing import reconcile_export, reconciliation_json, reconciliation_rows
    from registry.stats.period import parse_period

    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    mapped = None if map_file is None else read_map(map_file, needs=("cost",))
    asked = parse_period(when["since"], when["until"], when["month"], when["zone"])
    told, period = reconcile_export(reading(), usage, provider, mapped, asked)
    if as_json:
        emit(reconciliation_json(told, provider, period))
    elif as_csv:
        csv(reconciliation_rows(told))
    else:
        _print(told, provider, period)
    return 0 if told.agrees else 1


def _print(told: "Reconciliation", provider: str, period: "Period") -> None:
    from registry.commands.printing import facts, short
    from registry.commands.tables import folded, table
    from registry.errors import counted
    from registry.stats.billing import totals
    from registry.stats.report import shown

    folded(f"bill of {provider}, {counted(told.rows, 'row')}, {period.words}")
    unknown = f", {told.priced:,} of them with a cost that was unknown until now" if told.priced else ""
    by_time = f"{told.by_time:,} by time, model and amount" if told.by_time else None
    facts(
        [
            ("billed as recorded", f"{told.matched:,}{unknown}"),
            ("matched without an id", by_time),
            ("billed otherwise", f"{len(told.differing):,}"),
            ("billed, not recorded", f"{len(told.not_recorded):,}"),
            ("recorded, not billed", f"{len(told.not_billed):,}"),
            ("not billed, as is right", f"{told.free:,} that failed or cost nothing" if told.free else None),
        ],
        "  ",
    )
    click.echo()
    sums = [(name, *(shown(amount) for amount in amounts)) for name, *amounts in totals(told)]
    table(("CURRENCY", "BILLED", "RECORDED", "DIFFERENCE"), sums, title=1, right=("BILLED", "RECORDED", "DIFFERENCE"))
    rows = [
        (
            *_place(one.billed),
            _billed(one.billed),
            f"{_recorded(one.recorded)} ({one.recorded.kind})",
            short(one.recorded.id),
        )
        for one in told.differing[:_FEW]
    ]
    _list("billed otherwise", ("LINE", "CALL", "BILLED", "RECORDED", "ID"), rows, len(told.differing))
    alone = [(*_place(item), _shown(item.at, period), item.model, _billed(item)) for item in told.not_recorded[:_FEW]]
    _list("billed, not recorded", ("LINE", "CALL", "TIME", "MODEL", "BILLED"), alone, len(told.not_recorded))
    calls = [
        (
            short(call.id),
            call.request_id or call.job_id,
            _shown(call.at, period),
            call.models[0],
            call.outcome,
            _recorded(call),
        )
        for call in told.not_billed[:_FEW]
    ]
    _list("recorded, not billed", ("ID", "CALL", "TIME", "MODEL", "OUTCOME", "COST"), calls, len(told.not_billed))


def _list(what: str, head: tuple[str, ...], rows: Sequence[tuple[object, ...]], count: int) -> None:
    from registry.commands.tables import table

    if not rows:
        return
    click.echo(f"\n{what}")
    table(head, rows, title=2)
    if count > len(rows):
        click.echo(f"{count - len(rows):,} more: --csv or --json list them all", err=True)


def _place(item: "Item") -> tuple[str, str | None]:
    more = f" +{len(item.lines) - 1}" if len(item.lines) > 1 else ""
    return f"{item.lines[0]}{more}", item.ids[0] if item.ids else None


def _billed(item: "Item") -> str:
    from registry.stats.report import shown

    amounts = ", ".join(f"{shown(amount)} {name}" for name, amount in sorted(item.amounts.items()))
    return f"{amounts} (the same row twice)" if item.twice else amounts


def _recorded(call: "Recorded") -> str:
    from registry.stats.report import shown

    return "unknown" if call.amount is None else f"{shown(call.amount)} {call.currency}"


def _shown(at: str | None, period: "Period") -> str | None:
    return None if at is None else f"{period.local(at):%Y-%m-%d %H:%M:%S}"
