"""Lines of TOML keys: where in a file a key stands, so that a mistake can be shown by its line.

``tomllib`` keeps no positions, so the text is scanned a second time, only when there is a mistake to report.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*(?P<open>\[\[?)(?P<name>[^\[\]]+)\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
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
    return bool(rest) and all(_spots(inline, name) for name in rest if not name.isdigit())


def _offset(inline: str, rest: Sequence[str]) -> int:
    """Lines between the start of ``inline`` and the last name of ``rest``, in the element its number says."""
    names = [step for step in rest if not step.isdigit()]
    if not names:
        return 0
    spots = _spots(inline, names[-1])
    number = next((int(step) for step in reversed(rest) if step.isdigit()), 0)
    # Elements may leave a key out, so the count can run short; the last one is the nearest then.
    return inline.count("\n", 0, spots[min(number, len(spots) - 1)])


def _spots(inline: str, name: str) -> list[int]:
    return [found.start() for found in re.finditer(rf"""["']?(?<![\w-]){re.escape(name)}["']?\s*=""", inline)]
