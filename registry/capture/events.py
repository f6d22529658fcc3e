"""An answer that came as server-sent events, as the one answer that it ends with.

Format of events: WHATWG HTML, section 9.2.6. Which of them are partial, which is the last word, and what it amounts to
stands in the table ``events`` of a description.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from registry.capture.expressions import Expression


@dataclass(frozen=True, slots=True)
class Events:
    """Patterns of the types of events: ``part`` shows what is under way, ``last`` ends it; ``answer`` makes of it."""

    part: str | None
    last: tuple[str, ...]
    answer: Expression


def is_events(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a stream of events; names in lower case."""
    return headers.get("content-type", "").lower().startswith("text/event-stream")


def final_answer(told: Events | None, data: bytes) -> bytes:
    """The JSON that the events amount to; an event of type ``error`` where that is the last word.

    The data as it is where the operation speaks in no events, or where the last word is missing.
    """
    events = [value for _, value in _events(data)] if told else []
    ends = [one for one in events if told and any(fnmatchcase(str(one.get("type")), shape) for shape in told.last)]
    if told and ends:
        parts = [one for one in events if told.part and fnmatchcase(str(one.get("type")), told.part)]
        found = told.answer.find({"last": ends[-1], "events": events, "parts": parts})
        return data if found is None else json.dumps(found).encode()
    failed = [one for one in events if one.get("type") == "error"]
    return json.dumps(failed[-1]).encode() if failed else data


def first_part(told: Events | None, data: bytes) -> int | None:
    """How many bytes had come when the first partial event was whole; None where there is none."""
    if told is None or told.part is None:
        return None
    return next((end for end, one in _events(data) if fnmatchcase(str(one.get("type")), told.part)), None)


def _events(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every event that is a JSON object, with its type, and where it ends."""
    at, name, lines = 0, "", list[str]()
    for raw in [*data.splitlines(keepends=True), b"\n"]:
        at += len(raw)
        line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            lines.append(value)
        elif field == "event":
            name = value
        elif not line:
            if (found := _object("\n".join(lines))) is not None:
                yield min(at, len(data)), {"type": name, **found}
            name, lines = "", []


def _object(text: str) -> dict[str, Any] | None:
    """None for what is no object: a mark such as ``[DONE]``, or nothing."""
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
