"""Reads a captured vendor exchange into a draft: request with slots, settings, inputs, outputs, facts and outcome."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from registry.canonical import JSON
from registry.capture import slots as places
from registry.capture.answers import (
    Answer,
    Ending,
    Facts,
    addresses_of,
    document_of,
    ending_of,
    facts_of,
    job_of,
    operation_media,
    payloads_of,
    recorded_job,
    recorded_status,
    state_of,
)
from registry.capture.description import Description
from registry.capture.draft import HEADERS, Draft, Incoming, new_exchange_id
from registry.capture.observed import Exchange as Exchange
from registry.capture.observed import answer_of, below, job_address, plain_body
from registry.capture.observed import description_of as description_of
from registry.capture.observed import is_submit as is_submit
from registry.capture.protocol import Protocol
from registry.capture.redaction import hunted, redacted, secret_in, without
from registry.capture.request import asked_for, read_slot, settings_of
from registry.capture.slots import Step
from registry.capture.wire import WHOLE, read_wire
from registry.digest import digests_of
from registry.manifest import (
    Cost,
    DescriptionRef,
    Latency,
    License,
    Model,
    Outcome,
    Prompt,
    Provider,
    Request,
    Seed,
    state_after,
)
from registry.verbatim import is_words

_UNSAID: Final = "unspecified"
_NO_WORDS: Final = re.compile("html|event-stream")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an exchange amounts to.

    ``draft`` and ``files`` go to ``registry.record.record`` once ``finished`` is true and ``wanted`` is empty.
    ``wanted`` are the addresses of outputs that still have to be fetched: they are signed, so they are kept by nobody.
    ``job`` is the id to ask about while it is not finished.
    """

    draft: Draft
    files: Mapping[str, Path]
    finished: bool = True
    wanted: tuple[str, ...] = ()
    job: str | None = None


