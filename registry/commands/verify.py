"""``mintmark verify``: check a bundle with nothing but its bytes and what you bring."""

from pathlib import Path

import click

from registry.commands.printing import as_json


@click.command(short_help="Check a bundle, with no registry and no network.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--trust", type=click.Path(path_type=Path), help="Keys you trust: the output of `mintmark key export`.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="A checkpoint of the same log that you kept.")
@as_json
def verify(bundle: Path, trust: Path | None, checkpoint: Path | None, as_json: bool) -> int:
    """Check every layer of BUNDLE, a zip file or a folder; needs no registry and no network.

    Exit status: 0 verified, 1 something is false, 3 BUNDLE cannot be read
    or is something else, 4 undecided (nobody trusted, a value missing, a newer format), 5 no records.
    """
    from registry.commands.printing import columns, emit
    from registry.errors import counted
    from registry.keys import parse_trust
    from registry.log.checkpoint import Checkpoint
    from registry.verify.bundle import verify as check
    from registry.verify.container import read_file

    report = check(
        bundle,
        trust=parse_trust(read_file(trust).decode("utf-8", "replace")) if trust else None,
        checkpoint=Checkpoint.parse(read_file(checkpoint)) if checkpoint else None,
    )
    if as_json:
        emit(report.to_json())
        return report.exit_code
    columns(["layer", "state", ""], [[layer.name, layer.state, layer.sentence] for layer in report.layers])
    for layer in report.layers:
        for problem in layer.problems[1:]:
            click.echo(f"  {layer.name}: {problem}")
    click.echo(f"{report.verdict}: {bundle}, {counted(report.records, 'record')} besides keys")
    return report.exit_code
