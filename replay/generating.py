"""Makes a generation: description and settings in, provider run, recorded generation out."""

import hmac
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from drift.errors import MediaRefused
from drift.media.limits import Limits
from drift.media.probe import probe
from registry.canonical import JSON
from registry.capture.answers import recorded_job, recorded_status
from registry.capture.description import Description, shipped
from registry.capture.request import Placed, asked_for, request_digest, settings_of, template_request
from registry.capture.wire import Fetch
from registry.digest import digests_of_file
from registry.drafting import Draft, Incoming, new_exchange_id
from registry.errors import InvalidValue
from registry.home import Registry
from registry.manifest import (
    Context,
    Cost,
    DescriptionRef,
    Latency,
    License,
    Model,
    Parent,
    Prompt,
    Provider,
    Request,
    Seed,
)
from registry.manifest import Outcome as RecordedOutcome
from registry.pinning import check_pin
from registry.record import Also, Recorded, record
from registry.templating import slots_of, templated
from registry.times import now
from registry.verbatim import plain
from replay.errors import ReplayError
from replay.outcome import EndState, OutcomeClass, Safety
from replay.paying import Order, Paying, pay
from replay.provider import Call, CallCost, CallInput, Outcome, run
from replay.providers import provider_for
from replay.providers.http.engine import HttpProvider


class MakesNothing(ReplayError):
    """An operation that looks at something and makes no media: there is nothing to record."""

    exit_code = 2

    def __init__(self, operation: str, description: str) -> None:
        """Say how it is asked for."""
        super().__init__(
            f"{operation} ({description}) makes nothing that could be recorded; nothing was sent: add --moderate to "
            "the `mintmark generate` whose prompt and pictures it shall look at"
        )


class ProviderUnknown(ReplayError):
    """No description of that provider is shipped."""

    exit_code = 2

    def __init__(self, name: str) -> None:
        """List the providers there are."""
        known = ", ".join(sorted({description.provider for description in shipped()}))
        super().__init__(f"provider {name!r} has no description here; there are {known}; `record` takes any provider")


class NoneMakes(ReplayError):
    """The provider is described, and nothing of it makes that with that model."""

    exit_code = 2

    def __init__(self, provider: str, model: str, operation: str | None) -> None:
        """Name them."""
        super().__init__(
            f"none of {provider}'s descriptions makes {operation or 'anything'} with model {model!r}; "
            f"`mintmark providers show {provider}` lists what they make"
        )


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


def generate(
    registry: Registry,
    ask: Ask,
    pay: Callable[[Draft, Description], Paying | None] | None = None,
) -> Recorded:
    """Run the provider once and record what came of it, failures too.

    Args:
        registry: where to.
        ask: what for.
        pay: how the finished request is paid for; it may refuse. With nobody to ask, there is no budget.

    Raises:
        ProviderUnknown, MakesNothing, UnknownSlot, AmbiguousDescription: nothing was run.
        PinRequired: the model is an alias, and this registry wants exact versions.
        EngineMissing: the provider's extra is not installed.
    """
    draft, description = drafted(registry, ask)
    return call(registry, draft, description, ask.inputs, None if pay is None else pay(draft, description))


def drafted(registry: Registry, ask: Ask) -> tuple[Draft, Description]:
    """A draft with its finished request, and the description that made it; raises as ``generate``, runs nothing."""
    description = speaker(ask.provider, ask.model, ask.operation)
    check_pin(registry.settings, description, ask.model, ask.settings)
    for _, path in ask.inputs:
        if not path.is_file():
            raise InvalidValue("input", str(path), "a file; nothing was run")
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
    if not description.local:
        files = [placed(role, path, registry.settings.limits) for role, path in ask.inputs]
        request = template_request(description, slots_of(draft, description), files)
        draft = msgspec.structs.replace(draft, request=request)
    return templated(draft, description), description


