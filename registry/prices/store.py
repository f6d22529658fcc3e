"""Keeps price tables in the registry's home, each under its digest, and prices calls by those in force."""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from registry.canonical import JSON
from registry.errors import Corrupted, CouldNotRun
from registry.home import Registry
from registry.locking import exclusive
from registry.manifest import Cost, PriceTable
from registry.prices.charge import charge
from registry.prices.table import LARGEST, BadPrices, Entry, Table, entries_of, find_entry, read_table
from registry.whole import write_whole

FOLDER: Final = "prices"
_LIST: Final = "tables.json"
Kind: TypeAlias = Literal["own", "list"]


class PricesDamaged(CouldNotRun):
    """The list of price tables cannot be read."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"{path}: the list of price tables is damaged; remove it and import the tables again")


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One imported table: ``own`` prices go before those of a public ``list``."""

    sha256: str
    kind: Kind
    effective_from: str
    imported_at: str
    models: int


def import_prices(registry: Registry, path: Path, effective_from: date | None = None) -> StoredTable:
    """Store a table; the same bytes with the same day are stored once.

    Args:
        registry: in whose home.
        path: LiteLLM's JSON, or own prices as TOML.
        effective_from: the day its prices begin; today where left out.

    Raises:
        BadPrices: the file is no price table.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else b"\0" * (LARGEST + 1)
    except OSError as problem:
        raise BadPrices(path, "file", f"cannot be read: {problem.strerror}") from None
    entries = read_table(path, data)
    now = datetime.now(UTC)
    own = path.suffix.lower() == ".toml"
    stored = StoredTable(
        sha256=hashlib.sha256(data).hexdigest(),
        kind="own" if own else "list",
        effective_from=(effective_from or now.date()).isoformat(),
        imported_at=now.isoformat(timespec="seconds"),
        models=sum(bool(entry.prices) for entry in entries.values()),
    )
    folder = registry.home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with exclusive(folder / "lock"):
        tables = list(stored_tables(registry.home))
        same = (stored.sha256, stored.effective_from)
        if found := [one for one in tables if (one.sha256, one.effective_from) == same]:
            return found[0]
        write_whole(_file(registry.home, stored), data)
        write_whole(folder / _LIST, json.dumps([asdict(one) for one in (*tables, stored)], indent=1).encode())
    return stored


def stored_tables(home: Path) -> Iterator[StoredTable]:
    """Every imported table, oldest import first.

    Raises:
        PricesDamaged: their list cannot be read.
    """
    path = home / FOLDER / _LIST
    try:
        content: list[dict[str, Any]] = json.loads(path.read_bytes())
        yield from [StoredTable(**one) for one in content]
    except FileNotFoundError:
        return
    except (ValueError, TypeError):
        raise PricesDamaged(path) from None


def tables_in_force(home: Path, on: date | None = None) -> list[tuple[StoredTable, Table]]:
    """The tables that hold on a day: own prices first, newest first.

    Args:
        home: the registry's.
        on: the day; today where left out.

    Raises:
        PricesDamaged, Corrupted: a table was altered or lost.
    """
    day = (on or datetime.now(UTC).date()).isoformat()
    found = [stored for stored in stored_tables(home) if stored.effective_from <= day]
    found.sort(key=lambda one: (one.kind == "own", one.effective_from, one.imported_at), reverse=True)
    newest_list = next((one for one in found if one.kind == "list"), None)
    # A public list replaces the one before it; own prices of different files stand beside each other.
    kept = [one for one in found if one.kind == "own" or one is newest_list]
    return [(one, _table(_file(home, one), one.sha256)) for one in kept]


def price_for(
    registry: Registry,
    provider: str,
    model: str,
    units: Mapping[str, int],
    *,
    settings: Mapping[str, object] | None = None,
    on: date | None = None,
) -> Cost:
    """What a call costs by the tables in force; of kind ``unknown`` where they do not say all of it.

    Args:
        registry: in whose home the tables lie.
        provider: as descriptions call it.
        model: as it is asked for.
        units: counts by name, see ``registry.prices.charge.charge``.
        settings: size and quality of the call, for models that are priced by them.
        on: the day of the call; today where left out.

    Returns:
        Kind ``estimated`` with amount, currency, the digest of the table and the units that were charged.
    """
    unknown = Cost(units=dict(units))
    if not (registry.home / FOLDER).is_dir():
        return unknown
    for stored, table in tables_in_force(registry.home, on):
        entry = find_entry(table, provider, model, settings or {})
        if entry is None:
            continue
        charged = charge(entry, units)
        if charged is None:
            return unknown
        return Cost(
            amount=f"{charged[0]:f}",
            currency=entry.currency,
            kind="estimated",
            price_table=PriceTable(sha256=stored.sha256, effective_from=stored.effective_from),
            units=charged[1],
        )
    return unknown


def prices_of(home: Path, provider: str | None, model: str) -> Iterator[tuple[StoredTable, Entry]]:
    """Every entry of the tables in force for a model."""
    for stored, table in tables_in_force(home):
        for entry in entries_of(table, provider, model):
            yield stored, entry


def estimated(registry: Registry, value: Mapping[str, JSON]) -> dict[str, JSON] | None:
    """The cost member of an open manifest that says nothing of its cost; None where it stays unknown.

    Units that the provider did not report are counted from what came out, as far as that tells what was billed.
    """
    cost, outcome = value["cost"], value["outcome"]
    if cost["kind"] != "unknown" or outcome["class"] != "succeeded" or not (registry.home / FOLDER).is_dir():
        return None
    day = (outcome["completed_at"] or outcome["submitted_at"] or value["recorded_at"])[:10]
    units = units_of(value)
    if units.get("channels", 1) > 1:  # some vendors bill each channel, some do not
        return None
    provider, model = value["provider"]["name"], value["model"]["requested"]
    try:
        found = price_for(registry, provider, model, units, settings=value["settings"], on=date.fromisoformat(day))
    except ValueError:  # no day: the schema, which comes next, says it better
        return None
    if found.amount is None or found.price_table is None:
        return None
    return {
        "amount": found.amount,
        "currency": found.currency,
        "kind": found.kind,
        "price_table": msgspec.to_builtins(found.price_table),
        "units": cost["units"] | found.units,
    }


def units_of(value: Mapping[str, JSON]) -> dict[str, int]:
    """What an open manifest's call is charged by: counted from what came out, and as the provider reported it."""
    return _counted(value) | _named(value["cost"]["units"], value["operation"])


