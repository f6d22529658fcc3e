"""``mintmark index``: the derived index, and how to make it again."""

import click

from registry.commands.printing import as_json


@click.group(short_help="Look after the index of words and fingerprints.")
def index() -> None:
    """The index of words and fingerprints: derived from the records, can be thrown away."""


@index.command()
@as_json
def status(as_json: bool) -> None:
    """Say how far the index has come.

    Exit status: 0 it could be read.
    """
    from registry.commands.printing import emit, facts, reading

    registry = reading()
    with registry.catalog.database.reading() as connection:
        size = registry.log.size(connection)
    told = {"records": size, "indexed": registry.index.next(), "generations": registry.index.count()}
    if as_json:
        emit(told)
    else:
        facts(told.items())


@index.command()
def rebuild() -> None:
    """Throw the index away and make it again from records, vault and assets.

    Exit status: 0 made again.
    """
    from registry.commands.printing import reading
    from registry.errors import counted
    from registry.indexing import catch_up

    registry = reading()
    registry.index.rebuild()
    click.echo(f"indexed {counted(catch_up(registry), 'record')}")
