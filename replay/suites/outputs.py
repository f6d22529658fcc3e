"""Writes a run's result into files: JSON is the result itself, everything else a projection of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from registry.canonical import JSON
from registry.errors import InvalidValue
from registry.home import Registry
from registry.whole import write_whole
from replay.report import html, junit, markdown
from replay.report.pictures import Shown

Write = Callable[[Registry, Mapping[str, JSON], Path], None]


def _write_json(_: Registry, result: Mapping[str, JSON], path: Path) -> None:
    write_whole(path, (json.dumps(result, indent=1, ensure_ascii=False) + "\n").encode())


def _write_html(registry: Registry, result: Mapping[str, JSON], path: Path) -> None:
    html.write(result, path, Shown(registry))


def _write_junit(_: Registry, result: Mapping[str, JSON], path: Path) -> None:
    junit.write(result, path)


def _write_markdown(_: Registry, result: Mapping[str, JSON], path: Path) -> None:
    markdown.write(result, path)


WRITERS: Final[Mapping[str, Write]] = {
    ".json": _write_json,
    ".html": _write_html,
    ".htm": _write_html,
    ".xml": _write_junit,
    ".md": _write_markdown,
}
"""By what a file's name ends with."""


def check_outputs(paths: Sequence[Path]) -> None:
    """Refuse, before anything is paid, what could not be written in the end.

    Raises:
        InvalidValue: a name that ends with none of these, or a folder that is not there.
    """
    for path in paths:
        if path.suffix.lower() not in WRITERS:
            raise InvalidValue("-o", str(path), f"a file that ends with {', '.join(WRITERS)}")
        if not path.parent.is_dir():
            raise InvalidValue("-o", str(path), "in an existing folder; make it first")


def write_outputs(registry: Registry, result: Mapping[str, JSON], paths: Sequence[Path]) -> None:
    """Write each file; pages show what lies in the registry."""
    for path in paths:
        WRITERS[path.suffix.lower()](registry, result, path)
