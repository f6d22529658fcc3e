"""``mintmark providers``: what is known of who runs the models."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from registry.commands.printing import as_json


@click.group(short_help="What is known of who runs the models.")
def providers() -> None:
    """What is known of who runs the models."""


@providers.command("list", short_help="Every provider and what it makes.")
@as_json
def list_(as_json: bool) -> int:
    """List what mintmark can speak to, and what it can only record: one line for each operation.

    CHECKED says what a description is held against. Exit status: 0.
    """
    from registry.capture.description import shipped
    from registry.capture.overview import RECORD_ONLY, provider_names, told_of
    from registry.commands.printing import columns, emit

    known = shipped()
    told = [told_of(known, name) for name in provider_names(known)]
    if as_json:
        emit(told)
        return 0
    rows = [_line(of["provider"], one) for of in told for one in of["operations"]]
    rows += [(one.provider, one.makes, "no API: record only", "-", "-", "-", "-") for one in RECORD_ONLY.values()]
    columns(("PROVIDER", "MAKES", "DESCRIPTION", "CHECKED", "CAN", "KEY", "SHUT DOWN"), sorted(rows))
    return 0


def _line(provider: str, one: dict[str, Any]) -> tuple[str, ...]:
    """One operation in the list."""
    days = sorted(one["retires"].values())
    checked = "runs here" if one["request"] is None else ", ".join(one["checked_by"]) or "-"
    more = f" and {len(days) - 1} more" if len(days) > 1 else ""
    return (
        provider,
        ", ".join(dict.fromkeys(one["makes"].values())),
        one["description"],
        checked,
        ", ".join(name for name, can in one["caps"].items() if can) or "-",
        one["key"] or "-",
        f"{days[0]}{more}" if days else "-",
    )


@providers.command(short_help="Everything known of one provider.")
@click.argument("name")
@as_json
def show(name: str, as_json: bool) -> int:
    """Show everything that is known of one provider, or of one DESCRIPTION of the list; what is not known says so.

    Exit status: 0; 2 nothing is known of it.
    """
    from registry.capture.description import shipped
    from registry.capture.overview import told_of
    from registry.commands.printing import emit, facts

    told = told_of(shipped(), name)
    if as_json:
        emit(told)
        return 0
    alone = told["without_api"]
    if alone is not None:
        said = [("makes", alone["makes"]), ("public API", f"none: {alone['why']}"), ("instead", alone["instead"])]
        facts([("provider", name), *said])
    for number, one in enumerate(told["operations"]):
        click.echo(("\n" if number else "") + one["description"])
        facts(_facts(one), "  ")
    return 0


def _facts(one: dict[str, Any]) -> list[tuple[str, object]]:
    """Names and values of one operation, for people."""
    request = one["request"]
    return [
        ("makes", _pairs(one["makes"])),
        ("models", ", ".join(one["models"])),
        ("request", f"{request['method']} {request['path']} ({request['encode']})" if request else "on this machine"),
        ("address", one["base_url"]),
        ("key goes to", ", ".join(one["hosts"]) if one["key"] else None),
        ("key", one["key"] or "none"),
        ("checked", "runs here" if request is None else ", ".join(one["checked_by"]) or "unknown"),
        ("exact versions", "\n".join(f"{pin['kind']}: {pin['pattern']}" for pin in one["pin"]) or "none: aliases only"),
        ("known pins", "\n".join(f"{alias}: {', '.join(pins)}" for alias, pins in one["pins"].items())),
        ("can", ", ".join(name for name, can in one["caps"].items() if can) or "none of seed, idempotency, webhook"),
        ("settings", ", ".join(name for name in one["slots"])),
        ("inputs", ", ".join(f"{role} ({place['as']})" for role, place in one["inputs"].items())),
        ("outputs", one["outputs"] + (", after polling" if one["polled"] else "")),
        ("callbacks", _callbacks(one["webhook"])),
        ("never kept", ", ".join(one["redact"])),
        ("shut down", _pairs(one["retires"])),
        *((f"{table}: {name}", _word(value)) for table in ("license", "contract", "data") for name, value in
          one[table].items()),
    ]  # fmt: skip


def _callbacks(webhook: dict[str, Any] | None) -> str | None:
    """How a provider that calls back signs it, and which variable holds what that is verified with."""
    if webhook is None:
        return None
    said = [webhook["scheme"]]
    said += [f"header {webhook['header']}"] if webhook["header"] else []
    said += [f"keys at {webhook['keys']}"] if webhook["keys"] else []
    said += [f"{'or ' if webhook['keys'] else 'secret '}in {webhook['secret']}"] if webhook["secret"] else []
    return ", ".join(said)


def _pairs(table: dict[str, str]) -> str:
    """One value, or a line for each name."""
    return table["*"] if set(table) == {"*"} else "\n".join(f"{name}: {value}" for name, value in table.items())


def _word(value: object) -> str:
    """A fact as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@providers.command(short_help="Whether a description file can be used.")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def check(file: Path, as_json: bool) -> int:
    """Check a description file of your own: its form, its expressions, and that its parts agree.

    A mistake is told by file, line and key, with what was expected there. Nothing is sent to anybody.

    Exit status: 0 it can be used; 2 it has a mistake, or cannot be read.
    """
    from registry.capture.description import load
    from registry.capture.errors import BadDescription
    from registry.commands.printing import emit, harmless

    try:
        one = load(file)
    except BadDescription as problem:
        if not as_json:
            raise
        emit({"file": str(file), "usable": False, "line": problem.line, "key": problem.key or None,
              "expected": problem.expected})  # fmt: skip
        return problem.exit_code
    if as_json:
        emit({"file": str(file), "usable": True, "description": one.id, "sha256": one.sha256})
        return 0
    makes = ", ".join(dict.fromkeys(one.operations.values()))
    click.echo(harmless(f"{file}: {one.id} can be used: {one.provider}, {makes}, {one.method} {one.path}"))
    return 0


