"""Maps of bulk import: TOML that says which column of a table is which member of a manifest."""

import codecs
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from registry.capture.toml_lines import line_of
from registry.errors import Refused

MEMBERS: Final = (
    "provider", "model", "served_model", "operation", "prompt", "effective_prompt", "seed", "actual_seed",
    "status", "error", "request_id", "job_id", "http_status", "submitted_at", "completed_at", "latency_ms",
    "cost", "currency", "workflow", "subject", "account", "region", "license", "commercial_use", "output", "outputs",
)  # fmt: skip
GROUPS: Final = ("settings", "labels", "inputs", "units")
TimeForm: TypeAlias = Literal["iso", "unix", "unix-ms"]
_TABLES: Final = ("columns", "constants", "values", "files", "csv", "time")
_OPTIONS: Final = {"files": ("root",), "csv": ("delimiter", "encoding", "decimal"), "time": ("form",)}
_NAMES: Final = {
    "settings": re.compile(r"[^\x00-\x1f\x7f]{1,128}").fullmatch,
    "labels": re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}").fullmatch,
    "inputs": re.compile(r"[a-z0-9][a-z0-9._-]{0,63}").fullmatch,
    "units": re.compile(r"[a-z][a-z0-9_]{0,63}").fullmatch,
}
_EXAMPLES: Final = {"settings": "size", "labels": "team", "inputs": "reference", "units": "images"}
_COMMA: Final = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?").fullmatch
_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)")


class BadMap(Refused):
    """A map that cannot be used: where the mistake stands and what was expected there."""

    def __init__(self, file: Path, line: int, key: str, expected: str) -> None:
        """Build ``file:line: key: expected``."""
        super().__init__(f"{file}:{line}: {key or 'file'}: {expected}; correct the map (docs/import.md lists its keys)")
        self.line, self.key = line, key


@dataclass(frozen=True, slots=True)
class Map:
    """Which column is what.

    Attributes:
        path: of the map.
        columns: member, or group and name (``settings.size``), to the columns it is read from; only ``outputs`` has
            several.
        constants: the same names to one value for every row that has none of its own.
        values: member to the translation of what its column holds.
        root: the folder that paths are relative to and must not leave, relative to the table's own.
        delimiter: between the cells of a CSV file.
        encoding: of the table.
        decimal: what stands before the decimals of an amount, a point or a comma.
        time_form: how times are written.
        text: of the map, to find lines in.
    """

    path: Path
    columns: Mapping[str, Sequence[str]]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    root: str
    delimiter: str
    encoding: str
    time_form: TimeForm
    text: str
    decimal: str = "."

    def check_columns(self, there: Sequence[str]) -> None:
        """Let a table's heading pass.

        Raises:
            BadMap: a column that the map names is not there.
        """
        for name, columns in self.columns.items():
            for column in columns:
                if column not in there:
                    near = difflib.get_close_matches(column, there, 1)
                    hint = f"did you mean {near[0]!r}" if near else f"there are {', '.join(map(repr, there[:40]))}"
                    line = line_of(self.text, ["columns", *name.split(".", 1)])
                    raise BadMap(self.path, line, f"columns.{name}", f"the table has no column {column!r}; {hint}")

    def amount(self, text: str) -> Decimal:
        """An amount as the table writes it: ``0.04``; with a decimal comma ``0,04`` or ``1.234,56``.

        Raises:
            InvalidOperation: it is none, or not written like that.
        """
        if self.decimal == ",":
            if not _COMMA(text):
                raise InvalidOperation
            text = text.replace(".", "").replace(",", ".")
        found = Decimal(text)
        if not found.is_finite() or "_" in text:
            raise InvalidOperation
        return found


