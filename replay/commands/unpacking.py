"""A packed suite becomes a registry to check it in: a temporary one, or the one that ``MINTMARK_HOME`` names."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.home import Registry


def admitted(packed: Path, trust: Path | None = None) -> "tuple[Registry, Path]":
    """The registry with the pack's records in it, and its suite's file; both end with the command.

    Args:
        packed: the zip.
        trust: a file of keys, one of which must have signed it; without it a home in use takes in known keys only.
    """
    from registry.commands.options import parse_trust_file
    from registry.errors import counted
    from registry.home import create_at
    from replay.suites.packing import SUITE, admit_pack, unpacked

    context = click.get_current_context()
    keys = None if trust is None else parse_trust_file(trust)
    folder = context.with_resource(unpacked(packed))
    if named := os.environ.get("MINTMARK_HOME"):
        home = Path(named).expanduser().absolute()
    else:
        temporary = Path(tempfile.mkdtemp(prefix="mintmark-home-"))
        context.call_on_close(lambda: shutil.rmtree(temporary, ignore_errors=True))
        home = temporary / ".mintmark"
    registry, _ = create_at(home)
    context.call_on_close(registry.close)
    context.call_on_close(registry.sign_checkpoint)
    found = admit_pack(registry, folder, trust=keys)
    click.echo(f"took in {counted(found.records, 'record')} and {counted(found.assets, 'asset')}, verified", err=True)
    return registry, folder / SUITE
