"""Empties objects and arrays that a description redacts, in JSON that passes: canonical or not, however it is cut."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_SIGN: Final = re.compile(rb'["{}\[\]]')
_QUOTE, _BACKSLASH, _OPENING = b'"'[0], b"\\"[0], b"{["
_NAME: Final = 256  # bytes of a text that are kept, in case it is a name
_FORM: Final = b"--"  # a multipart body begins with it: its files are no JSON, and stay as they are


def emptied(pieces: Iterable[bytes], fields: Sequence[bytes]) -> Iterator[bytes]:
    """The same bytes with ``{}`` or ``[]`` as the value of each named member that holds an object or an array.

    One that never ends takes everything behind it along: rather that than to keep what is in it.

    Args:
        pieces: any cut of one or more JSON texts, with whatever liberties their writer took.
        fields: paths of members from the outermost object on: ``metadata``, ``config.items[].hook``.
    """
    document = _Document({(last_name(field), field.count(b".") + field.count(b"[") + 1) for field in fields})
    begun = False
    for piece in pieces:
        if not begun and piece.startswith(_FORM):
            yield piece
            yield from pieces
            return
        begun = begun or bool(piece)
        yield document.kept(piece)


def last_name(field: bytes) -> bytes:
    """The name at the end of a path."""
    return field.rpartition(b".")[2].partition(b"[")[0]


def _spelled_out(name: bytes) -> bytes:
    """A name without its escapes: a letter may be written as its number."""
    if b"\\" not in name:
        return name
    try:
        return str(json.loads(b'"%s"' % name)).encode()
    except ValueError:  # half a surrogate pair, too
        return b""


class _Document:
    """What of JSON has passed: how deep it is, whether inside a text, and whether behind a name that is looked for."""

    def __init__(self, wanted: set[tuple[bytes, int]]) -> None:
        """``wanted`` are names, each with the depth of its object; the outermost is 1."""
        self._wanted, self._depths = wanted, {depth for _, depth in wanted}
        self._depth = 0
        self._left: int | None = None  # the depth around a value that is left out just now
        self._name = b""
        self._between: bytes | None = None  # what stood behind such a name so far
        self._quoted = self._escaped = False

    def kept(self, data: bytes) -> bytes:
        """What of the next bytes is kept."""
        kept: list[bytes] = []
        at = begin = 0
        if self._escaped and data:
            self._escaped, at = False, 1
            self._name += data[:1]
        while at < len(data):
            if self._quoted:
                at = self._through_text(data, at)
                continue
            found = _SIGN.search(data, at)
            if self._between is not None:
                self._between += data[at : found.start() if found else len(data)][:_NAME]
            if found is None:
                break
            at = found.end()
            sign = data[at - 1]
            if sign == _QUOTE:
                self._quoted, self._name = True, b""
            elif sign in _OPENING:
                if self._between is not None and self._between.strip() == b":":
                    kept.append(data[begin:at])
                    self._left = self._depth
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == self._left:
                    self._left, begin = None, at - 1
            self._between = None
        return b"".join([*kept, data[begin:]] if self._left is None else kept)

    def _through_text(self, data: bytes, at: int) -> int:
        """Where the text that goes on at ``at`` ends, or the bytes do."""
        begin = at
        while True:
            quote = data.find(b'"', at)
            end = quote if quote >= 0 else len(data)
            before = end
            while before > at and data[before - 1] == _BACKSLASH:
                before -= 1
            escaped = (end - before) % 2 == 1
            if quote < 0 or not escaped:
                break
            at = quote + 1
        if self._left is None and self._depth in self._depths and len(self._name) < _NAME:
            self._name += data[begin : min(end, begin + _NAME)]
            if quote >= 0 and (_spelled_out(self._name), self._depth) in self._wanted:
                self._between = b""
        self._quoted, self._escaped = quote < 0, quote < 0 and escaped
        return end + 1
