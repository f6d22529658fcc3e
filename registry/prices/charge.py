"""What units cost by one entry of a price table; None rather than half a price. Decides; touches no store."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from registry.prices.table import Entry

# Per side: what is counted in which unit, and the keys that price it. Token prices add up; of the other ways to
# count, one is charged, the first that both the table and the call know.
_Way = tuple[tuple[str, tuple[str, ...]], ...]
_INPUT: Final[tuple[_Way, ...]] = (
    (
        ("input_tokens", ("input_cost_per_token",)),
        ("input_image_tokens", ("input_cost_per_image_token",)),
        ("input_audio_tokens", ("input_cost_per_audio_token",)),
    ),
    (("characters", ("input_cost_per_character",)),),
    (
        (
            "input_seconds",
            ("input_cost_per_audio_per_second", "input_cost_per_video_per_second", "input_cost_per_second"),
        ),
    ),
    (("input_images", ("input_cost_per_image",)),),
    (("input_pixels", ("input_cost_per_pixel",)),),
)
_OUTPUT: Final[tuple[_Way, ...]] = (
    (
        ("output_tokens", ("output_cost_per_token",)),
        ("output_image_tokens", ("output_cost_per_image_token",)),
        ("output_audio_tokens", ("output_cost_per_audio_token",)),
    ),
    (("images", ("output_cost_per_image",)),),
    (("seconds", ("output_cost_per_video_per_second", "output_cost_per_second")),),
    (("output_characters", ("output_cost_per_character",)),),
    (("pixels", ("output_cost_per_pixel",)),),
)
_MOST: Final = Decimal(10**15)
_STEP: Final = Decimal("1e-12")  # the finest amount that records hold


def charge(entry: Entry, units: Mapping[str, int]) -> tuple[Decimal, dict[str, int]] | None:
    """What ``units`` cost, to 12 decimals, and which of them were charged; None where a part has no price.

    Args:
        entry: the prices.
        units: counts by name: ``images``, ``pixels``, ``seconds`` or ``milliseconds`` and ``characters`` of speech,
            ``input_seconds`` or ``input_milliseconds`` of what was transcribed, ``input_images``, ``input_tokens``,
            ``input_image_tokens``, ``input_audio_tokens``, ``output_tokens``, ``output_image_tokens``,
            ``output_audio_tokens``.
    """
    prices = _as_charged(entry)
    apart = prices.get("input_cost_per_image_token", prices.get("input_cost_per_token"))
    if units.get("input_images") and "input_image_tokens" not in units and apart != prices.get("input_cost_per_token"):
        return None  # tokens of text and of pictures, counted as one and priced apart
    total, used = Decimal(0), dict[str, int]()
    for side in (_INPUT, _OUTPUT):
        if not any(key in prices for way in side for _, keys in way for key in keys):
            continue
        charged = _side(side, prices, entry, units, used)
        if charged is None:
            return None
        total += charged
    if not used or total >= _MOST:
        return None
    return total.quantize(_STEP, ROUND_HALF_UP).normalize(), used


def _side(
    side: tuple[_Way, ...], prices: Mapping[str, Decimal], entry: Entry, units: Mapping[str, int], used: dict[str, int]
) -> Decimal | None:
    costly = any(prices.get(key, 0) > 0 for way in side for _, keys in way for key in keys)
    for way in side:
        counted = {unit for unit, _ in way if _count(units, unit) is not None}
        known = {unit: key for unit, keys in way for key in reversed(keys) if key in prices and unit in counted}
        if not known or (costly and not any(prices[key] > 0 for key in known.values())):
            continue  # what costs nothing per pixel may still cost something per token
        beyond = any(units.get(unit, 0) > entry.tiers[key] for unit, key in known.items() if key in entry.tiers)
        if beyond or counted - set(known):
            return None
        used |= {name: units[name] for unit in known for name in _names(unit) if name in units}
        return sum((prices[key] * (_count(units, unit) or 0) for unit, key in known.items()), Decimal(0))
    return None if costly else Decimal(0)


def _as_charged(entry: Entry) -> dict[str, Decimal]:
    """The prices by what they are charged for; the public list has its own ways of writing some."""
    prices = dict(entry.prices)
    if entry.mode in ("image_generation", "image_edit"):
        for unit in ("image", "pixel"):  # there, the picture that comes out is meant
            found = prices.pop(f"input_cost_per_{unit}", None)
            if found and not prices.get(f"output_cost_per_{unit}"):
                prices[f"output_cost_per_{unit}"] = found
    if "output_cost_per_image_token" in prices:  # what comes out is a picture, whatever its tokens are called
        prices["output_cost_per_token"] = prices["output_cost_per_image_token"]
    elif prices.get("output_cost_per_image"):
        prices.pop("output_cost_per_token", None)  # that is the price of words; a picture has its own
    if entry.mode == "audio_transcription" and prices.get("input_cost_per_second"):
        prices.pop("output_cost_per_second", None)  # the same seconds, named a second time
    return prices


def _names(unit: str) -> tuple[str, ...]:
    return (unit, unit.replace("seconds", "milliseconds")) if unit.endswith("seconds") else (unit,)


def _count(units: Mapping[str, int], unit: str) -> Decimal | None:
    if unit in units:
        return Decimal(units[unit])
    milliseconds = unit.replace("seconds", "milliseconds")
    return Decimal(units[milliseconds]) / 1000 if milliseconds in units else None