def read_map(path: Path, *, needs: Sequence[str] = ("provider", "model")) -> Map:
    """Read and check the map at ``path``.

    Args:
        path: of the map.
        needs: members that must have a column or a constant.

    Raises:
        BadMap: unreadable, no TOML, or with keys or values it cannot have; the first mistake is shown.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        content = tomllib.loads(text)
    except OSError as problem:
        raise BadMap(path, 1, "", f"cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise BadMap(path, 1, "", "expected UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        place = _LINE.search(str(problem))
        line = int(place[1]) if place else text.count("\n") + 1
        raise BadMap(path, line, "", f"expected TOML: {_LINE.sub('', str(problem))}") from None
    for keys, expected in _mistakes(content, needs):
        raise BadMap(path, line_of(text, keys) if content else 1, ".".join(keys), expected)
    return Map(
        path=path,
        columns=dict(_flat(content.get("columns", {}))),
        constants={name: values[0] for name, values in _flat(content.get("constants", {}))},
        values={name: dict(table) for name, table in content.get("values", {}).items()},
        root=content.get("files", {}).get("root", "."),
        delimiter=content.get("csv", {}).get("delimiter", ","),
        encoding=content.get("csv", {}).get("encoding", "utf-8-sig"),
        time_form=content.get("time", {}).get("form", "iso"),
        text=text,
        decimal=content.get("csv", {}).get("decimal", "."),
    )


def _mistakes(content: Mapping[str, Any], needs: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    for table, members in content.items():
        if table not in _TABLES:
            yield [table], f"expected no such table; {_hint(table, _TABLES)}"
        elif not isinstance(members, dict):
            yield [table], "expected a table"
        elif table in ("columns", "constants"):
            yield from _members(table, members)
        elif table == "values":
            yield from _values(members)
        else:
            yield from _options(table, members)
    if not all(isinstance(content.get(table, {}), dict) for table in ("columns", "constants")):
        return
    given = {**content.get("columns", {}), **content.get("constants", {})}
    if {"output", "outputs"} <= set(content.get("columns", {})):
        yield ["columns", "outputs"], "expected either output or outputs"
    for name in needs:
        if name not in given:
            yield ["columns"], f"expected a column or a constant for {name}"


def _members(table: str, members: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, value in members.items():
        if name in GROUPS:
            yield from _group(table, name, value)
        elif name not in MEMBERS:
            yield [table, name], f"expected no such member; {_hint(name, [*MEMBERS, *GROUPS])}"
        elif name in ("output", "outputs") and table == "constants":
            yield [table, name], "expected a column: no two rows made the same file"
        elif name == "outputs":
            if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
                yield [table, name], "expected a list of column names; one column is `output`"
        elif not _is_cell(table, value):
            yield [table, name], _expected(table)


def _group(table: str, group: str, members: object) -> Iterator[tuple[list[str], str]]:
    if not isinstance(members, dict):
        yield [table, group], f"expected a table, such as [{table}.{group}]"
        return
    for name, value in members.items():
        if not _is_cell(table, value):
            yield [table, group, name], _expected(table)
        elif not _NAMES[group](name):
            yield [table, group, name], f"expected a name that {group} can have, such as {_EXAMPLES[group]}"


def _values(members: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, table in members.items():
        if name not in MEMBERS:
            yield ["values", name], f"expected no such member; {_hint(name, MEMBERS)}"
        elif not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
            yield ["values", name], "expected a table from the cell's text to the member's"


def _options(table: str, members: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    for name, value in members.items():
        if name not in _OPTIONS[table]:
            yield [table, name], f"expected no such key; {_hint(name, _OPTIONS[table])}"
        elif not isinstance(value, str):
            yield [table, name], "expected a text"
        elif name == "delimiter" and (len(value) != 1 or value in '"\r\n'):
            yield [table, name], "expected one character"
        elif name == "decimal" and value not in (".", ","):
            yield [table, name], 'expected "." or ","'
        elif name == "form" and value not in get_args(TimeForm):
            yield [table, name], f"expected one of {', '.join(get_args(TimeForm))}"
        elif name == "encoding" and not _is_encoding(value):
            yield [table, name], "expected the name of a text encoding, such as utf-8 or latin-1"


def _is_encoding(name: str) -> bool:
    try:
        return bool(codecs.lookup(name)._is_text_encoding)
    except (LookupError, ValueError):
        return False


def _is_cell(table: str, value: object) -> bool:
    return isinstance(value, str) or (table == "constants" and isinstance(value, int | float))


def _expected(table: str) -> str:
    return "expected the name of a column" if table == "columns" else "expected a text or a number"


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}" if near else f"known here: {', '.join(known)}"


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", [_text(cell)]) for inner, cell in value.items())
        else:
            yield ("outputs" if name == "output" else name), [*value] if isinstance(value, list) else [_text(value)]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
