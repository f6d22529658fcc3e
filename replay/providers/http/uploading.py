"""Files that a provider wants ahead of the request: each is sent once and stands in the request by its address."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from registry.canonical import JSON
from registry.capture.answers import Answer, ending_of
from registry.capture.expressions import Expression
from registry.capture.protocol import Protocol, Upload
from registry.capture.wire import Fetch, Wire
from replay.providers.http.channel import Channel, Cut, Refused, Sending, Unsent

_READ_S = 300.0
_OCTETS = "application/octet-stream"


class NotUploaded(Exception):
    """A file did not arrive; nothing was asked of the model yet."""

    def __init__(self, why: str, class_: str = "failed") -> None:
        """Keep the outcome class that follows."""
        super().__init__(why)
        self.class_ = class_


def upload(channel: Channel, protocol: Protocol, assets: Sequence[Mapping[str, JSON]], fetch: Fetch) -> dict[str, str]:
    """Send files ahead.

    Args:
        channel: the provider's line.
        protocol: says how.
        assets: the ``$asset`` of each file.
        fetch: finds their bytes.

    Returns:
        SHA-256 to the address that the provider gave.

    Raises:
        NotUploaded: one of them did not arrive.
    """
    how = protocol.upload
    if not assets:
        return {}
    if how is None:
        raise NotUploaded("the description has no table [upload]", "unsupported")
    return {asset["digest"]["sha256"]: _sent(channel, protocol, how, fetch(asset["digest"])) for asset in assets}


def _sent(channel: Channel, protocol: Protocol, how: Upload, path: Path) -> str:
    size = path.stat().st_size
    url = channel.absolute(how.path)
    if how.kind == "ticket":
        body = json.dumps({"filename": "input", "size": size, "content_type": _OCTETS}).encode()
        ticket = _post(
            channel, protocol, Sending("POST", url, _type("application/json"), lambda: iter([body]), len(body))
        )
        _put(channel, how, ticket, path, size)
        return _address(how.url, ticket)
    if how.kind == "multipart":
        boundary = f"mintmark-{size:x}-{path.name[:32]}"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{how.field}"; filename="input"\r\n'
        form = Wire(
            "POST",
            url,
            (),
            (f"{head}Content-Type: {_OCTETS}\r\n\r\n".encode(), path, f"\r\n--{boundary}--\r\n".encode()),
        )
        sending = Sending("POST", url, _type(f"multipart/form-data; boundary={boundary}"), form.content, form.length)
    else:
        whole = Wire("POST", url, (), (path,))
        sending = Sending("POST", url, _type(_OCTETS), whole.content, size)
    return _address(how.url, _post(channel, protocol, sending))


def _put(channel: Channel, how: Upload, ticket: Answer, path: Path, size: int) -> None:
    """PUT to the address of the ticket; with the headers it names, and with the key only if that host may have it."""
    target = how.put.text_of(ticket.view()) if how.put else None
    if not target or not target.startswith(("http://", "https://")):
        raise NotUploaded("the ticket has no address to put the file to", "malformed")
    whole = Wire("PUT", target, (), (path,))
    headers = tuple((str(name).lower(), str(value)) for name, value in _headers(ticket).items())
    try:
        answer = channel.send(Sending("PUT", target, headers, whole.content, size), read_s=_READ_S)
    except (Unsent, Cut) as problem:
        raise NotUploaded(str(problem), "retryable") from None
    except Refused as problem:
        raise NotUploaded(str(problem), "malformed") from None
    if not 200 <= answer.status < 300:
        raise NotUploaded(f"HTTP {answer.status}")


def _headers(ticket: Answer) -> dict[str, Any]:
    """Headers that a ticket asks for, where it has them beside the address."""
    data = ticket.body.get("data", ticket.body) if isinstance(ticket.body, dict) else {}
    instruction = data.get("upload") if isinstance(data, dict) else None
    headers = instruction.get("headers") if isinstance(instruction, dict) else None
    return headers if isinstance(headers, dict) else {}


def _post(channel: Channel, protocol: Protocol, sending: Sending) -> Answer:
    try:
        answer = channel.send(sending, read_s=_READ_S)
    except (Unsent, Cut) as problem:
        raise NotUploaded(str(problem), "retryable") from None
    except Refused as problem:
        raise NotUploaded(str(problem), "malformed") from None
    if answer.status >= 300 and (ending := ending_of(protocol, answer, failed=True)):
        raise NotUploaded(f"HTTP {answer.status}", "failed" if ending.class_ == "ambiguous" else ending.class_)
    return answer


def _address(expression: Expression, answer: Answer) -> str:
    found = expression.text_of(answer.view())
    if found is None:
        raise NotUploaded(f"no address in the answer at {expression.text}", "malformed")
    return found


def _type(media_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", media_type),)
