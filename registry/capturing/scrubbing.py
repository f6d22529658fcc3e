"""Takes keys, callbacks and signatures out of bytes, queries and headers before anything is written down."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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
    query = urlsplit(url).query if "?" in url else ""
    found = {value for name, value in parse_qsl(query) if name.lower() in KEY_FIELDS}
    for name, value in headers:
        if _carries(name):
            words = [word.strip(",;") for word in value.split()]
            # The first word of several is the scheme, which is no key: neither is "Bearer x" where the key is "x".
            found |= set(words if len(words) == 1 or name == "cookie" else words[1:])
    return [form.encode(code, "replace") for form in hunted(found) for code in ("utf-8", "utf-16-le", "utf-16-be")]


@dataclass(frozen=True, slots=True)
class Rules:
    """What of an exchange is kept and what goes, by one description or by all that it may belong to.

    ``asked`` and ``answered`` are names of headers that are kept; ``query`` are names of fields that go, all in lower
    case. ``request`` and ``response`` are the paths of members that are redacted.
    """

    asked: frozenset[str]
    answered: frozenset[str]
    query: frozenset[str]
    request: tuple[bytes, ...]
    response: tuple[bytes, ...]


@cache
def rules_of(*descriptions: Description) -> Rules:
    """The rules of descriptions, worked out once."""
    protocols = [one.protocol for one in descriptions if one.protocol]
    told = [fact.text for one in protocols for fact in one.facts.values()]
    told += [rule.when.text for one in protocols for rule in one.rules]
    named = {name.lower() for name in _NAMED.findall(" ".join(told))}

    def below(where: str) -> list[str]:
        paths = {path for one in descriptions for path in one.redact}
        return sorted(path.removeprefix(where) for path in paths if path.startswith(where))

    return Rules(
        HEADERS,
        _ANSWER_HEADERS | named,
        KEY_FIELDS | {name.lower() for name in below("query.")},
        tuple(path.encode() for path in below("body.")),
        tuple(path.encode() for path in below("response.")),
    )


@lru_cache(1024)
def _carries(name: str) -> bool:
    """Whether a header of that name holds a key."""
    return _CARRIERS.search(name) is not None


def scrubbed_url(url: str, rules: Rules, secrets: Sequence[bytes]) -> str:
    """``url`` without the query fields that carry keys or that are redacted."""
    if "?" in url:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        kept = [pair for pair in pairs if pair[0].lower() not in rules.query]
        query = parts.query if kept == pairs else urlencode(kept)
        url = urlunsplit(parts._replace(query=query))
    return _text(url, secrets)


def scrubbed_headers(headers: Headers, allowed: Collection[str], secrets: Sequence[bytes]) -> Headers:
    """Those headers that are kept."""
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


def scrubbed_whole(data: bytes, secrets: Sequence[bytes], fields: Sequence[bytes]) -> bytes:
    """As ``scrubbed``, of content that is in memory: mostly nothing of it goes, which takes no time to see."""
    # The letters of a member's name are written as themselves, or escaped.
    if b"\\" in data or any(word in data for word in (*secrets, *map(last_name, fields))):
        return b"".join(scrubbed([data], secrets, fields))
    return data


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
    data = text.encode("utf-8", "surrogatepass")
    found = [secret for secret in secrets if secret in data]
    return without(text, [secret.decode("utf-8", "replace") for secret in found]) if found else text
