"""``mintmark log``: the append-only log, its checkpoints and its audit."""

from pathlib import Path

import click

from registry.commands.printing import as_json


@click.group(short_help="Sign and audit the log.")
def log() -> None:
    """The append-only log that every record enters."""


@log.command()
def checkpoint() -> None:
    """Print a signed checkpoint (a C2SP signed note) over the whole log; keep it outside to catch later rewriting.

    Exit status: 0 printed.
    """
    from registry.commands.printing import reading

    registry = reading()
    note = registry.log.checkpoint(registry.log_signer, registry.snapshot.origin).note
    click.echo(note, nl=False)


@log.command()
@click.option("--trust", type=click.Path(exists=True, dir_okay=False), help="Verifier keys, as `key export` prints.")
@as_json
def audit(trust: str | None, as_json: bool) -> int:
    """Hash every entry again and recompute the root at every stored checkpoint.

    Exit status: 0 nothing was changed, 1 something was, 2 --trust names no file of keys.
    """
    from registry.audit import audit
    from registry.commands.options import parse_trust_file
    from registry.commands.printing import emit
    from registry.commands.printing import reading as open_here
    from registry.errors import counted

    registry = open_here()
    report = audit(registry, None if trust is None else parse_trust_file(Path(trust)))
    if as_json:
        emit({"ok": report.ok, "entries": report.entries, "checkpoints": report.checkpoints, "faults": report.faults})
    else:
        counts = (report.entries, "entry"), (report.checkpoints, "checkpoint"), (len(report.faults), "fault")
        click.echo(", ".join(counted(count, noun) for count, noun in counts))
        for fault in report.faults:
            click.echo(f"  {fault}")
    return 0 if report.ok else 1


@log.command()
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="A folder, new or exported to.")
@as_json
def export(target: Path, as_json: bool) -> None:
    """Write the log as plain files (C2SP tlog-tiles) that any mirror, monitor or web server can take from there.

    Only hashes, kinds, ids and times are in it. Exporting again adds what is new.

    Exit status: 0 written, 2 the folder holds something else.
    """
    from registry.commands.printing import emit
    from registry.commands.printing import reading as open_here
    from registry.errors import counted
    from registry.export.static_log import export_log

    registry = open_here()
    checkpoint = registry.log.checkpoint(registry.log_signer, registry.snapshot.origin)
    with registry.catalog.database.reading() as connection:
        files = export_log(target, registry.log, connection, checkpoint)
    if as_json:
        emit({"origin": checkpoint.origin, "size": checkpoint.size, "files": files})
    else:
        covered = f"{counted(checkpoint.size, 'entry')} of {checkpoint.origin}"
        click.echo(f"{target}  {covered}, {counted(files, 'file')} written")
