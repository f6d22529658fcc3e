"""Settings: the environment (``MINTMARK_*``), then ``mintmark.toml`` in the home, then defaults."""

import getpass
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drift.errors import MediaTooLarge
from drift.media.limits import Limits
from registry.errors import HomeNotAFolder, InvalidValue, NoRegistry
from registry.notices import KEY as NOTIFY
from registry.notices import WATCH, Receiver, Watch, read_notify, read_watch
from registry.objectives import TABLES, Holding, read_holding
from registry.sending import KEYS, SendingRules, read_sending

HOME = ".mintmark"
FILE = "mintmark.toml"
_KNOWN = {
    "database": str,
    "vault": str,
    "jobs": str,
    "host": str,
    "actor": str,
    "max_bytes": int,
    "max_pixels": int,
    "max_seconds": int,
    "require_pin": bool,
}
_TABLES = (*TABLES, *KEYS, NOTIFY, WATCH)
_WORDS = {str: "text", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the registry lies and what it accepts.

    ``database``, ``vault`` and ``jobs`` are URLs; None means SQLite in the home.
    ``max_bytes``, ``max_pixels`` and ``max_seconds`` bound one media file.
    ``require_pin`` refuses to generate with a name that is no exact version.
    ``holding`` is what providers are held to, ``sending`` what may be sent to them, ``notify`` who is told of what
    happens, ``watch`` what counts as out of the ordinary; these stand in the file only.
    """

    home: Path
    database: str | None = None
    vault: str | None = None
    jobs: str | None = None
    host: str | None = None
    actor: str = "local"
    passphrase: str | None = None
    max_bytes: int = 20 << 30
    max_pixels: int = 100_000_000
    max_seconds: int = 4 * 3600
    require_pin: bool = False
    holding: Holding = field(default_factory=Holding)
    sending: SendingRules = field(default_factory=SendingRules)
    notify: tuple[Receiver, ...] = ()
    watch: Watch = field(default_factory=Watch)

    @property
    def limits(self) -> Limits:
        """The bounds on one media file, as the decoders take them."""
        return Limits(pixels=self.max_pixels, duration_ms=self.max_seconds * 1000, file_bytes=self.max_bytes)


_SETTING_OF = {"pixels": "max_pixels", "ms": "max_seconds", "bytes": "max_bytes"}
_LIMIT = re.compile(r"limit of [\d,]+ (pixels|ms|frames)")


def naming_setting(problem: MediaTooLarge) -> MediaTooLarge:
    """The same refusal, naming the setting that raises its limit; unchanged where there is none (frames)."""
    found = _LIMIT.search(problem.why)
    setting = _SETTING_OF.get(found[1] if found else "bytes")
    if setting is None:
        return problem
    how = f"raise {setting} in {FILE} or MINTMARK_{setting.upper()}"
    return MediaTooLarge(problem.where, problem.why, problem.remedy.replace("raise the limit", how))


def find_home(start: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """``MINTMARK_HOME``, else the nearest ``.mintmark`` from ``start`` upward, as git does; None if there is none.

    Raises:
        HomeNotAFolder: ``MINTMARK_HOME`` names a file.
    """
    if named := environment.get("MINTMARK_HOME"):
        home = Path(named).expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise HomeNotAFolder(home)
        return home
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / HOME).is_dir():
            return folder / HOME
    return None


def load_settings(home: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of the registry in ``home``.

    Raises:
        InvalidValue: a key nobody knows, or a value of the wrong type; it names the file.
    """
    values = _from_file(home / FILE)
    for name, kind in _KNOWN.items():
        text = environment.get(f"MINTMARK_{name.upper()}")
        if text is not None:
            values[name] = _typed(f"MINTMARK_{name.upper()}", text, kind)
    values.setdefault("actor", _user())
    passphrase = environment.get("MINTMARK_KEY_PASSPHRASE")
    return Settings(home=home, passphrase=passphrase, **values)  # type: ignore[arg-type]  # _KNOWN holds the types


def require_home(start: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The home of an existing registry.

    Raises:
        NoRegistry: there is none.
    """
    home = find_home(start, environment)
    if home is None or not home.is_dir():
        raise NoRegistry(start.absolute() if home is None else home, named=home is not None)
    return home


def _from_file(path: Path) -> dict[str, object]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidValue(str(path), str(problem), "TOML in UTF-8") from None
    plain: dict[str, object] = {name: value for name, value in content.items() if name not in _TABLES}
    for name, value in plain.items():
        if name not in _KNOWN:
            raise InvalidValue(str(path), name, f"a setting; known are {', '.join((*_KNOWN, *_TABLES))}")
        if type(value) is not _KNOWN[name]:
            raise InvalidValue(f"{path}, {name}", value, _WORDS[_KNOWN[name]])
    return plain | {
        "holding": read_holding(path, content),
        "sending": read_sending(path, content),
        "notify": read_notify(path, content),
        "watch": read_watch(path, content),
    }


def _typed(name: str, text: str, kind: type) -> object:
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise InvalidValue(name, text, _WORDS[bool])
        return text.lower() in ("true", "1")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidValue(name, text, "a whole number")
    return int(text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user on the machine
        return "local"
