"""Reads what people write behind options: pairs, amounts, settings, parents."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from registry.canonical import JSON
from registry.drafting import MEDIA_OF
from registry.errors import InvalidValue, Repeated
from registry.manifest import Cost, License, Parent, Relation
from registry.schema import FORMS
from registry.verbatim import number

if TYPE_CHECKING:
    from registry.log.checkpoint import Checkpoint, VerifierKey

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch
_AMOUNT = re.compile(r"((?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,12})?) ?([A-Za-z][A-Za-z0-9._-]{1,31})?").fullmatch
Value = TypeVar("Value")
_WORDS = {"true": True, "false": False, "null": None}


def split_pair(option: str, text: str) -> tuple[str, str]:
    """``name=value`` as two texts.

    Raises:
        InvalidValue: one of them is missing.
    """
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise InvalidValue(option, text, "name=value")
    return name, value


def unique(option: str, pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """Pairs as a dict.

    Raises:
        Repeated: a name stands twice; which of the two was meant, nobody can tell.
    """
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise Repeated(option, name)
        found[name] = value
    return found


def check_form(option: str, text: str | None, pattern: str, *examples: str) -> None:
    """Let a value pass that the manifest's schema will take.

    Raises:
        InvalidValue: it will not; the message says the allowed form in words.
    """
    if text is None or re.fullmatch(pattern, text):
        return
    lower = text.lower().replace(" ", "-")
    instead = f" (write {lower})" if re.fullmatch(pattern, lower) else ""
    known = f", such as {', '.join(examples)}" if examples else ""
    raise InvalidValue(option, text, f"{FORMS[pattern].partition(', such as')[0]}{known}{instead}")


def check_names(provider: str, operation: str | None, exchange_id: str | None = None) -> None:
    """Let the names of a call pass.

    Raises:
        InvalidValue: one has another form than records have.
    """
    name, verb, exchange = list(FORMS)[:3]
    check_form("--provider", provider, name, "openai")
    check_form("--operation", operation, verb, *MEDIA_OF)
    check_form("--exchange-id", exchange_id, exchange)


def parse_setting(text: str) -> tuple[str, JSON]:
    """``name=value`` where the value is a JSON number, true, false, null, or else text.

    Numbers keep their exact digits: ``1.0`` stays ``1.0``.
    """
    name, value = split_pair("setting", text)
    if value in _WORDS:
        return name, _WORDS[value]
    return name, number(value) if _NUMBER(value) else value


def parse_cost(text: str | None) -> Cost:
    """``0.04`` (USD) or ``0.04EUR``; None is an unknown cost."""
    if text is None:
        return Cost()
    amount, currency = parse_amount("cost", text)
    return Cost(amount=amount, currency=currency, kind="reported")


def parse_license(text: str | None) -> License:
    """``ID``, ``ID=allowed`` or ``ID=denied`` (for commercial use); None is an unknown licence.

    Raises:
        InvalidValue: another use, or no id.
    """
    if text is None:
        return License()
    name, equals, use = text.partition("=")
    if not name or (equals and use not in ("allowed", "denied", "unknown")):
        raise InvalidValue("--license", text, "an id, alone or with =allowed or =denied for commercial use")
    return License(id=name, commercial_use=use or "unknown", source="declared")  # type: ignore[arg-type]  # checked


def parse_day(option: str, text: str) -> date:
    """A day of the calendar.

    Raises:
        InvalidValue: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(option, text, "a day such as 2026-11-01") from None


def parse_span(option: str, text: str) -> timedelta:
    """A span of days or weeks: ``90d``, ``12w``.

    Raises:
        InvalidValue: anything else.
    """
    found = re.fullmatch(r"([0-9]{1,5})([dw])", text)
    if not found:
        raise InvalidValue(option, text, "a span such as 90d or 12w")
    return timedelta(days=int(found[1]) * (7 if found[2] == "w" else 1))


def parse_amount(option: str, text: str) -> tuple[str, str]:
    """An amount and its currency, USD where none is named.

    Raises:
        InvalidValue: no decimal amount.
    """
    found = _AMOUNT(text)
    if not found or re.fullmatch("[eE][0-9]+", found[2] or ""):  # 1e3 is no amount in a currency called e3
        raise InvalidValue(option, text, "an amount such as 0.04 or 0.04EUR")
    return found[1], (found[2] or "USD").upper() if len(found[2] or "USD") == 3 else found[2]


def parse_trust_file(file: Path) -> "list[VerifierKey]":
    """The keys of a trust file.

    Raises:
        InvalidValue: it is something else.
        BundleUnreadable: it is not there or may not be read.
    """
    from registry.keys import parse_trust

    return _parse_note("--trust", file, lambda note: parse_trust(note.decode()), "`mintmark key export` prints")


def parse_kept_checkpoint(file: Path) -> "Checkpoint":
    """A checkpoint in a file.

    Raises:
        InvalidValue: it is something else.
        BundleUnreadable: it is not there or may not be read.
    """
    from registry.log.checkpoint import Checkpoint

    return _parse_note("--checkpoint", file, Checkpoint.parse, "`mintmark log checkpoint` prints")


def _parse_note(option: str, file: Path, parse: Callable[[bytes], Value], printed_by: str) -> Value:
    """A file that somebody brings to verify by: one that is no such thing says nothing about what is verified."""
    from registry.log.errors import NoteRefused
    from registry.verify.container import read_file

    try:
        return parse(read_file(file))
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except NoteRefused as problem:
        why = f"{problem.what}: {problem.why}"
    raise InvalidValue(option, str(file), f"what {printed_by} ({why}); ask the log's owner for it")


def parse_parent(text: str, resolve: Callable[[str], str]) -> Parent:
    """``edit=ID`` as a parent; a full id may name a generation that another registry holds.

    Raises:
        InvalidValue: an unknown relation, or no id.
        NotFound, AmbiguousPrefix: a prefix that names none or several.
    """
    relation, name = split_pair("parent", text)
    if relation not in get_args(Relation):
        raise InvalidValue("parent", relation, f"one of {', '.join(get_args(Relation))}")
    full = name if re.fullmatch(r"sha256:[0-9a-f]{64}", name) else resolve(name)
    return Parent(id=full, relation=relation)  # type: ignore[arg-type]  # checked above
