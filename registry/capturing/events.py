"""An answer that came as server-sent events, as the one answer that it would have been without them.

Format of events: WHATWG HTML, section 9.2.6. Which event is the last word is read from what vendors send: the whole
response in a member ``response``, pictures in ``b64_json`` of events that say they are complete, else the last event.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def is_events(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a stream of events."""
    return headers.get("content-type", "").lower().startswith("text/event-stream")


def final_answer(data: bytes) -> bytes:
    """The JSON that the events end with; the data as it is where no event holds any."""
    events = list(_events(data))
    if not events:
        return data
    last = events[-1]
    if isinstance(last.get("response"), dict):
        return json.dumps(last["response"]).encode()
    pictures = [one for one in events if "b64_json" in one and str(one.get("type", "")).endswith("completed")]
    return json.dumps({**pictures[-1], "data": pictures} if pictures else last).encode()


def _events(data: bytes) -> Iterator[dict[str, Any]]:
    lines: list[str] = []
    for line in [*data.decode("utf-8", "replace").splitlines(), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            try:
                value = json.loads("\n".join(lines))
            except ValueError:  # a mark such as [DONE]
                value = None
            lines = []
            if isinstance(value, dict):
                yield value
