"""Completes a draft from its provider's description: pin, reference and, where nothing was captured, the request."""

import msgspec

from registry.canonical import JSON, canonical
from registry.capture.description import Description, shipped
from registry.capture.errors import AmbiguousDescription, SlotMismatch, UnknownSlot
from registry.capture.request import template_request
from registry.drafting import Draft
from registry.manifest import DescriptionRef, Request
from registry.verbatim import stored


def templated(draft: Draft, description: Description | None = None) -> Draft:
    """The draft with what its description knows; unchanged where the provider has none.

    The request of a remote operation is made up only where what was said is enough to send it: with the prompt that it
    takes, without input files, and with settings that it has. What else was recorded has no request to replay.

    Args:
        draft: what the caller says.
        description: found by provider, model and operation where left out.

    Raises:
        UnknownSlot: a setting that the operation does not have.
        AmbiguousDescription: the model alone does not tell the operation of a local engine.
    """
    found = description or _described(draft)
    if found is None:
        return draft
    provider = msgspec.structs.replace(
        draft.provider,
        description=DescriptionRef(id=found.id, sha256=found.sha256),
        host=found.hosts[0] if found.hosts else None,
    )
    model = msgspec.structs.replace(draft.model, pin=found.pin(draft.model.requested))
    draft = msgspec.structs.replace(
        draft, provider=provider, model=model, operation=found.operation_of(draft.model.requested)
    )
    if draft.request is not None:
        return draft
    if not found.local:
        return msgspec.structs.replace(draft, request=_remote(draft, found))
    body = stored(found.fill(slots_of(draft, found)))
    request = Request(origin="templated", method=found.method, path=found.path, bytes=len(canonical(body)), body=body)
    return msgspec.structs.replace(draft, request=request)


def _described(draft: Draft) -> Description | None:
    """The description that fits; None where a remote provider has several, as what was made may tell it later."""
    name = draft.provider.name
    try:
        return shipped().find(name, model=draft.model.requested, operation=draft.operation)
    except AmbiguousDescription:
        if any(one.local for one in shipped() if one.provider == name):
            raise
        return None


def _remote(draft: Draft, description: Description) -> Request | None:
    if draft.inputs or ("prompt" in description.slots and draft.prompt.submitted is None):
        return None
    try:
        return template_request(description, slots_of(draft, description))
    except (SlotMismatch, UnknownSlot):
        return None


def slots_of(draft: Draft, description: Description) -> dict[str, JSON]:
    """Slot values a draft gives: model, prompt and seed as far as the operation has them, then its settings."""
    said: dict[str, JSON] = {
        "model": draft.model.requested,
        "prompt": draft.prompt.submitted,
        "seed": draft.seed.requested,
    }
    given = {name: value for name, value in said.items() if value is not None and name in description.slots}
    return given | draft.settings
