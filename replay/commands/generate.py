"""``mintmark generate``: make something new and record it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from registry.commands.printing import as_json
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from registry.capture.description import Description
    from registry.home import Registry
    from registry.record import Recorded
    from replay.consenting import Terms
    from replay.generating import Ask


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
    "--out", type=click.Path(file_okay=False, path_type=Path), help="A folder that gets a copy of each output."
)
@click.option("--workflow", help="The business purpose.")
@click.option("--subject", help="The person it is about; it is sealed.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label. Repeatable.")
@click.option(
    "--fallback", "fallbacks", multiple=True, metavar="P:M", help="Who is asked where that fails. Repeatable, in order."
)
@click.option("--moderate", is_flag=True, help="Have OpenAI look at prompt and pictures first; what it flags is kept.")
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
    fallbacks: tuple[str, ...],
    moderate: bool,
    budget: str | None,
    assume_cost: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Generate with a provider and record the result, failures too.

    A call that costs money needs --budget, --yes, or a yes at the terminal. Where its price is unknown, say with
    --assume-cost what it costs at most.

    Where it fails so that another provider may help, those of --fallback (or of [fallback] in mintmark.toml) are asked
    in order, with what they know of its settings; each attempt is a generation of its own.

    Exit status: 0 generated; 1 the provider refused or failed (recorded all the same); 2 usage, or nobody agreed to
    pay; 3 could not run; 4 the budget does not pay for it, or somebody said no.
    """
    from registry.commands.options import check_names, parse_parent
    from registry.commands.printing import writing
    from replay.commands.consent import terms_of
    from replay.generating import Ask

    given = _given(inputs, settings, labels)
    check_names(provider, operation)
    _warn(_speaker(provider, model, operation), model)  # before a registry is made for nothing
    if out is not None:
        _make(out)  # and before anything is paid
    registry = writing()
    ask = Ask(
        provider=provider,
        model=model,
        operation=operation,
        prompt=prompt,
        seed=seed,
        workflow=workflow,
        subject=subject,
        parents=[parse_parent(pair, registry.catalog.resolve) for pair in parents],
        **given,
    )
    terms = terms_of(budget, assume_cost, yes, silent=as_json)
    recorded = _made(registry, ask, fallbacks, moderate, terms, as_json=as_json)
    if not _say(registry, recorded, quiet=as_json):
        return 1
    if out is not None:
        _copy(registry, recorded, out)
    return 0


def _make(out: Path) -> None:
    """The folder for copies, while nothing is sent yet."""
    from registry.errors import InvalidValue

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InvalidValue("--out", str(out), f"a folder ({problem.strerror}); nothing was sent") from None


def _speaker(provider: str, model: str, operation: str | None) -> "Description":
    """The description that generates; one of whom nothing can be asked says why, and what to do instead."""
    from registry.capture.overview import RECORD_ONLY
    from replay.generating import speaker

    if (alone := RECORD_ONLY.get(provider)) is not None:
        instead = alone.instead.splitlines()[0]
        raise click.BadParameter(f"{provider} is record-only: {alone.why}; {instead}", param_hint="--provider")
    return speaker(provider, model, operation)


def _warn(description: "Description", model: str) -> None:
    """Say where a model is shut down by its day: a compatible server may still have it."""
    from datetime import UTC, datetime

    from registry.commands.printing import harmless

    if (day := description.retired(model, datetime.now(UTC).date())) is not None:
        said = f"{description.provider} shut {model} down on {day}; it is asked all the same"
        click.echo(harmless(f"{said}: mintmark providers show {description.provider}"), err=True)


def _given(inputs: Sequence[str], settings: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """What was given in pairs, as ``Ask`` takes it."""
    from registry.annotate import parse_labels
    from registry.commands.options import parse_setting, split_pair, unique
    from registry.verbatim import plain

    files = [split_pair("input", pair) for pair in inputs]
    named = unique("--setting", (parse_setting(pair) for pair in settings))
    return {
        "inputs": [(role, Path(path)) for role, path in files],
        "settings": plain(named),
        "labels": parse_labels(labels),
    }


def _made(
    registry: "Registry", ask: "Ask", fallbacks: Sequence[str], moderate: bool, terms: "Terms", *, as_json: bool
) -> "Recorded":
    """Agree, have it looked at, call; the generation that came of it."""
    from registry.commands.printing import emit, harmless, short
    from replay.fallback import in_turn, paid_for, planned
    from replay.moderated import verdict_of

    def failed(one: "Recorded", onward: str) -> None:
        who = f"{one.manifest.model.requested} of {one.manifest.provider.name}"
        ended = f"{one.manifest.outcome.class_} ({short(one.id)})"
        click.echo(harmless(f"{who}: {ended}; going on with {onward}"), err=True)

    plan = planned(registry, ask, fallbacks)
    for left in plan.left_out:
        click.echo(harmless(f"fallback left out: {left}"), err=True)
    pays = paid_for(registry, plan, ask, terms)
    looked_at = moderate or registry.settings.sending.moderator_of(ask.workflow) is not None
    made = in_turn(registry, plan, ask, pays, verdict_of(registry, ask) if looked_at else None, failed)
    if as_json:
        last = made[-1]
        attempts = [{"id": one.id, "provider": one.manifest.provider.name, "model": one.manifest.model.requested,
                     "outcome": one.manifest.outcome.class_} for one in made]  # fmt: skip
        told = {"id": last.id, "outcome": last.manifest.outcome.class_, "attempts": attempts}
        emit(told | {"manifest": last.manifest.to_json()})
    return made[-1]


def _copy(registry: "Registry", recorded: "Recorded", out: Path) -> None:
    """Each output into a folder, and its name there to the reader."""
    from registry.fetch import fetch

    made = len(recorded.manifest.outputs)
    for which in range(made) if made > 1 else [None]:
        click.echo(fetch(registry, recorded.id, which, out), err=True)


def _say(registry: "Registry", recorded: "Recorded", *, quiet: bool) -> bool:
    """Tell how it ended, and why where it failed; the answer is whether it succeeded."""
    from registry.commands.printing import fewer, harmless, short

    outcome = recorded.manifest.outcome
    if not quiet:
        click.echo(recorded.id)
        took = "" if outcome.latency_ms.total is None else f" in {outcome.latency_ms.total} ms"
        ended = f"{outcome.class_}{took}{fewer(recorded.manifest)}"
        click.echo(f"{ended}; try: mintmark show {short(recorded.id)}", err=True)
    if outcome.class_ == "succeeded":
        return True
    errors = [found.value for found in registry.vault.get(recorded.id) if found.pointer == "/outcome/error"]
    click.echo(f"{outcome.class_}: {harmless(str(errors[0])) if errors else 'no reason was given'}", err=True)
    if outcome.class_ == "ambiguous":
        click.echo("it is not sent again by itself; see: mintmark replay ambiguous", err=True)
    return False