def _counted(value: Mapping[str, JSON]) -> dict[str, int]:
    made = [asset["media"] for asset in value["outputs"] if asset["media"]]
    given = [asset["media"] for asset in value["inputs"] if asset["media"]]
    pictures = [one for one in made if one["kind"] == "image"]
    lasting = [one["duration_ms"] for one in made if one.get("duration_ms")]
    heard = [one["duration_ms"] for one in given if one["kind"] == "audio" and one.get("duration_ms")]
    units: dict[str, int] = {}
    if pictures:
        units |= {"images": len(pictures), "pixels": sum(one["width"] * one["height"] for one in pictures)}
    if lasting:
        units["milliseconds"] = sum(lasting)
    if seen := sum(one["kind"] == "image" for one in given):
        units["input_images"] = seen
    if heard:
        units["input_milliseconds"] = sum(heard)
    prompt = value["prompt"]["submitted"]
    if value["operation"] == "speech.generate" and isinstance(prompt, str):
        units["characters"] = len(prompt)
    return units


def _named(reported: Mapping[str, int], operation: str) -> dict[str, int]:
    """Reported units under the names that prices are charged by."""
    units = dict(reported)
    if "audio_ms" in units:
        units["input_milliseconds"] = units["audio_ms"]
    if operation == "audio.transcribe" and "seconds" in units:  # of what was heard
        units["input_seconds"] = units.pop("seconds")
    return units


@functools.lru_cache(maxsize=8)
def _table(path: Path, sha256: str) -> Table:
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if (actual := hashlib.sha256(data).hexdigest()) != sha256:
        raise Corrupted(f"the price table {path}", expected=sha256, actual=actual)
    return read_table(path, data)


def _file(home: Path, stored: StoredTable) -> Path:
    return home / FOLDER / f"{stored.sha256}.{'toml' if stored.kind == 'own' else 'json'}"
