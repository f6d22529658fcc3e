"""Imports tables of past calls: each row one generation, known by the table's digest and its number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from drift.errors import MintmarkError
from registry.annotate import parse_label
from registry.arriving import FileMissing
from registry.canonical import JSON
from registry.digest import digests_of_file
from registry.drafting import IMPORTED, Draft, Incoming, refuse_empty_success
from registry.errors import InvalidValue
from registry.home import Registry
from registry.importing.files import Terms
from registry.importing.mapping import Map
from registry.importing.tables import BadTable, Number, Row, cell, read_rows
from registry.manifest import (
    Context,
    Cost,
    Latency,
    License,
    Model,
    Outcome,
    OutcomeClass,
    Prompt,
    Provider,
    Seed,
    state_after,
)
from registry.record import record
from registry.times import in_zone, text_of
from registry.verbatim import number

State: TypeAlias = Literal["imported", "known", "refused"]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}").fullmatch
_OPERATION: Final = re.compile(r"[a-z]+(\.[a-z]+)+").fullmatch
_CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,31}").fullmatch
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch
_WORDS: Final[dict[str, JSON]] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of one row; ``id`` is None in a dry run and where it was refused, ``why`` says the reason."""

    number: int
    line: int
    state: State
    id: str | None = None
    why: str | None = None


def import_rows(
    registry: Registry | None, table: Path, mapped: Map, terms: Terms, *, dry_run: bool = False
) -> Iterator[ImportedRow]:
    """Import the rows of a table one by one; a row that is refused stops none of the others.

    Rows are known by the SHA-256 of the table and their number, so an import that was interrupted goes on where it
    ended, and importing a table again adds nothing, whatever the map says by then.

    Args:
        registry: where to; None only in a dry run, where there is none.
        table: CSV or JSON Lines.
        mapped: which column is what.
        terms: what else to say of every row; the row's own word counts more.
        dry_run: read everything, record nothing.

    Raises:
        BadTable, BadMap: the table cannot be read, or not with this map.
        CouldNotRun: disk, database or keys fail; what was imported until then stays.
    """
    try:
        digest = digests_of_file(table)[0].sha256
    except OSError as problem:
        raise BadTable(table, 1, f"cannot be read: {problem.strerror}") from None
    folder = table.parent / mapped.root
    for row in read_rows(table, mapped):
        exchange_id = f"import:{digest}:{row.number}"
        known = registry.catalog.exchange(exchange_id) if registry is not None else None
        if known is not None:
            yield ImportedRow(row.number, row.line, "known", known[0])
            continue
        try:
            if row.why is not None:
                raise InvalidValue("row", row.number, f"a row of this table: {row.why}")
            draft, files = draft_of_row(row, mapped, terms, folder, digest)
            if dry_run or registry is None:
                yield ImportedRow(row.number, row.line, "imported")
                continue
            done = record(registry, draft, files)
        except MintmarkError as problem:
            if problem.exit_code == 3:
                raise
            yield ImportedRow(row.number, row.line, "refused", why=str(problem))
            continue
        yield ImportedRow(row.number, row.line, "imported" if done.new else "known", done.id)


def draft_of_row(row: Row, mapped: Map, terms: Terms, folder: Path, digest: str) -> tuple[Draft, dict[str, Path]]:
    """One row as a draft, and its files by name.

    Args:
        row: its cells.
        mapped: which of them is what.
        terms: what else to say.
        folder: that paths are relative to and must not leave.
        digest: SHA-256 of the table.

    Raises:
        InvalidValue: a cell that its member cannot hold; it names the member and the value.
        FileMissing: a file that is not there.
    """
    read = RowReader(row, mapped)
    status = read.text("status") or "succeeded"
    if status not in get_args(OutcomeClass):
        raise InvalidValue("status", status, f"one of {', '.join(get_args(OutcomeClass))} ([values.status] translates)")
    outputs = [_inside(folder, path) for path in read.outputs()]
    inputs = {role: _inside(folder, path) for role, path in read.group("inputs").items()}
    labels = dict(parse_label(f"{name}={value}") for name, value in read.group("labels").items())
    draft = Draft(
        provider=Provider(
            name=read.form("provider", _NAME, "a provider's name of a-z, 0-9, . _ and -, such as openai") or "",
            account=read.text("account"),
            region=read.text("region"),
        ),
        model=Model(requested=read.required("model"), served=read.text("served_model")),
        operation=read.form("operation", _OPERATION, "an operation such as image.generate"),
        prompt=Prompt(submitted=read.text("prompt"), effective=read.text("effective_prompt")),
        seed=Seed(requested=read.text("seed"), actual=read.text("actual_seed")),
        settings=read.settings(),
        context=Context(workflow=read.text("workflow") or terms.workflow, subject=read.text("subject")),
        inputs=[Incoming(file=str(path), role=role) for role, path in inputs.items()],
        outputs=[Incoming(file=str(path)) for path in outputs],
        outcome=_outcome(read, status),
        cost=_cost(read),
        license=_license(read, terms),
        labels=dict(terms.labels) | labels,
        capture="import",
        confidence="declared",
        exchange_id=f"import:{digest}:{row.number}",
        extensions={IMPORTED: {"table": {"sha256": digest, "row": row.number}}},
    )
    refuse_empty_success(draft)
    return draft, {str(path): path for path in (*outputs, *inputs.values())}