def speaker(provider: str, model: str, operation: str | None) -> Description:
    """The description that generates with a provider's model.

    Raises:
        ProviderUnknown, NoneMakes, UnknownOperation, UnknownModel, MakesNothing, AmbiguousDescription: there is none.
    """
    shipped().check(provider, model=model, operation=operation)
    for one in shipped():
        meant = one.operation == operation or (operation is None and one.knows(model))
        if one.provider == provider and meant and not (one.local or one.captured):
            raise MakesNothing(one.operation, one.id)
    description = shipped().find(provider, model=model, operation=operation)
    if description is None:
        described = any(one.provider == provider for one in shipped())
        raise NoneMakes(provider, model, operation) if described else ProviderUnknown(provider)
    return description


def refused(registry: Registry, draft: Draft, description: Description, ask: Ask, why: str) -> Recorded:
    """Record a call that is not made, as what was asked for goes against what may be sent: ``blocked``, nothing paid.

    Args:
        registry: where it is recorded.
        draft: as ``drafted`` made it.
        description: of the operation.
        ask: what was asked for.
        why: in words; sealed.
    """
    if draft.request is None:
        raise InvalidValue("request", None, "a stored request")
    nothing = CallCost("0", "USD", {})
    outcome = Outcome(
        OutcomeClass.BLOCKED, EndState.FAILED, Safety.REFUSED, attempts=0, error=why, cost=nothing
    )  # fmt: skip
    key = draft.exchange_id or new_exchange_id()
    return Sending(registry, draft, description, draft.request, ask.inputs).told(key, outcome, None)


def call(
    registry: Registry,
    draft: Draft,
    description: Description,
    inputs: Sequence[tuple[str, Path]],
    paying: Paying | None = None,
) -> Recorded:
    """Send a draft's request to its provider and record the outcome.

    A remote call goes through the journal. An engine of this machine costs nothing and is asked as it is; under a key
    that has been recorded, it is not asked again.

    Args:
        registry: where the generation is recorded.
        draft: complete but for outcome and outputs; its request body is plain.
        description: how the operation speaks.
        inputs: role and file of everything that goes with the call; a role may come twice.
        paying: how it is paid for; a fresh key and no budget where left out.

    Raises:
        BudgetSpent, KeyTaken, CallBusy, AnswerElsewhere: as ``replay.paying.pay``.
    """
    request = draft.request
    if request is None or (description.local and request.body is msgspec.UNSET):
        raise InvalidValue("request", None, "a stored request to send")
    provider = provider_for(description)
    if isinstance(provider, HttpProvider):
        sent_to = msgspec.structs.replace(draft.provider, host=provider.host)
        draft = msgspec.structs.replace(draft, provider=sent_to, license=_license(draft, description))
        order = Sending(registry, draft, description, request, inputs).order(provider)
        return pay(registry, order, paying or Paying(draft.exchange_id or new_exchange_id()))
    key = paying.key if paying else draft.exchange_id or new_exchange_id()
    if paying is not None and (found := registry.catalog.exchange(key)) is not None:
        return Recorded(found[0], registry.catalog.manifest(found[0]), False)
    sending = Sending(registry, draft, description, request, inputs)
    workdir = Path(tempfile.mkdtemp(prefix="mintmark-call-"))
    try:
        submitted_at = now()
        outcome = run(provider, sending.called(key, workdir))
        return sending.told(key, outcome, submitted_at)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Sending:
    """A request on its way: ``draft`` is complete but for outcome and outputs, ``inputs`` are role and file."""

    registry: Registry
    draft: Draft
    description: Description
    request: Request
    inputs: Sequence[tuple[str, Path]]

    def called(self, key: str, workdir: Path) -> Call:
        """The request with everything that goes with it, as providers take it."""
        body = plain(self.request.body) if self.description.local else {}
        given = tuple(CallInput(role, "application/octet-stream", path) for role, path in self.inputs)
        fetch = _fetch(self.registry, [path for _, path in self.inputs])
        return Call(self.description, body, given, workdir, key, self.request, fetch)

    def told(self, key: str, outcome: Outcome, submitted_at: str | None, also: Also | None = None) -> Recorded:
        """Record an outcome under the key of its call."""
        draft = msgspec.structs.replace(self.draft, exchange_id=key)
        told = _with_outcome(draft, self.description, self.request, outcome, submitted_at)
        files = {str(path): path for _, path in self.inputs} | {str(out.path): out.path for out in outcome.outputs}
        try:
            return record(self.registry, told, files, also=also)
        except MediaRefused as problem:  # it paid for bytes that are no media: that is an outcome, not a lost call
            return record(self.registry, _malformed(told, str(problem)), files, also=also)

    def order(self, provider: HttpProvider) -> Order:
        """The call as the journal pays for it."""
        protocol, draft = provider.protocol, self.draft

        def calling(key: str, workdir: Path, gate: Callable[[], None]) -> Call:
            return replace(self.called(key, workdir), gate=gate)

        return Order(
            provider=provider,
            name=self.description.provider,
            host=provider.host,
            operation=draft.operation or self.description.operation_of(draft.model.requested),
            model=draft.model.requested,
            manifest=draft.replay_of,
            request_digest=hmac.digest(
                self.registry.draft_secret, request_digest(self.request).encode(), "sha256"
            ).hex(),
            idempotent=protocol.idempotency is not None,
            answer_s=protocol.timeout_s,
            limit_s=protocol.poll.limit_s if protocol.poll else None,
            calling=calling,
            told=self.told,
        )


