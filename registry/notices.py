"""Who is told of what happens here, as TOML states it: addresses, events, the variables that hold their secrets."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

from registry.errors import InvalidValue, Refused

KEY: Final = "notify"
WATCH: Final = "watch"
Event = Literal[
    "run.finished", "drift.detected", "model.retiring", "job.dead", "job.stuck", "failures.spike", "spend.spike",
    "slo.breached",
]  # fmt: skip
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
_MEMBERS: Final = ("url", "url_env", "events", "kind", "secret_env", "inside")
_EXAMPLE: Final = '[[notify]] with url = "https://…", events = ["drift.detected"] and secret_env = "HOOK_SECRET"'


class NoAddress(Refused):
    """The variable that should hold a receiver's address does not."""

    def __init__(self, variable: str, *, is_set: bool) -> None:
        """Name the variable; what it holds may be a secret."""
        wrong = "holds no https:// address" if is_set else "is not set"
        super().__init__(f"{variable} {wrong}: notices are sent to the address in it")


@dataclass(frozen=True, slots=True)
class Receiver:
    """One who is told.

    ``url_env`` names the variable that holds the address, where the address itself is a secret (Slack's are).
    ``inside`` permits an address of this machine or of a private network.
    """

    kind: Literal["webhook", "slack"]
    events: tuple[Event, ...]
    url: str | None = None
    url_env: str | None = None
    secret_env: str | None = None
    inside: bool = False

    @property
    def mark(self) -> str:
        """Names it where neither address nor secret may stand."""
        return hashlib.sha256(f"{self.kind} {self.url} {self.url_env}".encode()).hexdigest()[:16]

    def address(self, environment: Mapping[str, str] = os.environ) -> str:
        """Where it listens.

        Raises:
            NoAddress: the variable is not set, or holds no http address.
        """
        if self.url is not None:
            return self.url
        found = environment.get(self.url_env or "", "")
        if not _is_address(found):
            raise NoAddress(str(self.url_env), is_set=bool(found))
        return found


@dataclass(frozen=True, slots=True)
class Watch:
    """How spikes are told from the ordinary: minutes of a window, and how many times the ordinary is a spike."""

    window_minutes: int = 60
    factor: float = 3.0


def read_watch(path: Path, content: Mapping[str, Any]) -> Watch:
    """The table ``watch`` of a settings file.

    Raises:
        InvalidValue: an unknown key or a value it cannot have.
    """
    table = content.get(WATCH, {})
    if not isinstance(table, dict) or table.keys() - {"window_minutes", "factor"}:
        raise InvalidValue(f"{path}, {WATCH}", table, "a table with window_minutes, factor or both")
    minutes, factor = table.get("window_minutes", 60), table.get("factor", 3.0)
    if type(minutes) is not int or not 5 <= minutes <= 1440:
        raise InvalidValue(f"{path}, {WATCH}.window_minutes", minutes, "a whole number from 5 to 1440")
    if type(factor) not in (int, float) or not 1 < factor <= 1000:
        raise InvalidValue(f"{path}, {WATCH}.factor", factor, "a number above 1, at most 1000")
    return Watch(minutes, float(factor))


def read_notify(path: Path, content: Mapping[str, Any]) -> tuple[Receiver, ...]:
    """The tables ``[[notify]]`` of a settings file.

    Raises:
        InvalidValue: an unknown key or a value it cannot have; it names file, table and key.
    """
    tables = content.get(KEY, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidValue(f"{path}, {KEY}", tables, f"a list of tables, such as {_EXAMPLE}")
    return tuple(_receiver(f"{path}, {KEY} {number}", table) for number, table in enumerate(tables, 1))


def _receiver(where: str, table: Mapping[str, Any]) -> Receiver:
    if strange := sorted(table.keys() - set(_MEMBERS)):
        raise InvalidValue(where, strange[0], f"one of {', '.join(_MEMBERS)}")
    kind, events = table.get("kind", "webhook"), table.get("events", list(EVENTS))
    if kind not in ("webhook", "slack"):
        raise InvalidValue(f"{where}.kind", kind, "webhook or slack")
    if not isinstance(events, list) or not events or set(map(str, events)) - set(EVENTS):
        raise InvalidValue(f"{where}.events", events, f"a list of {', '.join(EVENTS)}")
    for name in ("url", "url_env", "secret_env"):
        if not isinstance(table.get(name, ""), str) or table.get(name) == "":
            raise InvalidValue(f"{where}.{name}", table.get(name), "text")
    if ("url" in table) == ("url_env" in table):
        raise InvalidValue(where, dict(table), f"either url or url_env: {_EXAMPLE}")
    if "url" in table and not _is_address(table["url"]):
        raise InvalidValue(f"{where}.url", table["url"], "an https:// or http:// address without user and password")
    if kind == "webhook" and "secret_env" not in table:
        raise InvalidValue(where, "without secret_env", f"signed, so that others cannot speak for us: {_EXAMPLE}")
    if not isinstance(table.get("inside", False), bool):
        raise InvalidValue(f"{where}.inside", table["inside"], "true or false")
    return Receiver(kind, tuple(events), table.get("url"), table.get("url_env"), table.get("secret_env"),
                    table.get("inside", False))  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
