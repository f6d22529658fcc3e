"""``mintmark replay cancel``: ends a run before its end."""

import click


@click.command(short_help="End a run: nothing more is begun, and jobs are canceled at their providers.")
@click.argument("run", metavar="RUN")
def cancel(run: str) -> int:
    """End RUN (or the job of that name) wherever its workers are, within seconds.

    Nothing more is begun. What is on its way is canceled where the provider can cancel; what was made stays recorded,
    and the run says of the rest that it was canceled. RUN is its id, 8 digits of it or more, or @last.

    Exit status: 0 its workers are told; 1 there is no such run, or it is over; 2 no run's id.
    """
    from registry.commands.printing import reading
    from registry.journal.runs import Runs

    runs = Runs(reading().catalog.database)
    full = runs.resolve(run)
    if not runs.cancel(full):
        click.echo(f"{full} is over already", err=True)
        return 1
    click.echo(full)
    return 0
