"""Takes keys, callbacks and signatures out of bytes, queries and headers before anything is written down."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from registry.canonical import JSON
from registry.capture.description import Description
from registry.capture.draft import HEADERS
from registry.capture.redaction import KEY_FIELDS, SCRUBBED, hunted, without
from registry.capturing.context import Said
from registry.capturing.members import emptied, last_name
from registry.capturing.observing import Headers

_WINDOW: Final = 1 << 18  # a few copies of it are made on the way
_VALUE: Final = 1 << 14  # bytes of the longest value that is looked for
_JSON_VALUE: Final = re.compile(rb'\s*:\s*"((?:[^"\\]|\\.){0,%d})"' % _VALUE)
_FORM_VALUE: Final = re.compile(rb"[^\r\n]*\r\n(?:[^\r\n]+\r\n){0,8}\r\n(.{0,%d}?)\r\n--" % _VALUE, re.DOTALL)
_FIELD_VALUE: Final = re.compile(rb"([^&\r\n]{1,%d})" % _VALUE)
_OTHER_FORMS: Final = (b"{", b"[", b"--")  # how JSON and multipart bodies begin; else there may be bare fields
_CARRIERS: Final = re.compile(r"authorization|cookie|api-?key|-key$|token|secret", re.IGNORECASE)
_ANSWER_HEADERS: Final = frozenset({"content-type", "retry-after", "retry-after-ms", "x-request-id", "request-id"})
_NAMED: Final = re.compile(r'headers\."?([A-Za-z0-9-]+)"?')

Marks: TypeAlias = Sequence[tuple[bytes, re.Pattern[bytes]]]
"""What stands before a value that goes, and what the value looks like."""


def secrets_in(headers: Headers, url: str) -> list[bytes]:
    """Whatever a request carries as a key, as it is looked for: in headers that hold keys, and in query fields."""
    found = {value for name, value in parse_qsl(urlsplit(url).query) if name.lower() in KEY_FIELDS}
    for name, value in headers:
        if _CARRIERS.search(name):
            words = [word.strip(",;") for word in value.split()]
            # The first word of several is the scheme, which is no key: neither is "Bearer x" where the key is "x".
            found |= set(words if len(words) == 1 or name == "cookie" else words[1:])
    return [form.encode(code, "replace") for form in hunted(found) for code in ("utf-8", "utf-16-le", "utf-16-be")]


def scrubbed_url(description: Description, url: str, secrets: Sequence[bytes]) -> str:
    """``url`` without the query fields that carry keys or that the description redacts."""
    parts = urlsplit(url)
    dropped = KEY_FIELDS | {path.partition(".")[2].lower() for path in description.redact if path.startswith("query.")}
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if pair[0].lower() not in dropped]
    query = parts.query if kept == pairs else urlencode(kept)
    return _text(urlunsplit(parts._replace(query=query)), secrets)


def scrubbed_headers(description: Description, headers: Headers, secrets: Sequence[bytes], *, answer: bool) -> Headers:
    """Headers by allow-list: those that records keep, or those of an answer that facts are read from."""
    allowed = HEADERS
    if answer:
        told = " ".join(fact.text for fact in description.protocol.facts.values()) if description.protocol else ""
        rules = " ".join(rule.when.text for rule in description.protocol.rules) if description.protocol else ""
        allowed = _ANSWER_HEADERS | {name.lower() for name in _NAMED.findall(f"{told} {rules}")}
    return [(name, _text(value, secrets)) for name, value in headers if name in allowed]


def scrubbed_said(said: Said, secrets: Sequence[bytes]) -> dict[str, JSON]:
    """What was said beside a call, as it stands in a spooled entry."""
    return {name: _told(value, secrets) for name, value in said.to_json().items()}


def _told(value: JSON, secrets: Sequence[bytes]) -> JSON:
    if isinstance(value, str):
        return _text(value, secrets)
    if isinstance(value, list):
        return [_told(member, secrets) for member in value]
    if isinstance(value, dict):
        return {_text(name, secrets): _told(member, secrets) for name, member in value.items()}
    return value


def fields_of(description: Description, *, answer: bool) -> list[bytes]:
    """The paths of members that the description redacts in one direction."""
    where = "response." if answer else "body."
    return sorted({path.removeprefix(where).encode() for path in description.redact if path.startswith(where)})


def scrubbed(pieces: Iterable[bytes], secrets: Sequence[bytes], fields: Sequence[bytes] = ()) -> Iterator[bytes]:
    """The same bytes with every secret, and the text of every named member of JSON or form, as ``[secret]``.

    Args:
        pieces: any cut of the content.
        secrets: found wherever they stand.
        fields: paths of members. A text is found by the last name, however deep it stands, up to 16 KiB of it; an
            object or array of any length is emptied where the path leads to it.
    """
    if not secrets and not fields:
        yield from pieces
        return
    pieces = iter(pieces)
    first = _first_words(pieces)
    names = sorted({last_name(field) for field in fields})
    marks = [
        *((b'"%s"' % name, _JSON_VALUE) for name in names),
        *((b'name="%s"' % name, _FORM_VALUE) for name in names),
    ]
    if names and not first.lstrip().startswith(_OTHER_FORMS):
        # With one more in front, the first field begins as all others do.
        marks += [(b"&%s=" % name, _FIELD_VALUE) for name in names]
        yield from _behind_first(_cleaned(emptied(chain([b"&" + first], pieces), fields), secrets, marks))
        return
    whole = chain([first], pieces)
    yield from _cleaned(emptied(whole, fields) if fields else whole, secrets, marks)


def _first_words(pieces: Iterator[bytes]) -> bytes:
    """The pieces up to the first one that is not blank."""
    words = b""
    for piece in pieces:
        words += piece
        if piece.strip():
            break
    return words


def _behind_first(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield next((piece for piece in pieces if piece), b"&")[1:]
    yield from pieces


def _cleaned(pieces: Iterable[bytes], secrets: Sequence[bytes], marks: Marks) -> Iterator[bytes]:
    reach = max([2 * _VALUE if marks else 0, *map(len, secrets)])
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _WINDOW + reach:
            done, window = _settled(b"".join(waiting), size - reach, secrets, marks)
            yield done
            waiting, size = [window], len(window)
    done, _ = _settled(b"".join(waiting), size, secrets, marks)
    yield done


def _settled(window: bytes, until: int, secrets: Sequence[bytes], marks: Marks) -> tuple[bytes, bytes]:
    """What of ``window`` is final, cleaned, and the rest: matches that begin before ``until`` are whole."""
    places = sorted(_places(window, until, secrets, marks))
    if not places:
        return window[:until], window[until:]
    pieces, at = [], 0
    for start, end in places:
        if start < at:
            continue
        pieces += [window[at:start], SCRUBBED.encode()]
        at = end
    cut = max(at, until)
    return b"".join([*pieces, window[at:cut]]), window[cut:]


def _places(window: bytes, until: int, secrets: Sequence[bytes], marks: Marks) -> Iterator[tuple[int, int]]:
    for secret in secrets:
        at = window.find(secret)
        while -1 < at < until:
            yield at, at + len(secret)
            at = window.find(secret, at + len(secret))
    for mark, pattern in marks:
        at = window.find(mark)
        while -1 < at < until:
            if found := pattern.match(window, at + len(mark)):
                yield found.span(1)
            at = window.find(mark, at + len(mark))


def _text(text: str, secrets: Sequence[bytes]) -> str:
    return without(text, [secret.decode("utf-8", "replace") for secret in secrets])