class RowReader:
    """One row, read by the names of members."""

    def __init__(self, row: Row, mapped: Map, zone: tzinfo | None = None) -> None:
        """Of a row and the map of its table; ``zone`` is what times without one mean, None this machine's."""
        self.row, self.cells, self.mapped, self.zone = row, row.cells, mapped, zone

    def value(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The cell, else the constant; None where both are absent or empty."""
        found = cell(self.cells, self.mapped.columns[name][0]) if name in self.mapped.columns else None
        if found is None or found == "":
            found = self.mapped.constants.get(name)
        if isinstance(found, dict | list):
            raise InvalidValue(name, found, "a single value")
        return found

    def text(self, name: str) -> str | None:
        """As text, translated by the map's ``[values]``."""
        found = self.value(name)
        if found is None:
            return None
        text = str(found).lower() if isinstance(found, bool) else str(found)
        return self.mapped.values.get(name, {}).get(text, text)

    def required(self, name: str) -> str:
        """As text that must be there."""
        text = self.text(name)
        if text is None:
            raise InvalidValue(name, text, "known for this row; fill the cell or give a constant")
        return text

    def form(self, name: str, fits: Any, expected: str) -> str | None:  # noqa: ANN401 - a bound re method
        """As text of a form; only the provider must be there."""
        text = self.required(name) if name == "provider" else self.text(name)
        if text is not None and not fits(text):
            raise InvalidValue(name, text, f"{expected} ([values.{name}] translates)")
        return text

    def whole(self, name: str) -> int | None:
        """As a whole number."""
        text = self.text(name)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,15}(\.0+)?", text):
            raise InvalidValue(name, text, "a whole number")
        return int(text.partition(".")[0])

    def time(self, name: str) -> str | None:
        """As a time of records."""
        text = self.text(name)
        if text is None:
            return None
        try:
            if self.mapped.time_form == "iso":
                moment = datetime.fromisoformat(text.strip())
                return text_of(in_zone(moment, self.zone))
            seconds = float(text) / (1000 if self.mapped.time_form == "unix-ms" else 1)
            return text_of(datetime.fromtimestamp(seconds, UTC))
        except (ValueError, OverflowError, OSError):
            expected = f"a time of the form {self.mapped.time_form} (form in the map's table [time])"
            raise InvalidValue(name, text, expected) from None

    def group(self, group: str) -> dict[str, str]:
        """The members of a group that this row has, as text."""
        names = sorted({*self.mapped.columns, *self.mapped.constants})
        found = {name.partition(".")[2]: self.text(name) for name in names if name.startswith(f"{group}.")}
        return {name: text for name, text in found.items() if text is not None}

    def outputs(self) -> list[str]:
        """The paths of what was made."""
        found = [cell(self.cells, column) for column in self.mapped.columns.get("outputs", ())]
        if wrong := [one for one in found if one is not None and not isinstance(one, str)]:
            raise InvalidValue("output", wrong[0], "a path")
        return [one for one in found if one]

    def settings(self) -> dict[str, JSON]:
        """Settings with the numbers they have; in CSV everything that looks like one is one."""
        settings: dict[str, JSON] = {}
        for name in self.group("settings"):
            value = self.value(f"settings.{name}")
            if isinstance(value, bool):
                settings[name] = value
            elif isinstance(value, Number) or (not self.row.typed and _NUMBER(value)):
                settings[name] = number(str(value))
            else:
                settings[name] = value if self.row.typed else _WORDS.get(value, value)
        return settings


def _inside(folder: Path, name: str) -> Path:
    """A file of a row.

    Raises:
        InvalidValue: it lies outside the folder: a table from elsewhere must not reach for files of this machine.
    """
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InvalidValue("file", name, f"inside {folder} (root in the map's table [files] names another folder)")
        if not path.is_file():
            raise FileMissing(str(folder / name), "no such file")
    except (OSError, ValueError) as problem:
        raise FileMissing(name, str(problem)) from None
    return path


def _outcome(read: RowReader, status: str) -> Outcome:
    return Outcome(
        class_=status,  # type: ignore[arg-type]  # checked by the caller
        state=state_after(status),
        http_status=read.whole("http_status"),
        request_id=read.text("request_id"),
        job_id=read.text("job_id"),
        error=read.text("error"),
        submitted_at=read.time("submitted_at"),
        completed_at=read.time("completed_at"),
        latency_ms=Latency(total=read.whole("latency_ms")),
    )


def _cost(read: RowReader) -> Cost:
    units = {name: read.whole(f"units.{name}") or 0 for name in read.group("units")}
    text = read.text("cost")
    if text is None:
        return Cost(units=units)
    currency = read.text("currency") or "USD"
    try:
        amount = read.mapped.amount(text.strip())
        if amount < 0 or amount >= 10**18 or amount != round(amount, 12):
            raise InvalidOperation
        amount = abs(round(amount, 12).normalize())
    except InvalidOperation:
        raise InvalidValue("cost", text, "an amount such as 0.04, with at most 12 decimals") from None
    if not _CURRENCY(currency):
        raise InvalidValue("currency", currency, "a currency such as USD")
    return Cost(amount=f"{amount:f}", currency=currency, kind="reported", units=units)


def _license(read: RowReader, terms: Terms) -> License:
    name, use = read.text("license"), read.text("commercial_use") or "unknown"
    if name is None and use == "unknown":
        return terms.license
    if use not in ("allowed", "denied", "unknown"):
        raise InvalidValue("commercial_use", use, "allowed, denied or unknown ([values.commercial_use] translates)")
    return License(id=name, commercial_use=use, source="declared")  # type: ignore[arg-type]  # checked
