"""Lines of TOML keys: where in a file a key stands, so that a mistake can be shown by its line.

``tomllib`` keeps no positions, so the text is scanned a second time, only when there is a mistake to report.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*(?P<open>\[\[?)(?P<name>[^\[\]]+)\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_TOKEN: Final = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'|#[^\n]*|[\[\]{},]|[^\s\[\]{},"'#]+""")
_PART: Final = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line (from 1) of the key at ``path``, or of the nearest table around it that the file names."""
    places = list(_places(text))
    wanted = [str(step) for step in path]
    while wanted:
        for line, place, inline in places:
            if place in (wanted, [*wanted, "0"]):
                return line
            if place == wanted[: len(place)] and _holds(inline, wanted[len(place) :]):
                return line + _offset(inline, wanted[len(place) :])
        wanted.pop()
    return 1


def key_at(text: str, line: int) -> str:
    """The dotted key, or table, that stands in a line (from 1); empty where none does."""
    return next((".".join(place) for number, place, _ in _places(text) if number == line), "")


def key_open_at(text: str, line: int, column: int) -> str:
    """The dotted key whose value a place (both from 1) is in; before the ``=`` of a key, the one before it."""
    before = [
        place
        for number, place, inline in _places(text)
        if number < line or (number == line and column > inline.partition("\n")[0].find("="))
    ]
    return ".".join(before[-1]) if before else ""


def _places(text: str) -> Iterator[tuple[int, list[str], str]]:
    """Line, full key path and the value's text (with its following lines) of every header and key."""
    lines = text.splitlines()
    table: list[str] = []
    counts: dict[str, int] = {}
    starts: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        if header := _HEADER.match(line):
            table = _parts(header["name"])
            if header["open"] == "[[":
                name = ".".join(table)
                table = [*table, str(counts.get(name, 0))]
                counts[name] = counts.get(name, 0) + 1
            starts.append((number, table))
        elif key := _KEY.match(line):
            starts.append((number, [*table, *_parts(key["key"])]))
    ends = [*(number for number, _ in starts[1:]), len(lines) + 1]
    for (number, place), end in zip(starts, ends, strict=False):  # a text without a key has one end too many
        yield number, place, "\n".join(lines[number - 1 : end - 1])


def _parts(dotted: str) -> list[str]:
    return ["".join(groups) for groups in _PART.findall(dotted)]


def _holds(inline: str, rest: Sequence[str]) -> bool:
    return bool(rest) and all(_spot(inline, name) is not None for name in rest if not name.isdigit())


def _offset(inline: str, rest: Sequence[str]) -> int:
    """Lines between the start of ``inline`` and what ``rest`` leads to: names of keys, numbers of elements."""
    start, end = 0, len(inline)
    for step in rest:
        spot = _spot(inline[start:end], step)
        elements = _elements(inline[start:end]) if spot is None and step.isdigit() else []
        if spot is not None:
            start += spot
        elif elements:
            first, last = elements[min(int(step), len(elements) - 1)]
            start, end = start + first, start + last
    return inline.count("\n", 0, start)


def _spot(inline: str, name: str) -> int | None:
    found = re.search(rf"""["']?(?<![\w-]){re.escape(name)}["']?\s*=""", inline)
    return found.start() if found else None


def _elements(inline: str) -> list[tuple[int, int]]:
    """Begin and end of each element of the first list in a text."""
    found: list[tuple[int, int]] = []
    depth, begin = 0, None
    for token in _TOKEN.finditer(inline):
        closing = token[0] in ("]", "}")
        if depth == 1 and begin is not None and (closing or token[0] == ","):
            found.append((begin, token.start()))
            begin = None
        elif depth == 1 and begin is None and not closing and not token[0].startswith("#"):
            begin = token.start()
        depth += token[0] in ("[", "{") and 1
        depth -= closing
        if closing and depth == 0:
            break
    return found
