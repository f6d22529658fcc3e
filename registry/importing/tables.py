"""Reads tables of past calls, CSV and JSON Lines, row by row; a row that cannot be read is a row with a reason."""

import codecs
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from registry.canonical import parse
from registry.errors import NotCanonical, Refused
from registry.importing.mapping import Map

LONGEST: Final = 16 << 20  # characters of one row


class BadTable(Refused):
    """A table that cannot be read further."""

    def __init__(self, file: Path, line: int, why: str) -> None:
        """Name the file and the line where reading ended."""
        super().__init__(f"{file}:{line}: {why}; rows before it are done, correct the file and import it again")
        self.line, self.why = line, why


class Number(str):
    """A number of JSON, with its digits as written."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1 without the heading, its line in the file, its cells, or why they cannot be read."""

    number: int
    line: int
    cells: Mapping[str, Any]
    why: str | None = None
    typed: bool = False  # whether its cells have JSON's types; in CSV all is text


def read_rows(path: Path, mapped: Map) -> Iterator[Row]:
    """The rows of a table: JSON Lines where the file is called ``.jsonl`` or ``.ndjson``, else CSV with a heading.

    Raises:
        BadTable: not a table, or damaged from some line on.
        BadMap: the map names a column that the heading has not.
    """
    lines = path.suffix.lower() in (".jsonl", ".ndjson")
    place = 1
    try:
        with path.open(encoding=mapped.encoding, newline=None if lines else "") as file:
            for row in _jsonl(file, path) if lines else _csv(file, path, mapped):
                place = row.line
                yield row
    except OSError as problem:
        raise BadTable(path, place, f"cannot be read: {problem.strerror}") from None
    except UnicodeError:
        place = _undecodable(path, mapped.encoding)
        raise BadTable(path, place, f"no text in {mapped.encoding} (encoding in the map's table [csv])") from None


def _undecodable(path: Path, encoding: str) -> int:
    """The line of the first bytes that are no text: the reader decodes ahead, and cannot tell."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 16):
                line += decoder.decode(chunk).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as problem:
            line += problem.object[: problem.start].count(b"\n")
    return line


def _csv(file: TextIOWrapper, path: Path, mapped: Map) -> Iterator[Row]:
    csv.field_size_limit(LONGEST)
    reader = csv.reader(file, delimiter=mapped.delimiter, strict=True)
    try:
        heading = next(reader, None)
        if not heading:
            raise BadTable(path, 1, "expected a heading with the names of the columns")
        if len(set(heading)) < len(heading):
            twice = next(name for name in heading if heading.count(name) > 1)
            raise BadTable(path, 1, f"the heading names column {twice!r} twice")
        mapped.check_columns(heading)
        number = 0
        for cells in reader:
            if not cells:  # an empty line is no row
                continue
            number += 1
            why = None
            if len(cells) != len(heading):
                why = f"it has {len(cells)} cells, the heading {len(heading)}"
            yield Row(number, reader.line_num, dict(zip(heading, cells, strict=False)), why)
    except csv.Error as problem:
        raise BadTable(path, reader.line_num, f"no CSV ({problem})") from None


def _jsonl(file: TextIOWrapper, path: Path) -> Iterator[Row]:
    number = 0
    line = 0
    while text := file.readline(LONGEST + 1):
        line += 1
        if len(text) > LONGEST:
            raise BadTable(path, line, f"the line is longer than {LONGEST:,} characters")
        if not text.strip():
            continue
        number += 1
        try:
            parse(text.encode())
            cells = json.loads(text, parse_int=Number, parse_float=Number)
        except (NotCanonical, UnicodeEncodeError) as problem:
            yield Row(number, line, {}, str(problem))
            continue
        if isinstance(cells, dict):
            yield Row(number, line, cells, typed=True)
        else:
            yield Row(number, line, {}, "it is no JSON object")


def cell(cells: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """The value of a column; in JSON ``a.b`` is also member ``b`` of ``a``. None where it is absent."""
    if name in cells:
        return cells[name]
    value: Any = cells
    for step in name.split("."):
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value
