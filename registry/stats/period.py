"""The span of time a report is about, as people name it and in the zone they mean."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from registry.errors import InvalidValue
from registry.times import in_zone, moment_of, parse_time, text_of

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])").fullmatch
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*").fullmatch  # names of zones are file names, too


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on and before ``until``, times as records write them; None is open.

    ``zone`` is what a bare date means, None for this machine's own.
    """

    since: str | None = None
    until: str | None = None
    zone: tzinfo | None = None

    def holds(self, at: str) -> bool:
        """Whether a time of a record lies inside."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def local(self, at: str) -> datetime:
        """A time of a record, in the zone of the report."""
        return moment_of(at).astimezone(self.zone)

    @property
    def zone_name(self) -> str:
        """The zone, as a person knows it."""
        if isinstance(self.zone, ZoneInfo):
            return self.zone.key
        name = datetime.now().astimezone(self.zone).tzname() or "unnamed"
        return name if self.zone is UTC else f"{name}, this machine's time"

    @property
    def words(self) -> str:
        """Both ends and the zone, for the head of a report."""
        start = "" if self.since is None else f"from {self._shown(self.since)} "
        end = "until now" if self.until is None else f"to {self._shown(self.until)}"
        both = f"{start}{end}" if start or self.until else "all times"
        return f"{both} ({self.zone_name})"

    def to_json(self) -> dict[str, str | None]:
        """The same for programs: UTC, and the name of the zone that bare dates were read in."""
        return {"since": self.since, "until": self.until, "zone": self.zone_name}

    def _shown(self, at: str) -> str:
        moment = self.local(at)
        return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}"


def parse_period(
    since: str | None = None, until: str | None = None, month: str | None = None, zone: str | None = None
) -> Period:
    """Read a span of time.

    Args:
        since: as ``registry.times.parse_time`` takes it.
        until: the same.
        month: ``2026-10`` instead of both.
        zone: an IANA name such as ``Europe/Berlin``; None is this machine's zone.

    Raises:
        InvalidValue: one of them is none, the end comes before the beginning, or a month stands beside an end.
    """
    there = None if zone is None else parse_zone(zone)
    if month is not None:
        if since is not None or until is not None:
            raise InvalidValue("--month", month, "to be given beside --since or --until; leave one of them out")
        return _month(month, there)
    first = None if since is None else parse_time("--since", since, there)
    last = None if until is None else parse_time("--until", until, there)
    if first is not None and last is not None and first >= last:
        raise InvalidValue("--until", until, f"later than --since {since}")
    return Period(first, last, there)


def parse_zone(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        InvalidValue: there is none of that name.
    """
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        if _PLAIN(name):
            return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        pass
    raise InvalidValue("--tz", name, "a time zone, such as UTC or Europe/Berlin")


def _month(text: str, zone: tzinfo | None) -> Period:
    found = _MONTH(text)
    try:
        if not found:
            raise ValueError
        year, month = int(found[1]), int(found[2])
        first = datetime(year, month, 1)
        after = datetime(year + month // 12, month % 12 + 1, 1)
        return Period(text_of(in_zone(first, zone)), text_of(in_zone(after, zone)), zone)
    except (ValueError, OverflowError, OSError):
        raise InvalidValue("--month", text, "a month such as 2026-10") from None
