"""Exports manifests as JSON Lines or CSV, for pipes and spreadsheets; nothing sealed is opened."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import BinaryIO

from registry.canonical import JSON
from registry.sealing import is_seal

COLUMNS = (
    "id", "recorded_at", "operation", "provider", "model", "served", "pin", "workflow", "outcome", "request_id",
    "seed", "cost", "currency", "outputs", "media_type", "sha256", "replay_of", "labels", "exchange_id",
)  # fmt: skip


def json_lines(manifests: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One line per manifest: ``{"id": …, "manifest": …}`` around its canonical bytes, which hash to the id."""
    for manifest_id, body in manifests:
        yield b'{"id":"%b","manifest":%b}\n' % (manifest_id.encode(), body)


def csv_lines(manifests: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A header and one row per manifest, UTF-8, RFC 4180; a spreadsheet never takes a cell for a formula."""
    yield csv_row(COLUMNS)
    for manifest_id, body in manifests:
        yield csv_row(_values(manifest_id, json.loads(body)))


def write_rows(manifests: Iterable[tuple[str, bytes]], form: str, out: BinaryIO) -> int:
    """Write manifests as ``jsonl`` or ``csv``; how many there were."""
    count = -1 if form == "csv" else 0  # its header is none
    for line in (csv_lines if form == "csv" else json_lines)(manifests):
        out.write(line)
        count += 1
    return count


def csv_row(values: Iterable[JSON]) -> bytes:
    """One row, with its end of line; text that a spreadsheet would take for a formula begins with an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue().encode()


def _values(manifest_id: str, value: dict[str, JSON]) -> Iterator[JSON]:
    first = value["outputs"][0] if value["outputs"] else {"media_type": None, "digest": None}
    yield manifest_id
    yield value["recorded_at"]
    yield value["operation"]
    yield value["provider"]["name"]
    yield value["model"]["requested"]
    yield value["model"]["served"]
    yield value["model"]["pin"]
    yield value["context"]["workflow"]
    yield value["outcome"]["class"]
    yield value["outcome"]["request_id"]
    yield value["seed"]["actual"] or value["seed"]["requested"]
    yield value["cost"]["amount"]
    yield value["cost"]["currency"]
    yield len(value["outputs"])
    yield first["media_type"]
    yield first["digest"] if first["digest"] is None or is_seal(first["digest"]) else first["digest"]["sha256"]
    yield value["replay_of"]
    yield ";".join(f"{key}={'[sealed]' if is_seal(text) else text}" for key, text in value["labels"].items())
    yield value["recorder"]["exchange_id"]


def _cell(value: JSON) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return str(value)
    text = "[sealed]" if is_seal(value) else str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