@dataclass
class _Kept:
    """Payloads taken out of the exchange, as files under their SHA-256."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)

    def lift(self, data: bytes) -> JSON:
        digests = digests_of(data)
        path = self.folder / digests.sha256
        path.write_bytes(data)
        self.files[str(path)] = path
        return digests.to_json()

    def name(self, digest: Mapping[str, str]) -> str:
        return str(self.folder / digest["sha256"])


@dataclass(frozen=True, slots=True)
class _Made:
    """The outputs there are, the addresses of those that still lie at the provider, what is wrong where none is."""

    outputs: tuple[Incoming, ...] = ()
    wanted: tuple[str, ...] = ()
    ending: Ending | None = None


def read(
    description: Description,
    submit: Exchange,
    folder: Path,
    *,
    last: Exchange | None = None,
    downloads: Mapping[str, Path] | None = None,
    given_up: bool = False,
    base_url: str | None = None,
    capture: str = "proxy",
    exchange_id: str | None = None,
) -> Reading:
    """A captured call as a draft.

    Args:
        description: the operation that ``is_submit`` says it is.
        submit: the exchange that started it.
        folder: an existing folder that takes inputs and outputs as files.
        last: the newest answer about the job, or the further answer that holds its outputs.
        downloads: files fetched from addresses of outputs, in full.
        given_up: nothing more will come: what is still wanted is gone.
        base_url: what the client took for the provider's address, where that is another one.
        capture: how it was captured: ``proxy`` or ``hook``.
        exchange_id: minted before the call; a new one where left out.

    Raises:
        TypeError: the description is of a local engine.
    """
    protocol = description.protocol
    if protocol is None:
        raise TypeError(f"{description.id} is no remote operation")
    secret = secret_in(description, submit.request_headers)
    kept = _Kept(folder)
    request = redacted(description, _request(description, submit, kept, base_url), secret)
    first = answer_of(submit, protocol.events)
    answer = answer_of(last, protocol.events) if last is not None else first
    ending, finished = _ending(protocol, answer, first)
    sought = hunted([secret] if secret else [])
    facts = facts_of(protocol, answer or Answer(0), first, clean=lambda text: without(text, sought))
    made = _Made()
    altered = ending if ending is not None and ending.class_ == "succeeded" else None
    if finished and (ending is None or altered) and answer is not None and first is not None:
        made = _outputs(description, _model(description, request), answer, first, last or submit, kept, downloads or {})
        ending = Ending("expired", "unknown") if made.wanted and given_up else made.ending or altered
    job = job_of(protocol, first) if first else None
    draft = msgspec.structs.replace(
        _asking(description, request, submit, facts, kept),
        outputs_requested=max(len(made.outputs), asked_for(description, request) or 1),
        outputs=list(made.outputs),
        outcome=_outcome(description, request, submit, last, answer, ending, facts,
                         recorded_job(without(job or "", sought)), len(made.outputs)),
        cost=Cost(amount=facts.cost, currency=facts.currency, kind="reported" if facts.cost else "unknown",
                  units=dict(facts.units)),
        capture=capture,
        exchange_id=exchange_id or new_exchange_id(),
    )  # fmt: skip
    return Reading(draft, kept.files, finished, () if given_up else made.wanted, job)


def _asking(description: Description, request: Request, submit: Exchange, facts: Facts, kept: _Kept) -> Draft:
    """What was asked of whom."""
    model, settings = _model(description, request), settings_of(description, request)
    return Draft(
        provider=Provider(
            name=description.provider,
            description=DescriptionRef(id=description.id, sha256=description.sha256),
            host=urlsplit(submit.url).netloc,
        ),
        model=Model(requested=model, served=facts.served_model, pin=description.pin(model, settings)),
        operation=description.operation_of(model),
        request=request,
        prompt=Prompt(submitted=_text(read_slot(description, request, "prompt")), effective=facts.effective_prompt),
        seed=Seed(requested=_text(read_slot(description, request, "seed")), actual=facts.actual_seed),
        settings=settings,
        inputs=_inputs(description, request, kept),
        license=msgspec.convert(dict(description.protocol.license if description.protocol else {}), License),
        confidence="full",
    )


def _model(description: Description, request: Request) -> str:
    return _text(read_slot(description, request, "model")) or _UNSAID


def _request(description: Description, submit: Exchange, kept: _Kept, base_url: str | None) -> Request:
    headers = [[name.lower(), value] for name, value in submit.request_headers if name.lower() in HEADERS]
    whole = {given.form: role for role, given in (description.protocol.inputs if description.protocol else {}).items()}
    return read_wire(
        submit.method,
        below(description, submit.url, base_url),
        urlsplit(submit.url).query,
        headers,
        submit.request_body,
        kept.lift,
        role=whole.get("bytes"),
    )


def _ending(protocol: Protocol, answer: Answer | None, first: Answer | None) -> tuple[Ending | None, bool]:
    """How it ended (None: well) and whether it ended at all."""
    if answer is None or first is None:
        return Ending("ambiguous", "unknown"), True
    if answer.status >= 300:
        return ending_of(protocol, answer, failed=True, submit=first), True
    state = state_of(protocol, answer, first)[0] if protocol.poll else "succeeded"
    if state in (None, "queued", "processing") and job_address(protocol, first) is None:
        return ending_of(protocol, answer, failed=False, submit=first) or Ending("malformed", "unknown"), True
    if state is None and protocol.outputs.result is None and protocol.outputs.result_path is None:
        return None, False
    if state in ("queued", "processing"):
        return None, False
    if state in ("canceled", "expired"):
        return Ending(str(state), "unknown"), True
    return ending_of(protocol, answer, failed=state == "failed", submit=first), True


def _outputs(
    description: Description,
    model: str,
    answer: Answer,
    first: Answer,
    source: Exchange,
    kept: _Kept,
    downloads: Mapping[str, Path],
) -> _Made:
    protocol = description.protocol
    assert protocol is not None
    how, role = protocol.outputs, operation_media(description, model)[0]
    wanted: list[str] = []
    paths: list[Path] = []
    if how.kind in ("url", "get"):
        job = quote(job_of(protocol, first) or "", safe="")
        found = [str(how.path).replace("{job}", job)] if how.kind == "get" else addresses_of(protocol, answer, first)
        wanted = [url for url in found if url not in downloads]
        paths = [downloads[url] for url in found if url in downloads]
    elif how.kind == "bytes":
        paths = [_saved(kept, plain_body(source))] if source.response_body else []
    elif how.kind == "json":
        document = document_of(description, answer, first)
        if document is not None:
            paths = [_saved(kept, document)]
        elif answer.text and not _NO_WORDS.search(answer.headers.get("content-type", "")):
            paths = [_saved(kept, plain_body(source))]  # subtitles, or plain text
    else:
        try:
            paths = [_saved(kept, data) for data in payloads_of(protocol, answer, first)]
        except ValueError:
            return _Made(ending=Ending("malformed", "unknown"))
    kept.files.update((str(path), path) for path in paths)
    outputs = tuple(Incoming(file=str(path), role=role) for path in paths)
    return _Made(outputs, tuple(wanted), None if outputs or wanted else Ending("malformed", "unknown"))


def _saved(kept: _Kept, data: bytes) -> Path:
    return Path(kept.name(kept.lift(data)))


def _inputs(description: Description, request: Request, kept: _Kept) -> list[Incoming]:
    """Every file of the request, under the role whose place it stands in."""
    if request.asset is not msgspec.UNSET:
        asset: JSON = request.asset
        return [Incoming(file=kept.name(asset["digest"]), role=asset["role"])]
    found: list[Incoming] = []
    for steps, digest in _files_in(request):
        roles = description.protocol.inputs if description.protocol else {}
        fitting = (role for role, given in roles.items() if _stands_at(given.at, steps))
        role = next(fitting, None) or (WHOLE if is_words(Path(kept.name(digest)).read_bytes()) else "input")
        found.append(Incoming(file=kept.name(digest), role=role))
    return found


def _files_in(request: Request) -> Iterator[tuple[list[Step], Mapping[str, str]]]:
    if request.parts is not msgspec.UNSET:
        for part in request.parts:
            if isinstance(part["value"], dict) and "$asset" in part["value"]:
                yield [part["name"].removesuffix("[]")], part["value"]["$asset"]["digest"]
    elif request.body is not msgspec.UNSET:
        yield from _assets(request.body, [])


def _assets(value: JSON, steps: list[Step]) -> Iterator[tuple[list[Step], Mapping[str, str]]]:
    if isinstance(value, dict):
        if set(value) == {"$asset"}:
            yield steps, value["$asset"]["digest"]
            return
        for name, member in value.items():
            yield from _assets(member, [*steps, name])
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _assets(member, [*steps, number])


def _stands_at(at: str, steps: Sequence[Step]) -> bool:
    pattern = places.parse(at)[1:]
    return places.matches(pattern, steps) or (pattern[-1:] == (places.EVERY,) and places.matches(pattern[:-1], steps))


def _outcome(
    description: Description,
    request: Request,
    submit: Exchange,
    last: Exchange | None,
    answer: Answer | None,
    ending: Ending | None,
    facts: Facts,
    job: str | None,
    made: int,
) -> Outcome:
    class_ = ending.class_ if ending else "succeeded"
    quiet = "none" if description.protocol and description.protocol.tells_safety else "unknown"
    if class_ == "succeeded" and made < (asked_for(description, request) or 1):
        quiet = "omitted"
    safety = ending.safety if ending else quiet
    said = facts.error or (f"HTTP {answer.status}" if answer else "the answer was cut off: it may have been billed")
    state = state_after(class_)
    return Outcome(
        class_=class_,  # type: ignore[arg-type]  # the schema of descriptions holds the same words
        state="succeeded" if class_ in ("malformed", "expired") and last else state,
        http_status=recorded_status(answer.status if answer else None),
        request_id=facts.request_id,
        job_id=job,
        attempts=1,
        submitted_at=submit.submitted_at,
        completed_at=(last or submit).completed_at,
        latency_ms=Latency(run=facts.run_ms, queue=facts.queue_ms, total=submit.total_ms),
        safety=safety,  # type: ignore[arg-type]
        error=None if class_ == "succeeded" else said,
    )


def _text(value: JSON) -> str | None:
    """A slot's value as text; the texts of a list on lines of their own."""
    if isinstance(value, list):
        texts = [text for text in map(_text, value) if text is not None]
        return "\n".join(texts) or None
    if value is None or isinstance(value, dict | bool):
        return None
    return value if isinstance(value, str) else json.dumps(value)
