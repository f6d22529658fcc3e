"""What a provider answered, read by its description: job, state, outputs, facts, and how the call ended."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from registry.canonical import JSON
from registry.capture import slots as places
from registry.capture.description import Description
from registry.capture.protocol import Protocol
from registry.manifest import encodable, one_line

_STATUS_CLASSES: Final = {
    400: "rejected", 401: "auth", 402: "quota", 403: "auth", 404: "rejected", 405: "rejected", 406: "rejected",
    408: "retryable", 409: "retryable", 410: "rejected", 413: "rejected", 415: "rejected", 422: "rejected",
    425: "retryable", 429: "retryable", 451: "blocked", 500: "retryable", 503: "retryable", 529: "retryable",
}  # fmt: skip
"""Where a description says nothing. Any other 4xx is rejected; any other 5xx comes from a gateway that lost what stood
behind it: the work may have been done."""

_AMOUNT: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?").fullmatch
_DIGITS: Final = 18  # of a whole amount; a manifest holds no more
_QUIET: Final = 2000  # characters of an answer that is no JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: header names in lower case, ``body`` the JSON of it or None, ``text`` its start otherwise.

    ``partial_ms`` is how long after the request was sent the first partial event had come, where it came as events.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JSON = None
    text: str = ""
    partial_ms: int | None = None

    def view(self, submit: "Answer | None" = None) -> dict[str, JSON]:
        """What expressions look at; ``submit`` is the first answer of the call, this one where left out."""
        first = submit or self
        return {**self._members(), "submit": first._members()}

    def _members(self) -> dict[str, JSON]:
        return {"status": self.status, "headers": dict(self.headers), "body": self.body}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: an outcome class, what safety did, and whether the request may be sent again."""

    class_: str
    safety: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer tells about its call; None where it does not."""

    request_id: str | None = None
    served_model: str | None = None
    effective_prompt: str | None = None
    actual_seed: str | None = None
    run_ms: int | None = None
    queue_ms: int | None = None
    error: str | None = None
    cost: str | None = None
    currency: str | None = None
    units: Mapping[str, int] = field(default_factory=dict)


def parsed_answer(status: int, headers: Mapping[str, str], data: bytes) -> Answer:
    """An answer from its bytes; what is no JSON is kept as the start of a text."""
    try:
        return Answer(status, headers, json.loads(data) if data else None)
    except (ValueError, RecursionError):
        return Answer(status, headers, None, data[:_QUIET].decode("utf-8", "replace"))


def job_of(protocol: Protocol, answer: Answer) -> str | None:
    """The job's id in the answer to submit, whole, as it has to be asked about; ``recorded_job`` is what is kept."""
    return protocol.job.text_of(answer.view()) if protocol.job else None


def recorded_job(job: str | None) -> str | None:
    """A job's id as a manifest can hold it."""
    return one_line(job) if job else None


def recorded_status(status: int | None) -> int | None:
    """An answer's status as a manifest can hold it; None for one that HTTP does not have (RFC 9110, section 15)."""
    return status if status is not None and 100 <= status <= 599 else None


def state_of(protocol: Protocol, answer: Answer, submit: Answer | None = None) -> tuple[str | None, str | None]:
    """The job's state in our words, and in the provider's; None where the answer does not say, or says a new word."""
    if protocol.poll is None:
        return None, None
    said = protocol.poll.state.text_of(answer.view(submit))
    return (protocol.poll.states.get(said) if said else None), said


def ending_of(protocol: Protocol, answer: Answer, *, failed: bool, submit: Answer | None = None) -> Ending | None:
    """How the call ended, by the description's rules, else by status; None where nothing speaks against success.

    The class is ``succeeded`` where a rule says that safety altered what came.

    Args:
        protocol: how the operation speaks.
        answer: the last answer.
        failed: whether the job is said to have failed.
        submit: the first answer.
    """
    view = answer.view(submit)
    for rule in protocol.rules:
        if _holds(rule.when.find(view)):
            return Ending(
                rule.class_, rule.safety or ("refused" if rule.class_ == "blocked" else "unknown"), rule.again
            )
    if answer.status >= 400:
        beyond = "ambiguous" if answer.status >= 500 else "rejected"
        return Ending(_STATUS_CLASSES.get(answer.status, beyond), "unknown")
    return Ending("failed", "unknown") if failed else None


