"""``mintmark key``: the public keys that others verify with."""

import click

from registry.commands.printing import as_json


@click.group(short_help="Show the keys that others verify with.")
def key() -> None:
    """The keys that sign records and checkpoints."""


@key.command()
def export() -> None:
    """Print what a verifier must trust: the log's verifier keys, one per line. Hand it over apart from the bundle.

    Exit status: 0 printed.
    """
    from registry.commands.printing import reading
    from registry.keys import trust_lines

    for line in trust_lines(reading().snapshot):
        click.echo(line)


@key.command(name="list")
@as_json
def list_keys(as_json: bool) -> None:
    """List the keys of the snapshot in force.

    Exit status: 0 listed.
    """
    from registry.commands.printing import columns, emit, reading

    snapshot = reading().snapshot
    if as_json:
        emit(snapshot.to_json())
        return
    click.echo(f"origin {snapshot.origin}")
    rows = [(known.role, known.keyid, known.start, known.until) for known in snapshot.keys]
    columns(("ROLE", "KEY ID", "FROM", "UNTIL"), rows)
