"""``mintmark capture``: a Python program with the recording hook in place."""

import click


@click.command(
    short_help="Run a Python program and record what it generates.", context_settings={"ignore_unknown_options": True}
)
@click.option("--workflow", help="The business purpose of all its generations.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="A label of all its generations. Repeatable.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD…")
def capture(workflow: str | None, labels: tuple[str, ...], command: tuple[str, ...]) -> int:
    """Run CMD, a Python program, and record every generation that it asks a described provider for.

    Nothing in the program is edited, and nothing of it changes: httpx, httpx2, requests and aiohttp are watched.

    Exit status: the program's own; 2 there is no such program; 3 nothing can be recorded here, it was not run.
    """
    import time
    from pathlib import Path

    from registry.annotate import parse_labels
    from registry.capturing.context import said_by
    from registry.capturing.running import one_of, run
    from registry.commands.printing import writing
    from registry.errors import counted

    said = said_by(workflow, parse_labels(labels))
    registry = writing()
    since = time.time()
    ran = run(command, registry.home, said)
    hint = ""
    if ran.recorded:
        made = one_of(registry, ran.latest, since, Path.cwd())
        hint = f"; try mintmark lookup {made.relative_to(Path.cwd())}" if made else "; try mintmark show @last"
    click.echo(f"recorded {counted(ran.recorded, 'generation')}{hint}", err=True)
    for why in ran.waiting:
        click.echo(f"not recorded yet, see {registry.home / 'spool'}: {why}", err=True)
    return ran.status
