"""``mintmark record``: something that was generated elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import STATUSES, as_json

if TYPE_CHECKING:
    from registry.drafting import Draft
    from registry.manifest import Asset


@click.command(short_help="Record something that was generated elsewhere.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--provider", required=True, help="Who ran the model.")
@click.option("--model", required=True, help="The model that was asked for, as exactly as you know it.")
@click.option("--operation", help="image.generate, audio.transcribe …; told by the file where left out.")
@click.option("--prompt", help="The prompt; it is sealed.")
@click.option("--seed", help="The seed.")
@click.option("--setting", "settings", multiple=True, metavar="K=V", help="A setting of the call. Repeatable.")
@click.option("--input", "inputs", multiple=True, metavar="ROLE=FILE", help="A file that went in. Repeatable.")
@click.option("--parent", "parents", multiple=True, metavar="RELATION=ID", help="What it was made from. Repeatable.")
@click.option("--status", type=click.Choice(STATUSES), default="succeeded", help="How the call ended.")
@click.option("--error", help="What the provider said of a failure; it is sealed.")
@click.option("--request-id", help="The provider's id of the call.")
@click.option("--cost", metavar="AMOUNT", help="What it cost: 0.04 (USD) or 0.04EUR.")
@click.option("--at", "at", metavar="TIME", help="When the call ended: 7d, 2026-11-01, 2026-11-01T12:00Z.")
@click.option(
    "--license", "terms", metavar="ID[=USE]", help="The terms: ID, or ID=allowed or ID=denied (commercially)."
)
@click.option("--workflow", help="The business purpose.")
@click.option("--subject", help="The person it is about; it is sealed.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label. Repeatable.")
@click.option("--exchange-id", help="An id of your own for this call: recording it twice is then recording it once.")
@click.option("--wait", is_flag=True, help="Return after fingerprints are made, too.")
@as_json
def record(files: tuple[Path, ...], parents: tuple[str, ...], wait: bool, as_json: bool, **said: object) -> None:
    """Record FILES as one generation: image, video, audio or transcript; none for a call that failed.

    Exit status: 0 recorded; 2 a file or option is refused, nothing was recorded; 3 the disk or database failed.
    """
    import msgspec

    from registry.commands.options import parse_parent
    from registry.commands.printing import emit, facts, short, writing
    from registry.indexing import catch_up
    from registry.record import record as record_generation

    draft, handed_in = _draft(files, said)
    registry = writing()
    resolved = [parse_parent(pair, registry.catalog.resolve) for pair in parents]
    draft = msgspec.structs.replace(draft, parents=resolved)
    recorded = record_generation(registry, draft, handed_in)
    if as_json:
        emit({"id": recorded.id, "new": recorded.new, "manifest": recorded.manifest.to_json()})
    else:
        click.echo(recorded.id)
        if not recorded.new:
            click.echo("this exchange was recorded before; nothing was added", err=True)
        facts(_told(recorded.manifest.outputs), "  ")
        click.echo(f"try: mintmark show {short(recorded.id)}", err=True)
    if wait:
        catch_up(registry)


def _told(outputs: "list[Asset]") -> list[tuple[str, str]]:
    from registry.show import shape_of

    return [(output.role, f"{output.media_type}{shape_of(output.media)}") for output in outputs]


def _draft(files: tuple[Path, ...], said: dict[str, object]) -> "tuple[Draft, dict[str, Path]]":
    from registry.annotate import parse_labels
    from registry.commands.options import check_names, parse_cost, parse_license, parse_setting, split_pair, unique
    from registry.drafting import Draft, Incoming
    from registry.manifest import Context, Model, Outcome, Prompt, Provider, Seed, state_after
    from registry.templating import templated
    from registry.times import parse_time

    def text(name: str) -> str | None:
        value = said[name]
        return None if value is None else str(value)

    def many(name: str) -> tuple[str, ...]:
        value = said[name]
        return value if isinstance(value, tuple) else ()

    check_names(str(said["provider"]), text("operation"), text("exchange_id"))
    status = str(said["status"])
    inputs = [split_pair("input", pair) for pair in many("inputs")]
    at = text("at")
    draft = Draft(
        provider=Provider(name=str(said["provider"])),
        model=Model(requested=str(said["model"])),
        operation=text("operation"),
        prompt=Prompt(submitted=text("prompt")),
        seed=Seed(requested=text("seed")),
        settings=unique("--setting", (parse_setting(pair) for pair in many("settings"))),
        context=Context(workflow=text("workflow"), subject=text("subject")),
        inputs=[Incoming(file=path, role=role) for role, path in inputs],
        outputs=[Incoming(file=str(path)) for path in files],
        outcome=Outcome(
            class_=status,  # type: ignore[arg-type]  # click has checked it
            state=state_after(status),
            request_id=text("request_id"),
            error=text("error"),
            completed_at=None if at is None else parse_time("--at", at),
        ),
        cost=parse_cost(text("cost")),
        license=parse_license(text("terms")),
        labels=parse_labels(many("labels")),
        exchange_id=text("exchange_id"),
        capture="record",
    )
    handed_in = {str(path): path for path in files} | {path: Path(path) for _, path in inputs}
    return templated(draft), handed_in