def placed(role: str, path: Path, limits: Limits) -> Placed:
    """An input with its digests and the type its bytes have."""
    digests, size = digests_of_file(path)
    try:
        media_type = probe(path, limits=limits, name=path.name).media_type
    except MediaRefused:  # an input may be anything that the provider takes
        media_type = "application/octet-stream"
    return Placed(role, digests.to_json(), size, media_type)


def _fetch(registry: Registry, files: Sequence[Path]) -> Fetch:
    """Finds a file of a stored request: among the inputs, else where it was recorded."""
    found: dict[str, Path] = {}

    def fetch(digest: Mapping[str, str]) -> Path:
        if not found:
            found.update((digests_of_file(path)[0].sha256, path) for path in files)
        known = found.get(digest["sha256"])
        return known if known is not None else registry.assets.file(digest["blake3"])

    return fetch


def _license(draft: Draft, description: Description) -> License:
    """The terms as said, else as described."""
    terms = description.protocol.license if description.protocol else {}
    return draft.license if draft.license != License() or not terms else msgspec.convert(dict(terms), License)


def _with_outcome(
    draft: Draft, description: Description, request: Request, outcome: Outcome, submitted_at: str | None
) -> Draft:
    cost = outcome.cost
    known = cost is not None and cost.amount is not None
    return msgspec.structs.replace(
        draft,
        # As it was sent, by the description of today: a replay's manifest may name an earlier version of it.
        provider=msgspec.structs.replace(
            draft.provider, description=DescriptionRef(description.id, description.sha256)
        ),
        model=msgspec.structs.replace(draft.model, served=outcome.served_model),
        prompt=msgspec.structs.replace(draft.prompt, effective=outcome.effective_prompt),
        seed=msgspec.structs.replace(draft.seed, actual=outcome.actual_seed),
        settings=settings_of(description, request),
        outputs=[Incoming(file=str(out.path), role=out.role) for out in outcome.outputs],
        outcome=RecordedOutcome(
            class_=outcome.class_.value,
            state=outcome.state.value,
            http_status=recorded_status(outcome.http_status),
            request_id=outcome.request_id,
            job_id=recorded_job(outcome.job_id),
            attempts=outcome.attempts,
            submitted_at=submitted_at,
            completed_at=now(),
            latency_ms=Latency(**outcome.latency_ms),
            safety=outcome.safety.value,
            moderation=draft.outcome.moderation,
            error=outcome.error,
        ),
        cost=Cost(
            amount=cost.amount if cost else None,
            currency=cost.currency if cost else None,
            kind="reported" if known else "unknown",
            units=dict(cost.units) if cost else {},
        ),
        outputs_requested=max(len(outcome.outputs), asked_for(description, request) or 1),
        engine=dict(outcome.engine) if outcome.engine else None,
    )


def _malformed(draft: Draft, why: str) -> Draft:
    outcome = msgspec.structs.replace(
        draft.outcome, class_=OutcomeClass.MALFORMED.value, state=EndState.SUCCEEDED.value, error=why
    )
    return msgspec.structs.replace(draft, outcome=outcome, outputs=[])
