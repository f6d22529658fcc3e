"""``mintmark generate``: make something new and record it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from registry.capture.description import Description
    from registry.drafting import Draft
    from registry.home import Registry
    from registry.record import Recorded
    from replay.consenting import Terms
    from replay.generating import Ask
    from replay.paying import Paying


@click.command(short_help="Generate with a provider and record the result.")
@click.option(
    "--provider",
    required=True,
    help="Who runs the model: procedural, pocketsphinx, openai, google, replicate …; all: mintmark providers list.",
)
@click.option("--model", required=True, help="The model, pinned: procedural-image@1, gpt-image-2-2026-04-21.")
@click.option("--operation", help="Only where the model alone does not tell it.")
@click.option("--prompt", help="The prompt; it is sealed in the record.")
@click.option("--seed", help="The seed; the provider draws one where left out.")
@click.option("--setting", "settings", multiple=True, metavar="K=V", help="A setting, such as width=768. Repeatable.")
@click.option("--input", "inputs", multiple=True, metavar="ROLE=FILE", help="A file that goes in. Repeatable.")
@click.option("--parent", "parents", multiple=True, metavar="RELATION=ID", help="What it is made from. Repeatable.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="A folder that gets a copy of the output."
)
@click.option("--workflow", help="The business purpose.")
@click.option("--subject", help="The person it is about; it is sealed.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label. Repeatable.")
@may_cost
@as_json
def generate(
    provider: str,
    model: str,
    operation: str | None,
    prompt: str | None,
    seed: str | None,
    settings: tuple[str, ...],
    inputs: tuple[str, ...],
    parents: tuple[str, ...],
    out: Path | None,
    workflow: str | None,
    subject: str | None,
    labels: tuple[str, ...],
    budget: str | None,
    assume_cost: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Generate with a provider and record the result, failures too.

    A call that costs money needs --budget, --yes, or a yes at the terminal. Where its price is unknown, say with
    --assume-cost what it costs at most.

    Exit status: 0 generated; 1 the provider refused or failed (recorded all the same); 2 usage, or nobody agreed to
    pay; 3 could not run; 4 the budget does not pay for it, or somebody said no.
    """
    from registry.annotate import parse_labels
    from registry.capture.description import shipped
    from registry.commands.options import check_names, parse_parent, parse_setting, split_pair, unique
    from registry.commands.printing import emit, writing
    from registry.fetch import fetch
    from registry.verbatim import plain
    from replay.commands.consent import terms_of
    from replay.generating import Ask, generate

    files = [split_pair("input", pair) for pair in inputs]
    named = unique("--setting", (parse_setting(pair) for pair in settings))
    tags = parse_labels(labels)
    check_names(provider, operation)
    shipped().check(provider, model=model, operation=operation)  # before a registry is made for nothing
    registry = writing()
    ask = Ask(
        provider=provider,
        model=model,
        operation=operation,
        prompt=prompt,
        seed=seed,
        settings=plain(named),
        inputs=[(role, Path(path)) for role, path in files],
        workflow=workflow,
        subject=subject,
        labels=tags,
        parents=[parse_parent(pair, registry.catalog.resolve) for pair in parents],
    )
    terms = terms_of(budget, assume_cost, yes, silent=as_json)
    recorded = generate(registry, ask, _paying(registry, ask, terms))
    if as_json:
        outcome = recorded.manifest.outcome.class_
        emit({"id": recorded.id, "outcome": outcome, "manifest": recorded.manifest.to_json()})
    if not _say(registry, recorded, quiet=as_json):
        return 1
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        click.echo(fetch(registry, recorded.id, None, out), err=True)
    return 0


def _paying(registry: "Registry", ask: "Ask", terms: "Terms") -> "Callable[[Draft, Description], Paying | None]":
    """How the one call is paid for, once somebody has agreed to it."""
    from replay.consenting import agreed
    from replay.costing import worst_case_of

    def pay(draft: "Draft", description: "Description") -> "Paying | None":
        cost = worst_case_of(registry, draft, description, ask.inputs)
        return agreed(registry, description, ask.model, cost, 1, terms)()

    return pay


def _say(registry: "Registry", recorded: "Recorded", *, quiet: bool) -> bool:
    """Tell how it ended, and why where it failed; the answer is whether it succeeded."""
    from registry.commands.printing import harmless, short

    outcome = recorded.manifest.outcome
    if not quiet:
        click.echo(recorded.id)
        took = outcome.latency_ms.total
        click.echo(f"{outcome.class_} in {took} ms; try: mintmark show {short(recorded.id)}", err=True)
    if outcome.class_ == "succeeded":
        return True
    errors = [found.value for found in registry.vault.get(recorded.id) if found.pointer == "/outcome/error"]
    click.echo(f"{outcome.class_}: {harmless(str(errors[0])) if errors else 'no reason was given'}", err=True)
    if outcome.class_ == "ambiguous":
        click.echo("it is not sent again by itself; see: mintmark replay ambiguous", err=True)
    return False
