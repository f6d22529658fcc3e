"""Description files: read, checked against schema and themselves, and every mistake shown by file, line and key."""

import datetime
import hashlib
import math
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from registry.capture.description_form import MISSING, mistakes_of_form
from registry.capture.description_sense import mistakes_of_sense
from registry.capture.errors import BadDescription
from registry.capture.toml_lines import key_at, key_open_at, line_of

_TOML_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_VALUE: Final = "TOML: a value, which is text in quotes, a number, true, false, a list [...] or a table {...}"
_TOML_WORDS: Final = (
    ("Invalid value", _VALUE),
    ("Illegal character '\\n'", "TOML: a closing quote"),
    ("Unclosed array", "TOML: a comma, or the list's closing ]"),
    ("Unclosed inline table", "TOML: a comma, or the table's closing }"),
    ("Invalid statement", "TOML: key = value, or a [table]"),
    ("Expected newline or end of document", 'TOML: nothing more in this line; quotes in text are written \\"'),
    *((told, "TOML: each key and table once") for told in ("overwrite", "twice", "mutate", "already", "Duplicate")),
)
_NAME: Final = re.compile("[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class DescriptionFile:
    """A checked file: its digest in hex, and its content as JSON values, with what it takes from another one.

    The digest is the SHA-256 of its bytes; of one that is ``like`` another, of its bytes and the 32 of that one's.
    """

    path: Path
    sha256: str
    content: dict[str, Any]


def read_description_file(path: Path) -> DescriptionFile:
    """Read and check the TOML file at ``path``.

    Raises:
        BadDescription: unreadable, no TOML, against ``schemas/provider/v1``, or at odds with itself; the first
            mistake in the order of the file is shown.
    """
    written = _written(path)
    other = _other(path, written)
    content, digest = written.content, hashlib.sha256(written.raw)
    if other is not None:
        left_out = {key for key, value in content.items() if value == {}}
        content = {key: value for key, value in other.content.items() if key not in ("id", "like", *left_out)} | content
        content = {key: value for key, value in content.items() if key not in left_out}
        digest.update(bytes.fromhex(other.sha256))
    mistakes = [*mistakes_of_form(content)] or [*mistakes_of_sense(path, content)]
    if mistakes:
        # A missing key comes last: most often it is there, misspelt, and the unknown key says so better.
        _, line, key, expected = min((why.endswith(MISSING), _line(written, key), key, why) for key, why in mistakes)
        if _taken(written, key):
            expected += f" (taken from {content['like']})"
        raise BadDescription(path, line, ".".join(key), expected)
    return DescriptionFile(path, digest.hexdigest(), content)


@dataclass(frozen=True, slots=True)
class _Written:
    """What one file says itself."""

    raw: bytes
    text: str
    content: dict[str, Any]


def _written(path: Path) -> _Written:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        expected = f"expected a TOML file; it cannot be read: {error.strerror}"
        raise BadDescription(path, 1, "", expected, readable=False) from error
    except UnicodeDecodeError as error:
        raise BadDescription(path, raw.count(b"\n", 0, error.start) + 1, "", "expected UTF-8 text") from error
    if text.startswith("\ufeff"):
        raise BadDescription(path, 1, "", "expected UTF-8 text without a byte order mark at its beginning")
    try:
        return _Written(raw, text, _as_json(path, text, tomllib.loads(text), []))
    except tomllib.TOMLDecodeError as error:
        raise _no_toml(path, text, str(error)) from error
    except RecursionError as error:
        raise BadDescription(path, 1, "", "expected tables and lists that are nested less deeply") from error


def _no_toml(path: Path, text: str, said: str) -> BadDescription:
    """What tomllib says of a text, with the key that it stopped at, and in words what was expected."""
    place = _TOML_PLACE.search(said)
    line, column = (int(place[1]), int(place[2])) if place else (text.count("\n") + 1, 1)
    why = f"{said.partition(' (at ')[0]}, column {column}" if place else said
    expected = next((words for told, words in _TOML_WORDS if told in said), "TOML")
    open_before = "Unclosed" in said or "Invalid value" in said
    key = key_open_at(text, line, column) if open_before else key_at(text, line)
    return BadDescription(path, line, key, f"expected {expected} ({why})")


def _other(path: Path, written: _Written) -> DescriptionFile | None:
    """The description that this one is like: one beside it, or a shipped one; None where it stands by itself.

    Raises:
        BadDescription: there is none, it leans on another one itself, or is another provider's.
    """
    name = written.content.get("like")
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # the schema says what is wrong with it
        return None

    def refused(key: str, expected: str) -> BadDescription:
        return BadDescription(path, line_of(written.text, [key]), key, f"expected {expected}")

    shipped = resources.files("registry.capture") / "descriptions"
    with resources.as_file(shipped) as folder:
        found = next((file for near in (path.parent, folder) if (file := near / f"{name}.toml").is_file()), None)
        if found is None or name == path.stem:
            raise refused("like", f"the id of another description, shipped or in {path.parent}, not {name!r}")
        if (further := _written(found).content.get("like")) is not None:
            raise refused("like", f"a description that stands by itself; {name} is like {further!r}")
        other = read_description_file(found)
    if written.content.get("provider", provider := other.content["provider"]) != provider:
        raise refused("provider", f"{provider!r}, whose description {name} is")
    return other


def _line(written: _Written, key: list[str]) -> int:
    return line_of(written.text, key if not _taken(written, key) else ["like"])


def _taken(written: _Written, key: list[str]) -> bool:
    """Whether a key of the whole content stands in the other file."""
    return bool(key) and key[0] not in written.content and "like" in written.content


def _as_json(path: Path, text: str, value: Any, key: list[str]) -> Any:  # noqa: ANN401 - a tree of any TOML values
    """The same tree with dates as text; TOML values that JSON lacks are refused."""
    if isinstance(value, dict):
        return {name: _as_json(path, text, member, [*key, name]) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_json(path, text, element, [*key, str(number)]) for number, element in enumerate(value)]
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (datetime.datetime, datetime.time)):
        expected = f"expected a day, or text in quotes, not the moment {value}"
        raise BadDescription(path, line_of(text, key), ".".join(key), expected)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadDescription(path, line_of(text, key), ".".join(key), f"expected a finite number, not {value}")
    return value
