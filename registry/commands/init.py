"""``mintmark init``: a registry here."""

import click


@click.command(short_help="Make a registry in this folder.")
def init() -> None:
    """Make a registry in this folder (.mintmark, or MINTMARK_HOME), with its keys and the first entry of its log.

    Exit status: 0 made, or there already.
    """
    from pathlib import Path

    from registry.home import create_at
    from registry.settings import HOME, find_home

    registry, new = create_at(find_home(Path.cwd()) or Path.cwd() / HOME)
    try:
        registry.sign_checkpoint()
        above = registry.home.parent in Path.cwd().parents
        told = "made a registry in" if new else "the registry is in"
        click.echo(f"{told} {registry.home}{', above this folder; none was made here' if above else ''}")
        click.echo(f"log origin  {registry.snapshot.origin}")
        if new:
            click.echo(
                f"keys        {registry.home / 'keys'}  (copy them to a safe place: records are signed with them)"
            )
    finally:
        registry.close()
