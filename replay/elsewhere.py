"""What a replay sends otherwise than recorded; and the recorded request as another provider takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from drift.media.limits import Limits
from registry.canonical import JSON
from registry.capture.description import Description, shipped
from registry.capture.errors import SlotMismatch
from registry.capture.request import read_slot, template_request
from registry.drafting import Draft
from registry.errors import Refused
from registry.manifest import Model, Provider, Seed
from registry.settings import FILE, Settings
from registry.templating import templated
from registry.verbatim import plain
from replay.generating import placed


@dataclass(frozen=True, slots=True)
class Change:
    """What to send otherwise than recorded; None keeps what the manifest says.

    Another provider needs a model of its own, and sees the prompt: whoever asks for one makes sure that it may.
    """

    model: str | None = None
    seed: str | None = None
    provider: str | None = None


AS_RECORDED = Change()


class MayNotSend(Refused):
    """A replay that would show the prompt to somebody it was not meant for."""

    def __init__(self, recorded: str, provider: str, permission: str) -> None:
        """Name both and the line that permits it."""
        super().__init__(
            f"{provider} is not who made this ({recorded} is), and would see its prompt and inputs; nothing was sent: "
            f"{permission} permits it"
        )


class Untranslatable(Exception):
    """The other provider cannot be asked for the same; the text says why."""


def check_may_send(settings: Settings, recorded: str, provider: str) -> None:
    """Let a provider pass that may see what was sent to another: itself, an engine of this machine, or one allowed.

    Raises:
        MayNotSend: none of these.
    """
    here = any(one.local for one in shipped() if one.provider == provider)
    if provider != recorded and not here and provider not in settings.sending.may_send_to:
        raise MayNotSend(recorded, provider, f'may_send_to = ["{provider}"] in {FILE}')


def translated(
    draft: Draft,
    description: Description,
    change: Change,
    inputs: Sequence[tuple[str, Path]],
    limits: Limits,
) -> tuple[Draft, Description]:
    """A draft whose request goes to another provider. Settings that this one does not have are left out.

    Args:
        draft: with the stored request, everything open.
        description: of the recorded operation.
        change: names the other provider, its model, and a seed if another is wanted.
        inputs: role and file of everything that goes with the call.
        limits: bounds on those files.

    Raises:
        Untranslatable: it cannot be asked for this.
        AmbiguousDescription: the model does not tell which of its operations is meant.
    """
    provider, model, seed = str(change.provider), change.model, change.seed or draft.seed.requested
    if model is None:
        raise Untranslatable(f"another provider has other models, and none of {provider} is named")
    other = shipped().find(provider, model=model, operation=draft.operation)
    if other is None or draft.request is None:
        raise Untranslatable(f"mintmark knows no {draft.operation} of {provider}")
    said = {slot: read_slot(description, draft.request, slot) for slot in description.slots}
    said |= {"model": model, "seed": seed}
    values: dict[str, JSON] = {slot: plain(value) for slot, value in said.items() if value is not None}
    if "prompt" in values and "prompt" not in other.slots:
        raise Untranslatable(f"{other.id} takes no prompt")
    values = {slot: value for slot, value in values.items() if slot in other.slots}
    draft = msgspec.structs.replace(
        draft,
        provider=Provider(name=provider),
        model=Model(requested=model),
        seed=Seed(requested=seed if "seed" in other.slots else None),
        settings={slot: value for slot, value in values.items() if slot not in ("model", "prompt", "seed")},
        request=None,
    )
    try:
        if not other.local:
            files = [placed(role, path, limits) for role, path in inputs]
            draft = msgspec.structs.replace(draft, request=template_request(other, values, files))
        return templated(draft, other), other
    except SlotMismatch as problem:
        raise Untranslatable(str(problem)) from None