@providers.command(short_help="Recorded models with a day of shut-down.")
@click.argument("locks", nargs=-1, metavar="[LOCK]...", type=click.Path(path_type=Path))
@click.option("--within", metavar="TIME", help="Only what is shut down by then: 90d, 12w. Past ones always count.")
@click.option("--ask", is_flag=True, help="Ask the providers that tell it (OpenAI), with your key.")
@as_json
def retiring(locks: tuple[Path, ...], within: str | None, ask: bool, as_json: bool) -> int:
    """List recorded models with a day of shut-down, and how many generations asked for each.

    Days are those of descriptions and imported price lists; nothing is sent to anybody without --ask. With LOCK, only
    the generations that the lock of a suite pins.

    Exit status: 0 none; 1 some; 2 usage, or no lock; 3 no registry, it cannot be read, or none is known of and a
    provider gave no answer.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from registry.capture.description import shipped
    from registry.commands.options import parse_span
    from registry.commands.printing import columns, emit, harmless, reading
    from registry.retiring import ask_providers, locked, retirements

    today = datetime.now(UTC).date()
    until = None if within is None else today + parse_span("--within", within)
    among = [one for lock in locks for one in locked(lock)] if locks else None
    registry = reading()
    told = ask_providers(registry, shipped(), among=among) if ask else None
    for (provider, model), why in told.untold.items() if told else ():
        click.echo(harmless(f"{provider} did not tell of {model}: {why}"), err=True)
    found = retirements(registry, shipped(), until=until, among=among, told=told.days if told else None)
    status = 1 if found else 3 if told and told.untold else 0
    if as_json:
        emit([asdict(one) | {"day": one.day.isoformat(), "days_left": one.days_left(today)} for one in found])
        return status
    if not found:
        click.echo("no recorded model has a day of shut-down" + (f" within {within}" if within else ""))
        return status
    rows = [
        (
            one.day,
            f"in {left} days" if (left := one.days_left(today)) > 0 else "shut down",
            one.provider,
            one.model,
            f"{one.generations:,}",
            one.source,
        )
        for one in found
    ]
    columns(("DAY", "LEFT", "PROVIDER", "MODEL", "GENERATIONS", "KNOWN FROM"), rows)
    click.echo("their replays end that day; try: mintmark search --provider P --model M", err=True)
    return 1


# Commands of higher floors that belong here come by entry point: no module of this floor knows them.
for _entry in sorted(entry_points(group="mintmark.commands.providers"), key=lambda entry: entry.name):
    providers.add_command(_entry.load(), _entry.name)
