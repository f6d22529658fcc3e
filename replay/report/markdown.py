"""A run's result as Markdown: the summary of a step in a pipeline, below the size that those take."""

import re
from collections.abc import Iterable
from pathlib import Path

from drift.report.writing import put
from drift.visible import visible
from registry.canonical import JSON
from replay.report.reading import (
    Result,
    budget,
    cost_of,
    duration,
    headline,
    in_order,
    made_of,
    numbers,
    short,
    spent,
    standing,
    tally,
    told,
    took,
)

MOST = 900_000  # bytes; GitHub refuses a summary above 1 MiB
_LONGEST = 2_000  # characters of one cell
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&@$!^{}])")
_LINKS = re.compile(r"(?i)(https?|ftp)(:)(//)|(www)(\.)")  # GitHub makes links of these wherever they stand
_MARKS = {"drifted": "❌", "error": "⚠️", "undecided": "❔", "not-replayable": "🚫"}


def write(result: Result, path: Path) -> None:
    """Write the Markdown file, whole or not at all. Raises: ReportNotWritten."""
    put(path, render(result))


def render(result: Result, most: int = MOST) -> str:
    """The Markdown text, less than ``most`` bytes of UTF-8 however many manifests there are."""
    rows = in_order(result)
    urgent = [one for one in rows if standing(one) != "passed"]
    rest = [one for one in rows if standing(one) == "passed"]
    text = _head(result)
    room = most - len(text.encode()) - 500  # what closes the text is shorter
    for title, manifests, folded in (("To look at", urgent, False), ("Reproduced or within noise", rest, True)):
        if manifests:
            table, room = _table(title, manifests, room, folded=folded)
            text += table
    return text


def _head(result: Result) -> str:
    suite = result["suite"]
    lines = [f"## {_cell(suite['name'])}: {_cell(headline(result))}", "", f"**exit status {result['exit_code']}**", ""]
    counts = ", ".join(f"{count:,} {kind}" for kind, count in tally(result).items())
    facts = [
        ("manifests", counts),
        ("replays", f"{made_of(result['manifests'])} in {duration(took(result))}"),
        ("cost", spent(result)),
        ("budget", budget(result)),
        ("target", " ".join(filter(None, (result["target"]["provider"], result["target"]["model"]))) or None),
        ("run", f"{result['id']}, {result['state']}"),
    ]
    lines += [f"- {name}: {_cell(value)}" for name, value in facts if value is not None]
    if (gate := result["gate"]) is not None:
        said = ", ".join(f"{name} {value}" for name, value in numbers(gate["test"]))
        lines += ["", f"**Suite gate: {_cell(gate['verdict'])}.** {_cell(gate['sentence'])} ({_cell(said)})"]
    return "\n".join([*lines, ""])


def _table(title: str, manifests: list[JSON], room: int, *, folded: bool) -> tuple[str, int]:
    """A table of as many manifests as there is room for, and the room that is left."""
    count = f"{len(manifests):,}"
    head = f"\n<details><summary>{title}: {count}</summary>\n" if folded else f"\n### {title}: {count}\n"
    head += "\n| manifest | verdict | why | level, regime | replays | cost |\n|---|---|---|---|---:|---:|\n"
    lines: list[str] = []
    for one in manifests:
        line = _row(one)
        room -= len(line.encode())
        if room < 0:
            break
        lines.append(line)
    text = head + "".join(lines)
    if left := len(manifests) - len(lines):
        text += f"\n{left:,} more are not shown here: this summary would be too long. The JSON result has them all.\n"
    return text + ("\n</details>\n" if folded else ""), max(room, 0)


def _row(manifest: JSON) -> str:
    kind, sentence = told(manifest)
    allowed = " (allowed)" if standing(manifest) == "skipped" else ""
    level = manifest["policy"]["level"] or "by regime"
    cells = (
        _cell(" ".join(dict.fromkeys((manifest["name"], short(manifest["id"]))))),
        f"{_MARKS.get(kind, '✅')} {_cell(kind)}{allowed}",
        _cell(sentence),
        _cell(f"{level}, {manifest['regime']}"),
        made_of([manifest]),
        _cell(cost_of(manifest)),
    )
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(value: object) -> str:
    """Other people's words as plain text of one line: nothing in them is Markdown, HTML, a link or a mention."""
    text = visible(str(value))
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    text = _SPECIAL.sub(r"\\\1", text)
    return _LINKS.sub(lambda found: re.sub("[:.]", lambda mark: f"\\{mark[0]}", found[0]), text)
