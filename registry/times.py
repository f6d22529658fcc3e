"""Times as records write them: RFC 3339, UTC, milliseconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from registry.errors import InvalidValue

_AGO = re.compile(r"([1-9][0-9]{0,5})([smhdw])").fullmatch
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def now() -> str:
    """The present time, ``2026-11-20T12:00:00.123Z``."""
    return _written(datetime.now(UTC))


def text_of(moment: datetime) -> str:
    """A moment with zone, as records write it."""
    return _written(moment.astimezone(UTC))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def moment_of(text: str) -> datetime:
    """The moment that a record names; a leap second (``:60``), which has no datetime, is the second before it."""
    return datetime.fromisoformat(text.replace(":60.", ":59."))


def parse_time(field: str, text: str, zone: tzinfo | None = None) -> str:
    """A person's time: ``7d`` (ago), ``2026-11-01`` (midnight), or RFC 3339; without a zone in ``zone``, else local.

    Raises:
        InvalidValue: anything else.
    """
    if ago := _AGO(text):
        return text_of(datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
    try:
        moment = datetime.fromisoformat(text)
        return text_of(in_zone(moment, zone))
    except (ValueError, OverflowError, OSError):
        raise InvalidValue(field, text, "a time; write 7d, 2026-11-01 or 2026-11-01T12:00:00Z") from None


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """A moment that names no zone, taken as one of ``zone`` or, where that is None, of this machine."""
    if moment.tzinfo:
        return moment
    return moment.replace(tzinfo=zone) if zone else moment.astimezone()
