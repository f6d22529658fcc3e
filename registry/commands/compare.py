"""``mintmark compare`` where a registry is: its arguments may be files, or generations by id."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drift.commands import comparing, existing

if TYPE_CHECKING:
    from registry.home import Registry

_ID = re.compile(r"@last|(?:sha256:|blake3:)?[0-9a-f]{8,64}").fullmatch


def found(text: str) -> tuple[Path, str]:
    """A file by its path; else the first output of a generation, or an asset, in the registry found from here.

    Raises:
        click.UsageError: no file has this name, and it is no id.
        NotFound, AmbiguousPrefix, NoRegistry, AssetCorrupted: see ``registry.fetch``.
    """
    if not _ID(text) or Path(text).is_file():
        try:
            return existing(text)
        except click.UsageError as problem:
            more = "; a generation is named by its id (sha256:…), 8 digits of it or more, or @last"
            raise click.UsageError(problem.message + more) from None
    from registry.assets.store import AssetCorrupted
    from registry.commands.printing import reading, short
    from registry.digest import digests_of_file
    from registry.fetch import find_asset, suffix_of

    registry = reading()
    path, media_type = find_asset(registry, text)
    actual = digests_of_file(path)[0].blake3
    if actual != path.name:
        raise AssetCorrupted(str(path), expected=f"blake3:{path.name}", actual=f"blake3:{actual}")
    full = text if text.startswith("blake3:") else _full(registry, text)
    return path, f"{short(full.removeprefix('blake3:'))}{suffix_of(media_type)}"


def _full(registry: "Registry", text: str) -> str:
    return text if len(text) == 71 else registry.catalog.resolve(text)


compare = comparing(found)
