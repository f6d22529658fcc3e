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

    Exit status: 0 verified, 1 something is false, 2 --trust or --checkpoint
    names a file that is no such thing, 3 a file cannot be read, or BUNDLE is
    something else, 4 undecided (nobody trusted, a value missing, a newer
    format), 5 no records.
    """
    from registry.commands.options import parse_kept_checkpoint, parse_trust_file
    from registry.commands.printing import columns, emit
    from registry.errors import counted
    from registry.verify.bundle import verify as check

    report = check(
        bundle,
        trust=parse_trust_file(trust) if trust else None,
        checkpoint=parse_kept_checkpoint(checkpoint) if checkpoint else None,
    )
    if as_json:
        emit(report.to_json())
        return report.exit_code
    columns(["layer", "state", ""], [[layer.name, layer.state, layer.sentence] for layer in report.layers])
    for layer in report.layers:
        for problem in layer.problems[1:]:
            click.echo(f"  {layer.name}: {problem}")
    read = f"{counted(report.records, 'record')} besides keys" if report.records else "no record was looked at"
    read = "no records besides keys" if report.verdict == "empty" else read
    click.echo(f"{report.verdict}: {bundle}, {read}")
    return report.exit_code
