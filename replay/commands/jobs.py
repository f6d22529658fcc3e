"""``mintmark jobs``: what waits, runs, is done, or is dead."""

from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.home import Registry
    from replay.jobs import Job, Jobs

_STATES = ("queued", "running", "done", "failed", "dead", "canceled")
_KINDS = ("suite", "share", "notice")


@click.group(short_help="What waits, runs, is done or dead.")
def jobs() -> None:
    """Jobs of the engine: runs of suites, their shares, and notices to other programs.

    A job is dead when it broke down for a reason that is no outcome of a call, or when worker after worker died while
    it ran. Nothing is lost by that: `jobs retry` goes on where it stood, and pays for nothing twice.
    """


@jobs.command("list", short_help="The newest jobs.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these. Repeatable.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(states: tuple[str, ...], limit: int, as_json: bool) -> int:
    """List jobs, the newest first.

    Exit status: 0 some; 1 none; 3 the database of jobs cannot be reached.
    """
    from registry.commands.printing import columns, emit

    _, jobs = _open()
    found = jobs.find(states=states, kinds=_KINDS, most=limit)  # type: ignore[arg-type]
    if as_json:
        emit([_json(job) for job in found])
    elif found:
        rows = [(job.id, job.kind, job.lane, job.state, _time(job.updated_ms), job.error or "") for job in found]
        columns(("job", "kind", "lane", "state", "since", "why"), rows)
    else:
        click.echo("no jobs; `mintmark check SUITE` makes one", err=True)
    return 0 if found else 1


@jobs.command(short_help="One job.")
@click.argument("id")
@as_json
def show(id: str, as_json: bool) -> int:
    """Show a job: what it is about, who has it, and why it is dead if it is.

    Exit status: 0 shown; 1 there is none; 3 the database of jobs cannot be reached.
    """
    from registry.commands.printing import emit, facts

    registry, jobs = _open()
    job = jobs.get(_full(registry, id))
    if as_json:
        emit(_json(job))
        return 0
    shown = _json(job) | {"about": " ".join(map(str, job.args[:1])), "why": job.error}
    facts((name, value) for name, value in shown.items() if name != "error")
    if job.state == "dead":
        click.echo(f"once that is mended: mintmark jobs retry {job.id}", err=True)
    return 0


@jobs.command(short_help="Let a dead job go on.")
@click.argument("id")
def retry(id: str) -> int:
    """Put a job that is dead or was canceled back into its lane; any other stays as it is.

    A notice that failed stays, too: its next attempt waits.

    Exit status: 0 it waits, runs, is done or failed; 1 there is none; 3 the database of jobs cannot be reached.
    """
    registry, jobs = _open()
    job = jobs.get(_full(registry, id))
    if job.state in ("dead", "canceled"):
        job = jobs.retry(job.id)
    click.echo(f"{job.id} is {job.state}")
    if job.state == "done" and job.kind == "suite":
        click.echo(f"it is over; what failed in it is made again by: mintmark check --resume {job.id} --retry-errors",
                   err=True)  # fmt: skip
    return 0


def _open() -> "tuple[Registry, Jobs]":
    from registry.commands.printing import reading
    from replay.jobs import Jobs

    registry = reading()
    jobs = Jobs(registry.settings)
    click.get_current_context().call_on_close(jobs.close)
    return registry, jobs


def _full(registry: "Registry", id: str) -> str:
    """The id behind a run's first digits; any other as it is."""
    from registry.errors import InvalidValue, NotFound
    from registry.journal.runs import Runs

    try:
        return Runs(registry.catalog.database).resolve(id)
    except (InvalidValue, NotFound):
        return id


def _json(job: "Job") -> dict[str, object]:
    return {
        "id": job.id, "kind": job.kind, "lane": job.lane, "state": job.state, "about": list(job.args[:1]),
        "worker": job.worker, "created_at": _time(job.created_ms), "updated_at": _time(job.updated_ms),
        "deaths": job.deaths, "error": job.error,
    }  # fmt: skip


def _time(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
