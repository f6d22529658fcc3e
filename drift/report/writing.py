"""A report's file: whether it can be written, asked before anything is computed, and writing it whole or not at all."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from drift.compare import Comparison
from drift.errors import ReportNotWritten, ReportRefused
from drift.report.page import render
from drift.visible import visible

_PAGES = frozenset({".html", ".htm"})


def promise(output: Path, inputs: Sequence[Path]) -> None:
    """Refuse a place where no report can or should be written.

    Raises:
        ReportRefused: a folder, one of the files compared, or something that is no page stands there.
        ReportNotWritten: the place cannot be written to.
    """
    if output.is_dir():
        raise ReportRefused(visible(str(output)), "it is a folder")
    if output.exists():
        if any(output.samefile(path) for path in inputs):
            raise ReportRefused(visible(str(output)), "it is one of the files compared, and is no report")
        if output.suffix.lower() not in _PAGES:
            raise ReportRefused(visible(str(output)), "it exists and is no report")
        if not os.access(output, os.W_OK):
            raise _refused(output, "it may not be changed")
    try:
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise _refused(output, error.strerror or str(error)) from None


def write(output: Path, comparison: Comparison) -> None:
    """Write the page of a comparison; an existing one is replaced when the new one is complete.

    Raises: ReportNotWritten.
    """
    put(output, render(comparison))


def put(output: Path, text: str) -> None:
    """Write a text file whole or not at all, as UTF-8.

    Raises: ReportNotWritten.
    """
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, output)
    except OSError as error:
        raise _refused(output, error.strerror or str(error)) from None
    finally:
        draft.unlink(missing_ok=True)


def _refused(output: Path, why: str) -> ReportNotWritten:
    return ReportNotWritten(visible(str(output)), why)
