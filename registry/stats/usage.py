"""Reads a vendor's usage export: what was billed, row by row; a file that cannot be trusted names line and column."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from registry.errors import InvalidValue, Refused
from registry.importing.history import RowReader
from registry.importing.mapping import Map
from registry.importing.tables import BadTable, Row, read_rows

# What exports call things, lower case, in the order in which a column is looked for.
KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "request_id": ("request_id", "request id", "requestid", "x-request-id"),
    "job_id": ("job_id", "job id", "task_id", "prediction_id", "generation_id"),
    "submitted_at": ("time", "timestamp", "created_at", "created", "submitted_at", "completed_at", "date"),
    "model": ("model", "model_name", "model_id"),
    "cost": ("cost", "amount", "price", "charge", "cost_usd", "amount_usd"),
    "currency": ("currency", "unit"),
}
_DELIMITERS: Final = ",;\t|"
_CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,31}").fullmatch
_HEADING: Final = 1 << 16  # bytes
_LONGEST_AMOUNT: Final = 64  # characters


class BadUsage(Refused):
    """A usage export that cannot be used: line, and column where it is one cell."""

    def __init__(self, file: Path, line: int, column: str | None, why: str) -> None:
        """Say where, and what was expected."""
        place = f"{file}:{line}: " + (f"column {column!r}: " if column else "")
        super().__init__(f"{place}{why}; nothing was compared, correct the file or give a map (--map, docs/stats.md)")
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Billed:
    """One row: what a vendor says it charged, and for which call as far as it says so.

    ``at`` is a time as records write it; ``amount`` may be negative (a refund).
    """

    line: int
    request_id: str | None
    job_id: str | None
    at: str | None
    model: str | None
    amount: Decimal
    currency: str


def read_usage(path: Path, mapped: Map | None, zone: tzinfo | None = None) -> Iterator[Billed]:
    """The rows of an export.

    Args:
        path: CSV with a heading, or JSON Lines.
        mapped: which column is what, in the words of an import's map; None tells by the names of the columns.
        zone: what times without one mean; None is this machine's.

    Raises:
        BadUsage: no such table, or a cell that is not what its column says.
        BadMap: the map names a column that is not there.
    """
    mapped = mapped or told_by_heading(path)
    if "cost" not in mapped.columns and "cost" not in mapped.constants:
        raise BadUsage(path, 1, None, "the map names no column for cost")
    try:
        for row in read_rows(path, mapped):
            yield _billed(path, row, mapped, zone)
    except BadTable as problem:
        raise BadUsage(path, problem.line, None, problem.why) from None


def told_by_heading(path: Path) -> Map:
    """A map made from the heading: the delimiter that makes most of it, and columns by their usual names.

    Raises:
        BadUsage: no text, or a heading that tells no amount.
    """
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        raise BadUsage(path, 1, None, "JSON Lines need a map that names their members")
    columns, delimiter = max(_readings(path), key=lambda reading: len(reading[0]))
    if "cost" not in columns:
        names = ", ".join(KNOWN["cost"])
        raise BadUsage(path, 1, None, f"no column is called {names}, so nothing says what was billed")
    return Map(
        path=path,
        columns={name: [column] for name, column in columns.items()},
        constants={"currency": "USD"} if columns["cost"].lower().endswith("_usd") else {},
        values={},
        root=".",
        delimiter=delimiter,
        encoding="utf-8-sig",
        time_form="iso",
        text="",
    )


def _readings(path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """For each delimiter the columns that the heading then has: member to name."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEADING)
    except OSError as problem:
        raise BadUsage(path, 1, None, f"cannot be read: {problem.strerror}") from None
    if b"\0" in start:
        raise BadUsage(path, 1, None, "no text in UTF-8 (a map names another encoding)")
    if not start.strip():
        raise BadUsage(path, 1, None, "expected a heading with the names of the columns; the file is empty")
    text = start.decode("utf-8-sig", "replace")
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):
            heading = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
            names = {name.strip().lower(): name for name in heading}
            yield (
                {
                    member: names[known]
                    for member, every in KNOWN.items()
                    for known in reversed(every)
                    if known in names
                },
                delimiter,
            )
    yield {}, ","


def _billed(path: Path, row: Row, mapped: Map, zone: tzinfo | None) -> Billed:
    if row.why is not None:
        raise BadUsage(path, row.line, None, row.why)
    read = RowReader(row, mapped, zone)
    try:
        for member in ("cost", "currency"):
            if len(str(read.value(member) or "")) > _LONGEST_AMOUNT:
                raise InvalidValue(member, "…", f"a text of at most {_LONGEST_AMOUNT} characters")
        amount = _amount(read, mapped)
        currency = read.text("currency") or "USD"
        if not _CURRENCY(currency):
            raise InvalidValue("currency", currency, "a currency such as USD")
        at = read.time("submitted_at" if "submitted_at" in mapped.columns else "completed_at")
        request_id, job_id, model = (
            (read.text(name) or "").strip() or None for name in ("request_id", "job_id", "model")
        )
    except InvalidValue as problem:
        column = mapped.columns.get(problem.field, (problem.field,))[0]
        raise BadUsage(path, row.line, column, str(problem).partition(": ")[2]) from None
    return Billed(row.line, request_id, job_id, at, model, amount, currency.upper() if len(currency) == 3 else currency)


def _amount(read: RowReader, mapped: Map) -> Decimal:
    text = (read.text("cost") or "").strip()
    currency = read.text("currency") or "USD"
    try:
        amount = mapped.amount(text.replace("$", "", 1) if currency.upper() == "USD" else text)
    except InvalidOperation:
        comma = ' (decimal = "," in the map\'s table [csv] reads a decimal comma)' if "," in text else ""
        raise InvalidValue("cost", text, f"an amount such as 0.04{comma}") from None
    if amount and (amount.adjusted() >= 18 or amount.adjusted() < -12 or amount != round(amount, 12)):
        raise InvalidValue("cost", text, "an amount below 10^18 with at most 12 decimals")
    return amount
