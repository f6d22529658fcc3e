"""``mintmark replay ambiguous``: calls that may have been billed, and what a person says of them."""

from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from replay.resolving import OpenCall


@click.command(short_help="Calls that may have been billed: look at them, and say what the vendor says.")
@click.argument("action", type=click.Choice(["list", "paid", "unpaid"]), default="list")
@click.argument("key", required=False)
@click.option("--by", metavar="NAME", help="Who found out.  [required for paid, unpaid]")
@click.option(
    "--reason",
    metavar="TEXT",
    help="How: the line of the bill, what support said.  [required for paid, unpaid]",
)
@click.option("--ended", is_flag=True, help="I made sure that its process has ended, where that cannot be seen here.")
@as_json
def ambiguous(action: str, key: str | None, by: str | None, reason: str | None, ended: bool, as_json: bool) -> int:
    """Show calls whose end nobody here knows, with what it takes to ask the vendor; or say what the vendor says.

    `paid KEY` ends a call that was billed: its money is spent, there is no output. `unpaid KEY` ends one that was not:
    its money is free again, and the call may be made anew. Calls that a killed process left are listed too: running
    the same command again goes on with those that were answered, `mintmark check --resume RUN` with those of a run.

    Whether a process of another machine or container still makes a call cannot be seen from here: it can be ended an
    hour after it was last heard of, or at once with --ended. If that process lives all the same, its output is lost,
    and the call made anew pays twice.

    Exit status: 0 nothing is open, or it is written down; 1 some are open, or no such call; 2 usage; 3 its process
    still runs, or may.
    """
    from registry.commands.printing import emit, open_for_change
    from replay.resolving import open_calls, resolve

    if action != "list":
        if key is None or not by or not reason:
            raise click.UsageError(f"say which and why: mintmark replay ambiguous {action} KEY --by NAME --reason TEXT")
        done = resolve(open_for_change(), key, paid=action == "paid", by=by, reason=reason, has_ended=ended)
        if as_json:
            emit({"key": done.key, "state": done.state.value})
        else:
            click.echo(f"{done.key}: {done.state}")
        return 0
    if key or by or reason or ended:
        raise click.UsageError("say what was found out: paid KEY or unpaid KEY")
    registry = open_for_change()
    registry.answers.tidy(registry.calls.done_among)
    found = open_calls(registry)
    if as_json:
        emit({"calls": [_json(one) for one in found]})
        return 1 if found else 0
    for one in found:
        _say(one)
    click.echo(f"{len(found)} open" if found else "no call is open", err=True)
    return 1 if found else 0


def _say(one: "OpenCall") -> None:
    from registry.commands.printing import facts, short

    call = one.call
    todo = {
        "ambiguous": "it may have been billed: ask the vendor, then say paid or unpaid",
        "left": "the process that made it has ended",
        "left?": "made on another machine or in another container: nothing tells whether its process lives",
    }[one.why]
    if one.why != "ambiguous" and (call.run or "").startswith("run-"):
        todo += f"; `mintmark check --resume {call.run}` goes on with it"
    elif call.state == "acknowledged":
        todo += "; it was answered: run the same command again to go on with it"
    click.echo(call.key)
    facts(
        [
            ("state", f"{call.state}: {todo}"),
            ("provider", call.provider),
            ("host", one.host),
            ("model", call.model),
            ("operation", call.operation),
            ("sent", call.intended_at),
            ("job", call.job),
            ("amount", one.amount),
            ("request", call.request_digest[:16]),
            ("replay of", short(call.manifest) if call.manifest else None),
            ("run", call.run),
            ("recorded as", short(call.generation) if call.generation else None),
            ("owner", call.owner),
            ("notes", one.notes),
        ],
        indent="  ",
    )


def _json(one: "OpenCall") -> dict[str, object]:
    call = one.call
    return {
        "key": call.key,
        "state": call.state.value,
        "why": one.why,
        "provider": call.provider,
        "host": one.host,
        "model": call.model,
        "operation": call.operation,
        "intended_at": call.intended_at,
        "job": call.job,
        "amount": one.amount,
        "request": call.request_digest,
        "manifest": call.manifest,
        "run": call.run,
        "generation": call.generation,
        "owner": call.owner,
        "note": call.note,
    }
