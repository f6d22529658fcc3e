"""Vendor JSON inside canonical JSON, so that sending it again gives the same request.

Canonical form would change some numbers (``1.0``, ``-0``, 64-bit integers):
those become ``{"$num": "<token>"}``. Byte payloads in base64 become
``{"$asset": …}``. A vendor's own key that starts with ``$`` gains one more.
What is no such JSON at all is ``{"$raw": "<base64>"}``, sealed whole.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from registry.canonical import EXACT_INTEGER, JSON, canonical, parse
from registry.errors import InvalidValue, NotCanonical

LONGEST_NUMBER = 32  # characters; canonical form never needs more than 25
LIFT_FROM = 1024  # characters; shorter strings are not worth an asset of their own
LONGEST_RAW = 1 << 20  # bytes that are kept as ``$raw``, in the vault; longer ones are an asset under a sealed digest

_DATA_URL = re.compile(r"data:[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9=._-]+)*;base64,")
_STANDARD = re.compile(r"[A-Za-z0-9+/]+={0,2}").fullmatch
_URLSAFE = re.compile(r"[A-Za-z0-9_-]+={0,2}").fullmatch

Lift = Callable[[bytes], JSON]
"""Stores a payload; answers the digest member of its ``$asset``."""
Fetch = Callable[[JSON], bytes]
"""Brings the payload of a digest member back."""


def number(token: str) -> JSON:
    """A JSON number from its source token: a number where canonical form keeps the token, else ``$num``."""
    if len(token) > LONGEST_NUMBER:
        return {"$num": token}
    value = float(token) if any(sign in token for sign in ".eE") else int(token)
    if isinstance(value, int):
        keeps = -EXACT_INTEGER <= value <= EXACT_INTEGER and str(value) == token
    else:
        try:
            keeps = canonical(value).decode() == token
        except NotCanonical:  # 1e400 is infinity to a double, yet a fine token
            keeps = False
    return value if keeps else {"$num": token}


def read_body(data: bytes, lift: Lift | None = None) -> JSON:
    """A vendor's JSON body as canonical-safe JSON.

    Args:
        data: the body's bytes.
        lift: stores base64 payloads of 1,024 characters and more, unless they
            are words; None leaves them where they are.

    Raises:
        NotCanonical: no JSON, a repeated key or half a surrogate pair; keep
            such a body as ``raw`` instead.
    """
    parse_tokens(data)
    tokens = json.JSONDecoder(parse_float=_Token, parse_int=_Token).decode(data.decode())
    return _store(tokens, lift)


def write_body(value: JSON, fetch: Fetch | None = None) -> bytes:
    """What to send: ``read_body`` undone, compact, members in the stored order, tokens as they were; or ``raw`` undone.

    Raises:
        InvalidValue: ``$raw`` holds no base64.
    """
    return raw_bytes(value) if is_raw(value) else _text(value, fetch).encode()


def raw(data: bytes) -> JSON:
    """Bytes that are kept as they are, whatever they hold."""
    return {"$raw": base64.b64encode(data).decode()}


def is_raw(value: JSON) -> bool:
    """Whether a value is what ``raw`` made, and open."""
    return isinstance(value, dict) and set(value) == {"$raw"} and isinstance(value["$raw"], str)


def raw_bytes(value: JSON) -> bytes:
    """``raw`` undone.

    Raises:
        InvalidValue: it holds no base64.
    """
    try:
        return base64.b64decode(value["$raw"], validate=True)
    except ValueError:
        raise InvalidValue("$raw", "what it holds", "base64, with its padding") from None


def guessed(data: bytes) -> JSON:
    """The members that a lenient reader finds in bytes that are no canonical JSON; None where it finds none.

    The last of a repeated key counts, half a surrogate pair becomes U+FFFD, NaN and infinity are left out. A form's
    ``name=value&…`` gives its members. Good for reading a slot, never for sending.
    """
    text = data.decode("utf-8", "replace")
    try:
        value = _mended(json.loads(text, strict=False))
    except (ValueError, RecursionError):
        value = dict(parse_qsl(text)) if text[:1] not in ("{", "[", '"') else None
    return value if isinstance(value, dict) else None


def plain(value: JSON) -> JSON:
    """``read_body`` undone as Python values, for engines that take values rather than bytes."""
    if isinstance(value, dict):
        if set(value) == {"$num"}:
            token = value["$num"]
            return float(token) if any(sign in token for sign in ".eE") else int(token)
        return {key[1:] if key.startswith("$") else key: plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def stored(value: JSON) -> JSON:
    """Python values as ``read_body`` would store their JSON text."""
    return read_body(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


def is_words(data: bytes) -> bool:
    """Whether bytes read as text: UTF-8 without a NUL."""
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _mended(value: JSON) -> JSON:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(member) for member in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(member) for key, member in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse_tokens(data: bytes) -> None:
    """Refuse what cannot be kept verbatim; numbers of any size pass, because their tokens are kept."""
    try:
        parse(data)
    except NotCanonical as problem:
        if "beyond what a number can hold" not in problem.why and "digits" not in problem.why:
            raise


class _Token(str):
    """The source text of a number."""

    __slots__ = ()


def _store(value: JSON, lift: Lift | None) -> JSON:
    if isinstance(value, _Token):
        return number(str(value))
    if isinstance(value, dict):
        return {f"${key}" if key.startswith("$") else key: _store(v, lift) for key, v in value.items()}
    if isinstance(value, list):
        return [_store(v, lift) for v in value]
    if isinstance(value, str) and lift is not None and len(value) >= LIFT_FROM:
        return _lifted(value, lift)
    return value


def _lifted(text: str, lift: Lift) -> JSON:
    found = _payload(text)
    if found is None or (len(found[0]) <= LONGEST_RAW and is_words(found[0])):  # words stay, to be sealed
        return text
    data, encoding = found
    return {"$asset": {"digest": lift(data), "bytes": len(data), "encoding": encoding}}


def words_in(text: str) -> str | None:
    """The words that a text holds in base64; None where it holds none."""
    found = _payload(text)
    return found[0].decode() if found and is_words(found[0]) else None


def _payload(text: str) -> tuple[bytes, JSON] | None:
    """What base64, or a base64 data URL, stands for, and how it is written; None where it is none."""
    found = _DATA_URL.match(text)
    prefix = found.group() if found else ""
    coded = text[len(prefix) :]
    for alphabet in ("standard", "urlsafe"):
        for padding in (True, False):
            data = _decoded(coded, alphabet, padding)
            if data is not None:
                return data, {"prefix": prefix, "alphabet": alphabet, "padding": padding}
    return None


def _decoded(coded: str, alphabet: str, padding: bool) -> bytes | None:
    if not (_STANDARD if alphabet == "standard" else _URLSAFE)(coded):
        return None
    padded = coded if padding else coded + "=" * (-len(coded) % 4)
    try:
        data = base64.b64decode(padded, altchars=None if alphabet == "standard" else b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Only what comes back character for character may leave the text.
    return data if _coded(data, alphabet, padding) == coded else None


def _coded(data: bytes, alphabet: str, padding: bool) -> str:
    text = (base64.b64encode if alphabet == "standard" else base64.urlsafe_b64encode)(data).decode()
    return text if padding else text.rstrip("=")


def _text(value: JSON, fetch: Fetch | None) -> str:
    if isinstance(value, dict):
        if set(value) == {"$num"}:
            return str(value["$num"])
        if set(value) == {"$asset"} and fetch is not None:
            lifted = value["$asset"]
            how = lifted["encoding"]
            coded = _coded(fetch(lifted["digest"]), how["alphabet"], how["padding"])
            return json.dumps(how["prefix"] + coded)
        members = (f"{_quoted(k[1:] if k.startswith('$') else k)}:{_text(v, fetch)}" for k, v in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(v, fetch) for v in value) + "]"
    return _quoted(value) if isinstance(value, str) else canonical(value).decode()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
