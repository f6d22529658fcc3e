"""Makes a generation: description and settings in, provider run, recorded generation out."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from drift.errors import MediaRefused
from registry.canonical import JSON
from registry.capture.description import Description, shipped
from registry.drafting import Draft, Incoming, new_exchange_id
from registry.errors import InvalidValue
from registry.home import Registry
from registry.manifest import Context, Cost, Latency, Model, Parent, Prompt, Provider, Seed
from registry.manifest import Outcome as RecordedOutcome
from registry.record import Recorded, record
from registry.templating import templated
from registry.times import now
from registry.verbatim import plain, stored
from replay.errors import ReplayError
from replay.outcome import EndState, OutcomeClass
from replay.provider import Call, CallInput, Outcome, run
from replay.providers import provider_for


class ProviderUnknown(ReplayError):
    """No description of that provider is shipped."""

    exit_code = 2

    def __init__(self, name: str) -> None:
        """List the providers there are."""
        known = ", ".join(sorted({description.provider for description in shipped()}))
        super().__init__(f"provider {name!r} has no description here; there are {known}; `record` takes any provider")


@dataclass(frozen=True, slots=True)
class Ask:
    """What to generate."""

    provider: str
    model: str
    operation: str | None = None
    prompt: str | None = None
    seed: str | None = None
    settings: Mapping[str, JSON] = field(default_factory=dict)
    inputs: Sequence[tuple[str, Path]] = ()
    workflow: str | None = None
    subject: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    parents: Sequence[Parent] = ()


def generate(registry: Registry, ask: Ask) -> Recorded:
    """Run the provider once and record what came of it, failures too.

    Raises:
        ProviderUnknown, UnknownSlot, AmbiguousDescription: nothing was run.
        EngineMissing: the provider's extra is not installed.
    """
    description = shipped().find(ask.provider, model=ask.model, operation=ask.operation)
    if description is None:
        raise ProviderUnknown(ask.provider)
    draft = Draft(
        provider=Provider(name=ask.provider),
        model=Model(requested=ask.model),
        operation=ask.operation,
        prompt=Prompt(submitted=ask.prompt),
        seed=Seed(requested=ask.seed),
        settings=dict(ask.settings),
        context=Context(workflow=ask.workflow, subject=ask.subject),
        labels=dict(ask.labels),
        parents=list(ask.parents),
        inputs=[Incoming(file=str(path), role=role) for role, path in ask.inputs],
        capture="generate",
        confidence="full",
        exchange_id=new_exchange_id(),
    )
    for _, path in ask.inputs:
        if not path.is_file():
            raise InvalidValue("input", str(path), "a file; nothing was run")
    return call(registry, templated(draft, description), description, ask.inputs)


def call(registry: Registry, draft: Draft, description: Description, inputs: Sequence[tuple[str, Path]]) -> Recorded:
    """Send a draft's request to its provider and record the outcome.

    Args:
        registry: where the generation is recorded.
        draft: complete but for outcome and outputs; its request body is plain.
        description: how the operation speaks.
        inputs: role and file of everything that goes with the call; a role may come twice.
    """
    if draft.request is None or draft.request.body is msgspec.UNSET:
        raise InvalidValue("request", None, "a stored body to send")
    body = plain(draft.request.body)
    workdir = Path(tempfile.mkdtemp(prefix="mintmark-call-"))
    try:
        given = tuple(CallInput(role, "application/octet-stream", path) for role, path in inputs)
        submitted_at = now()
        outcome = run(
            provider_for(description),
            Call(description, body, given, workdir, draft.exchange_id or new_exchange_id()),
        )
        told = _with_outcome(draft, description, body, outcome, submitted_at)
        files = {str(path): path for _, path in inputs} | {str(out.path): out.path for out in outcome.outputs}
        try:
            return record(registry, told, files)
        except MediaRefused as problem:  # it paid for bytes that are no media: that is an outcome, not a lost call
            return record(registry, _malformed(told, str(problem)), files)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _with_outcome(
    draft: Draft, description: Description, body: Mapping[str, JSON], outcome: Outcome, submitted_at: str
) -> Draft:
    cost = outcome.cost
    known = cost is not None and cost.amount is not None
    return msgspec.structs.replace(
        draft,
        model=msgspec.structs.replace(draft.model, served=outcome.served_model),
        prompt=msgspec.structs.replace(draft.prompt, effective=outcome.effective_prompt),
        seed=msgspec.structs.replace(draft.seed, actual=outcome.actual_seed),
        settings=stored(description.settings(body)),
        outputs=[Incoming(file=str(out.path), role=out.role) for out in outcome.outputs],
        outcome=RecordedOutcome(
            class_=outcome.class_.value,
            state=outcome.state.value,
            http_status=outcome.http_status,
            request_id=outcome.request_id,
            job_id=outcome.job_id,
            attempts=outcome.attempts,
            submitted_at=submitted_at,
            completed_at=now(),
            latency_ms=Latency(**outcome.latency_ms),
            safety=outcome.safety.value,
            error=outcome.error,
        ),
        cost=Cost(
            amount=cost.amount if cost else None,
            currency=cost.currency if cost else None,
            kind="reported" if known else "unknown",
            units=dict(cost.units) if cost else {},
        ),
        outputs_requested=max(1, len(outcome.outputs)),
        engine=dict(outcome.engine) if outcome.engine else None,
    )


def _malformed(draft: Draft, why: str) -> Draft:
    outcome = msgspec.structs.replace(
        draft.outcome, class_=OutcomeClass.MALFORMED.value, state=EndState.SUCCEEDED.value, error=why
    )
    return msgspec.structs.replace(draft, outcome=outcome, outputs=[])
