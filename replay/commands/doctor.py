"""``mintmark doctor``: what is installed, configured, reachable; each problem with the line that mends it."""

import click

from registry.commands.printing import as_json


@click.command(short_help="Say what is wrong here, and how to mend it.")
@click.option("--sweep", "do_sweep", is_flag=True, help="Remove what crashes left behind, if older than an hour.")
@as_json
def doctor(do_sweep: bool, as_json: bool) -> int:
    """Examine the installation and the registry here; changes nothing unless --sweep is given.

    Exit status: 0 all is well (notes are well), 1 a problem was found.
    """
    from pathlib import Path

    from drift.errors import MintmarkError
    from registry.capturing.waiting import waiting
    from registry.commands.printing import emit
    from registry.errors import NoRegistry
    from registry.health import Finding, examine
    from registry.home import open_registry
    from registry.sweep import sweep
    from replay.installation import installed

    findings = list(installed())
    swept = None
    try:
        registry = open_registry(Path.cwd())
    except NoRegistry as problem:
        findings.append(Finding("registry", "note", str(problem)))
    except MintmarkError as problem:  # what stops every other command is what this one is asked about
        findings.append(Finding("registry", "problem", str(problem)))
    else:
        try:
            findings += [*examine(registry), waiting(registry.home)]
            swept = sweep(registry) if do_sweep else None
        finally:
            registry.close()
    if as_json:
        emit([{name: getattr(found, name) for name in found.__slots__} for found in findings])
    else:
        width = max(len(found.name) for found in findings)
        for found in findings:
            click.echo(f"{found.state:<7}  {found.name:<{width}}  {found.sentence}")
            if found.remedy:
                click.echo(f"{'':<7}  {'':<{width}}  run: {found.remedy}")
        if swept is not None:
            click.echo(f"swept {swept.drafts} drafts, {swept.disclosures} disclosures, {swept.assets} assets")
    return 1 if any(found.state == "problem" for found in findings) else 0
