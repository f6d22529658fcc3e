"""Canonical JSON (RFC 8785) out, strict JSON in.

Writing: equal values give equal bytes, whoever writes them.
Reading: what other readers would silently change (a repeated key, NaN, a lone
surrogate, an integer beyond 2^53) is refused with the place where it stands.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

import rfc8785

from registry.errors import NotCanonical

JSON: TypeAlias = Any
"""A value that JSON can say: None, bool, int, float, str, list, dict with str keys."""

EXACT_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: numbers are IEEE 754 doubles
DEEPEST = 200  # nesting; far below the interpreter's recursion limit, far above any vendor's body


def canonical(value: JSON) -> bytes:
    """The canonical bytes of a value (RFC 8785).

    Raises:
        NotCanonical: NaN or infinity, an integer beyond 2^53 - 1, a lone
            surrogate, a key that is no string, nesting deeper than 200; the
            error names the JSON pointer.
    """
    try:
        if _plain(value, DEEPEST):
            return _fast(value).encode()
        return rfc8785.dumps(value)
    except (UnicodeEncodeError, rfc8785.CanonicalizationError, RecursionError) as problem:
        _explain(value, problem)


def parse(data: bytes) -> JSON:
    """Read strict JSON.

    Raises:
        NotCanonical: not UTF-8, not JSON, a repeated key, NaN or infinity
            (``1e400`` too), a lone surrogate; the error names the pointer.
    """
    try:
        text = data.decode("utf-8")
        value = _STRICT.decode(text)
    except UnicodeDecodeError as problem:
        raise NotCanonical("", f"byte {problem.start} is not UTF-8") from None
    except json.JSONDecodeError as problem:
        raise NotCanonical("", f"not JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}") from None
    except ValueError as problem:  # the interpreter's limit on digits of one integer
        raise NotCanonical("", f"not JSON: {problem}") from None
    except RecursionError:
        raise NotCanonical("", f"nested deeper than {DEEPEST} levels") from None
    escaped = b"\\u" in data  # the only way half a surrogate pair passes a UTF-8 decoder
    for pointer, found in walk(value):
        if isinstance(found, _Refused):
            raise NotCanonical(f"{pointer}{found.below}", found.why)
        if escaped and isinstance(found, str) and not _encodable(found):
            raise NotCanonical(pointer, "half a surrogate pair has no UTF-8 form")
    return value


def parse_canonical(data: bytes) -> JSON:
    """Read JSON that must already stand in canonical form.

    Raises:
        NotCanonical: as ``parse``, or the bytes are not the canonical ones.
    """
    value = parse(data)
    if canonical(value) != data:
        raise NotCanonical("", "the bytes are JSON, yet not its canonical form (RFC 8785)")
    return value


def walk(value: JSON, pointer: str = "") -> Iterator[tuple[str, JSON]]:
    """Every value inside ``value`` with its JSON pointer (RFC 6901), parents first.

    Raises:
        NotCanonical: nested deeper than 200 levels.
    """
    todo = [(pointer, value, 0)]
    while todo:
        where, found, depth = todo.pop()
        if depth > DEEPEST:
            raise NotCanonical(where[:80], f"nested deeper than {DEEPEST} levels")
        yield where, found
        if isinstance(found, dict):
            todo += [(f"{where}/{escape(key)}", found[key], depth + 1) for key in reversed(list(found))]
        elif isinstance(found, list):
            todo += [(f"{where}/{n}", found[n], depth + 1) for n in range(len(found) - 1, -1, -1)]


def escape(key: object) -> str:
    """One token of a JSON pointer (RFC 6901 section 3)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The key that a token of a JSON pointer stands for."""
    return token.replace("~1", "/").replace("~0", "~")


def misfit(problem: Exception) -> tuple[str, str]:
    """Where a value does not fit, as a JSON pointer, and why: of msgspec's one sentence that says both."""
    why, _, where = str(problem).partition(" - at `$")
    return where.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/"), why


class _Refused:
    """Marks a value that strict JSON does not allow, until its pointer is known."""

    def __init__(self, why: str, below: str = "") -> None:
        self.why, self.below = why, below


def _members(pairs: list[tuple[str, JSON]]) -> JSON:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                return _Refused(f"the key {key!r} stands twice", f"/{escape(key)}")
            seen.add(key)
    for key in members:
        if not _encodable(key):
            return _Refused("a key holds half a surrogate pair")
    return members


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _float(token: str) -> JSON:
    value = float(token)
    return value if math.isfinite(value) else _Refused(f"{token} is beyond what a number can hold")


def _integer(token: str) -> JSON:
    """An integer; beyond 2^53 a float if ``token`` is how canonical form writes that float (1e20)."""
    value = int(token)
    if -EXACT_INTEGER <= value <= EXACT_INTEGER or len(token) > 25:
        return value
    return float(value) if rfc8785.dumps(float(value)).decode() == token else value


_STRICT = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_constant=lambda name: _Refused(f"{name} is not JSON"),
    parse_float=_float,
    parse_int=_integer,
)


def _plain(value: JSON, room: int) -> bool:
    """Whether the standard library's encoder writes ``value`` exactly as RFC 8785 asks.

    It does unless there are floats (another text form), keys beyond ASCII
    (another order) or integers that a double cannot hold.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-EXACT_INTEGER <= value <= EXACT_INTEGER)
    if room == 0:
        raise RecursionError
    if kind is dict:
        for key, member in value.items():
            if type(key) is not str or not key.isascii():
                return False
            if type(member) is not str and member is not None and not _plain(member, room - 1):
                return False  # most members are texts: asked here, they cost no call
        return True
    if kind is list:
        return all(_plain(member, room - 1) for member in value)
    return False


_fast = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


def _explain(value: JSON, problem: Exception) -> NoReturn:
    for pointer, found in walk(value):
        if isinstance(found, float) and not math.isfinite(found):
            raise NotCanonical(pointer, "NaN and infinity have no JSON form") from None
        if isinstance(found, int) and not -EXACT_INTEGER <= found <= EXACT_INTEGER:
            raise NotCanonical(pointer, f"{found} does not fit a JSON number exactly; write it as a string") from None
        if isinstance(found, str) and not _encodable(found):
            raise NotCanonical(pointer, "half a surrogate pair has no UTF-8 form") from None
        if isinstance(found, dict):
            for key in found:
                if not isinstance(key, str) or not _encodable(key):
                    raise NotCanonical(pointer, f"the key {key!r} has no JSON form") from None
        elif not isinstance(found, str | int | float | list | None):
            raise NotCanonical(pointer, f"{type(found).__name__} has no JSON form") from None
    raise NotCanonical("", f"no canonical form: {problem}") from None
