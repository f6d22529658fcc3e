"""``mintmark providers probe``: what a provider does when things go wrong."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.capture.description import Description
    from registry.drafting import Draft
    from replay.consenting import Pay
    from replay.probing import Probe


@click.command(short_help="Make a provider fail on purpose, and see how.")
@click.argument("name")
@click.option("--model", required=True, help="A model that your account may use.")
@click.option("--operation", help="Only where the model alone does not tell it.")
@click.option("--prompt", default="a plain grey square", show_default=True, help="The prompt of the calls.")
@click.option("--setting", "settings", multiple=True, metavar="K=V", help="A setting. Repeatable.")
@click.option("--input", "inputs", multiple=True, metavar="ROLE=FILE", help="A file that goes in. Repeatable.")
@may_cost
@as_json
def probe(
    name: str,
    model: str,
    operation: str | None,
    prompt: str,
    settings: tuple[str, ...],
    inputs: tuple[str, ...],
    budget: str | None,
    assume_cost: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Make provider NAME fail in seven ways, on your account or wherever MINTMARK_BASE_URL_NAME points.

    Bad credentials, outage, time-out, malformed metadata, oversized upload, cancel, a callback's number taken down
    twice here: each row says what was tried, which outcome is right, which came, and by which request it is found.

    At most 3 calls may be billed: those that the provider should refuse, and the one that is canceled. They go through
    the journal within the budget. The rest is done with a key that is none, or against a stand-in on this machine.

    Exit status: 0 all as expected; 1 something came otherwise; 2 usage, or nobody agreed to pay; 3 could not run.
    """
    from registry.commands.options import check_names, parse_setting, split_pair, unique
    from registry.commands.printing import emit, writing
    from registry.verbatim import plain
    from replay.commands.consent import terms_of
    from replay.consenting import agreed_in_turn
    from replay.costing import worst_case_of
    from replay.generating import Ask
    from replay.probing import probe as run

    check_names(name, operation)
    files = [(role, Path(path)) for role, path in (split_pair("input", pair) for pair in inputs)]
    said = plain(unique("--setting", (parse_setting(pair) for pair in settings)))
    registry, terms = writing(), terms_of(budget, assume_cost, yes, silent=as_json)
    ask = Ask(name, model, operation, prompt, settings=said, inputs=files)

    def pay(drafts: "Sequence[Draft]", description: "Description") -> "Sequence[Pay]":
        asked = [(description, model, worst_case_of(registry, draft, description, files)) for draft in drafts]
        return agreed_in_turn(registry, asked, terms, "whatever comes of it")

    rows = []
    for row in run(registry, ask, pay):
        rows.append(row)
        if not as_json:
            click.echo(f"{row.name}: {row.answer}", err=True)
    if as_json:
        emit([row.to_json() for row in rows])
    else:
        _say(rows)
    answers = {row.answer for row in rows}
    return 1 if "otherwise" in answers else 3 if "could not run" in answers else 0


def _say(rows: "list[Probe]") -> None:
    from registry.commands.printing import columns, short

    told = [
        (row.name, row.tried, " or ".join(row.expected), row.got or "-", row.answer,
         short(row.request) if row.request else "-", (row.said or "-")[:160])
        for row in rows
    ]  # fmt: skip
    columns(("failure", "tried", "expected", "got", "answer", "request", "said"), told)
