"""A price table: which model costs what per image, second, character or token. Decides; touches no store.

Two forms are read: the public list of the LiteLLM project, ``model_prices_and_context_window.json`` (keys such as
``output_cost_per_image``, US dollars), and own prices as TOML with the same keys and a currency.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from registry.capture.toml_lines import line_of
from registry.errors import Refused

LARGEST: Final = 64 << 20  # bytes of a table
# Names of one vendor in the public list, where they differ from a description's.
_ALSO: Final = {
    "google": ("gemini", "vertex_ai"),
    "bfl": ("black_forest_labs",),
    "fal": ("fal_ai",),
    "runway": ("runwayml",),
    "stability": ("stability", "stability_ai"),
}
KEYS: Final = (
    "input_cost_per_token", "input_cost_per_image_token", "input_cost_per_audio_token",
    "input_cost_per_character", "input_cost_per_image", "input_cost_per_pixel",
    "input_cost_per_second", "input_cost_per_audio_per_second", "input_cost_per_video_per_second",
    "output_cost_per_token", "output_cost_per_image_token", "output_cost_per_audio_token",
    "output_cost_per_character", "output_cost_per_image", "output_cost_per_pixel",
    "output_cost_per_second", "output_cost_per_video_per_second",
)  # fmt: skip
_OWN: Final = (*KEYS, "currency", "mode", "deprecation_date", "source")
_CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,31}").fullmatch
_ABOVE: Final = re.compile(r"(?P<key>(?:in|out)put_cost_per_token)_above_(?P<thousands>[0-9]{1,6})k_tokens").fullmatch


class BadPrices(Refused):
    """A price table that cannot be used."""

    def __init__(self, file: Path, where: str, why: str) -> None:
        """Name the file, the place in it and what was expected."""
        super().__init__(f"{file}: {where}: {why}; nothing was imported, correct the file (docs/import.md, Prices)")


@dataclass(frozen=True, slots=True)
class Entry:
    """The prices of one model, or of one size or quality of it.

    Attributes:
        key: as the table writes it: ``gpt-image-2``, ``openai/sora-2``, ``high/1024-x-1024/gpt-image-1``.
        provider: whose model it is; None where the table does not say.
        mode: what the public list calls an operation: ``image_generation``, ``audio_speech`` …
        prices: from ``KEYS`` to an amount for one unit.
        tiers: token prices that hold up to this many tokens only.
        currency: of the prices.
        retires: the day the model is shut down.
    """

    key: str
    provider: str | None
    mode: str | None
    prices: Mapping[str, Decimal]
    tiers: Mapping[str, int]
    currency: str
    retires: date | None


Table = Mapping[str, Entry]


def read_table(path: Path, data: bytes) -> dict[str, Entry]:
    """The entries of a table by key, from JSON or, where the file is called ``.toml``, own prices.

    Raises:
        BadPrices: of neither form, or with a price that is none.
    """
    if len(data) > LARGEST:
        raise BadPrices(path, "file", f"it is larger than {LARGEST:,} bytes")
    own = path.suffix.lower() == ".toml"
    text = ""
    try:
        text = data.decode("utf-8")
        content = tomllib.loads(text, parse_float=Decimal) if own else json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as problem:
        raise BadPrices(path, "file", f"expected {'TOML' if own else 'JSON'} ({str(problem)[:200]})") from None
    if not isinstance(content, dict):
        raise BadPrices(path, "file", "expected an object with a member for each model")
    entries = {}
    for key, members in content.items():
        if key == "sample_spec":  # the public list explains itself by an entry
            continue
        if not isinstance(members, dict):
            raise BadPrices(path, key, "expected an object of prices")
        for name, why in _mistakes(members, own=own):
            where = f"line {line_of(text, [key, name])}: {key}: {name}" if own else f"{key}: {name}"
            raise BadPrices(path, where, why)
        entries[key] = _entry(key, members)
    if not any(entry.prices for entry in entries.values()):
        raise BadPrices(path, "file", f"no model in it has a price; expected keys such as {', '.join(KEYS[-4:])}")
    return entries


def _mistakes(members: Mapping[str, Any], *, own: bool) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if name in KEYS or _ABOVE(name):
            price = _price(value)
            if value is not None and (price is None or price < 0 or price >= 10**6):
                yield name, f"expected an amount of money, not {value!r}"
        elif name == "deprecation_date" and own and _day(value) is None:
            yield name, f"expected a day such as 2026-10-23, not {value!r}"
        elif name == "currency" and not (isinstance(value, str) and _CURRENCY(value)):
            yield name, "expected a currency such as USD"
        elif own and name not in _OWN:
            yield name, f"expected no such key; known here: {', '.join(_OWN)}"


def _entry(key: str, members: Mapping[str, Any]) -> Entry:
    provider, mode = members.get("litellm_provider"), members.get("mode")
    tiers: dict[str, int] = {}
    for found in filter(None, map(_ABOVE, members)):
        most = int(found["thousands"]) * 1000
        tiers[found["key"]] = min(most, tiers.get(found["key"], most))
    return Entry(
        key=key,
        provider=provider if isinstance(provider, str) else None,
        mode=mode if isinstance(mode, str) else None,
        prices={name: price for name in KEYS if (price := _price(members.get(name))) is not None},
        tiers=tiers,
        currency=members.get("currency", "USD"),
        retires=_day(members.get("deprecation_date")),
    )


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        price = Decimal(value)
    except InvalidOperation:
        return None
    return price if price.is_finite() else None


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def entries_of(table: Table, provider: str | None, model: str) -> Iterator[Entry]:
    """The entries for a model, most exact first; those of sizes and qualities of it come last.

    Args:
        table: from ``read_table``.
        provider: as descriptions call it; None for any.
        model: as it is asked for.
    """
    names = (provider, *_ALSO.get(provider, ())) if provider is not None else ()
    direct = [f"{name}/{model}" for name in names] + [model]
    for key in direct:
        if key in table and _is_of(table[key], names):
            yield table[key]
    for key, entry in table.items():
        if key not in direct and key.endswith(f"/{model}") and (not names or _is_of(entry, names)):
            yield entry


def _is_of(entry: Entry, names: tuple[str | None, ...]) -> bool:
    """Whether an entry is one of that provider; the public list writes ``vertex_ai-image-models`` for some."""
    if not names:
        return True
    said = entry.provider or (entry.key.partition("/")[0] if "/" in entry.key else None)
    return said is None or any(name and (said == name or said.startswith(f"{name}-")) for name in names)


def find_entry(table: Table, provider: str, model: str, settings: Mapping[str, object]) -> Entry | None:
    """The entry that prices a call: of its quality and size where the table has such entries, else of the model."""
    size = str(settings.get("size") or "")
    if not size and isinstance(settings.get("width"), int) and isinstance(settings.get("height"), int):
        size = f"{settings['width']}x{settings['height']}"
    size, quality = size.replace("x", "-x-"), str(settings.get("quality") or "")
    wanted = [part for part in (f"{quality}/{size}", f"{size}/{quality}", size, quality) if part.strip("/")]
    found = {entry.key: entry for entry in entries_of(table, provider, model)}
    names = ("", *(f"{name}/" for name in (provider, *_ALSO.get(provider, ()))))
    # What is priced by size and quality only has no price for a size that is not listed.
    keys = [f"{name}{part}/{model}" for part in wanted for name in names] + [f"{name}{model}" for name in names]
    return next((found[key] for key in keys if key in found), None)