def facts_of(
    protocol: Protocol, answer: Answer, submit: Answer | None = None, *, clean: Callable[[str], str] = str
) -> Facts:
    """Every fact that the description points at, as a manifest can hold it.

    Args:
        protocol: how the operation speaks.
        answer: the last answer.
        submit: the first answer.
        clean: takes the key out of a text, before any of it is cut off.
    """
    view = answer.view(submit)

    def text(name: str) -> str | None:
        found = protocol.facts[name].text_of(view) if name in protocol.facts else None
        return None if found is None else encodable(clean(found))

    def line(name: str, most: int = 256) -> str | None:
        found = text(name)
        return one_line(found, most) if found else None

    def span(name: str) -> int | None:
        found = protocol.facts[name].whole(view) if name in protocol.facts else None
        return found if found is not None and found >= 0 else None

    cost = _amount(text("cost"))
    units = {name: fact.whole(view) for name, fact in protocol.units.items()}
    return Facts(
        request_id=line("request_id"),
        served_model=line("served_model"),
        effective_prompt=text("effective_prompt"),
        actual_seed=line("actual_seed", 128),
        run_ms=span("run_ms"),
        queue_ms=span("queue_ms"),
        error=text("error"),
        cost=cost,
        currency=protocol.currency if cost else None,
        units={name: count for name, count in units.items() if count is not None and count >= 0},
    )


def addresses_of(protocol: Protocol, answer: Answer, submit: Answer | None = None) -> list[str]:
    """The addresses of the outputs, in order, each once; texts that are no addresses are left out."""
    found = protocol.outputs.expr.texts(answer.view(submit)) if protocol.outputs.expr else []
    return list(dict.fromkeys(text for text in found if text.startswith(("http://", "https://", "/"))))


def payloads_of(protocol: Protocol, answer: Answer, submit: Answer | None = None) -> list[bytes]:
    """The outputs that stand in the answer as base64.

    Raises:
        ValueError: one of them is no base64.
    """
    found = protocol.outputs.expr.texts(answer.view(submit)) if protocol.outputs.expr else []
    return [_decoded(text) for text in found if text]


def document_of(description: Description, answer: Answer, submit: Answer | None = None) -> bytes | None:
    """The output that the answer itself is, or holds, as plain JSON text; None where there is none.

    Numbers and order stay as they came, but times in milliseconds become seconds, as every other provider has them,
    and what is redacted is not there. Half a surrogate pair has no UTF-8 form and stays an escape.
    """
    assert description.protocol is not None
    body = answer.body
    for path in description.redact:
        if path.startswith("response."):
            body = places.drop(body, places.parse(path)[1:])
    how, told = description.protocol.outputs, replace(answer, body=body)
    found = how.expr.find(told.view(submit)) if how.expr else body
    for path in how.ms:
        found = _in_seconds(found, places.parse(path))
    return None if found is None else json.dumps(found, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _in_seconds(document: JSON, steps: Sequence[places.Step]) -> JSON:
    times = places.read(document, steps)
    if times is None:
        return document
    many = times if isinstance(times, list) else [times]
    seconds = [one / 1000 if isinstance(one, int) and not isinstance(one, bool) else one for one in many]
    return places.write(document, steps, seconds if isinstance(times, list) else seconds[0])


def operation_media(description: Description, model: str) -> tuple[str, str]:
    """The role of an output, and the first half of its media type."""
    medium = description.operation_of(model).partition(".")[0]
    making = {"image": ("image", "image"), "video": ("video", "video"), "speech": ("audio", "audio"),
              "music": ("audio", "audio"), "audio": ("transcript", "text"), "media": ("verdict", "text")}  # fmt: skip
    role, kind = making[medium]
    said = description.protocol.outputs.role if description.protocol else None
    return said or role, kind


def _holds(found: JSON) -> bool:
    """Truth as JMESPath has it: null, false and everything empty are false."""
    return bool(found) if isinstance(found, str | list | dict | bool) else found is not None


def _decoded(text: str) -> bytes:
    coded = text.partition(";base64,")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"expected base64: {error}") from None


def _amount(text: str | None) -> str | None:
    """A decimal amount as the manifest writes it; None for anything else."""
    told = _AMOUNT(text) if text is not None else None
    if told is None:
        return None
    whole = told[1].lstrip("0") or "0"
    return None if len(whole) > _DIGITS else whole + (f".{told[2][:12]}" if told[2] else "")
