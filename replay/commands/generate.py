"""``mintmark generate``: make something new and record it."""

from pathlib import Path

import click

from registry.commands.printing import as_json


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
    as_json: bool,
) -> int:
    """Generate with a provider and record the result, failures too.

    Exit status: 0 generated; 1 the provider refused or failed (recorded all the same); 2 usage; 3 could not run.
    """
    from registry.annotate import parse_labels
    from registry.capture.description import shipped
    from registry.commands.options import check_names, parse_parent, parse_setting, split_pair, unique
    from registry.commands.printing import emit, harmless, short, writing
    from registry.fetch import fetch
    from registry.verbatim import plain
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
    recorded = generate(registry, ask)
    outcome = recorded.manifest.outcome
    if as_json:
        emit({"id": recorded.id, "outcome": outcome.class_, "manifest": recorded.manifest.to_json()})
    else:
        click.echo(recorded.id)
        took = outcome.latency_ms.total
        click.echo(f"{outcome.class_} in {took} ms; try: mintmark show {short(recorded.id)}", err=True)
    if outcome.class_ != "succeeded":
        errors = [found.value for found in registry.vault.get(recorded.id) if found.pointer == "/outcome/error"]
        click.echo(f"{outcome.class_}: {harmless(str(errors[0])) if errors else 'no reason was given'}", err=True)
        return 1
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        click.echo(fetch(registry, recorded.id, None, out), err=True)
    return 0
