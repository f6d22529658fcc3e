"""What a replay needs, taken from the recorded manifest: request, inputs, originals; or why there can be none."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import msgspec

from drift.verdict import Verdict, not_replayable
from registry.assets.store import AssetNotFound
from registry.canonical import JSON
from registry.capture.description import Description, shipped
from registry.capture.request import settings_of, write_slot
from registry.drafting import Draft, Incoming, new_exchange_id
from registry.fetch import digests_of_asset
from registry.home import Registry
from registry.manifest import Context, Manifest, Model, Prompt, Provider, Request, Seed
from registry.record import Recorded
from registry.sealing import disclose, is_seal, seals_in
from registry.show import gone_assets, seal_states
from replay.elsewhere import AS_RECORDED as AS_RECORDED
from replay.elsewhere import Change as Change
from replay.elsewhere import Untranslatable, translated
from replay.generating import call
from replay.paying import Paying


@dataclass(frozen=True, slots=True)
class Ready:
    """A manifest that can be replayed, and what that takes; ``inputs`` are role and file, ``originals`` its outputs."""

    manifest: Manifest
    description: Description
    draft: Draft
    inputs: list[tuple[str, Path]]
    originals: list[Path]


def prepare(registry: Registry, manifest_id: str, change: Change) -> Ready | Verdict:
    """Everything a call needs, or the reason why there can be none."""
    manifest = registry.catalog.manifest(manifest_id)
    description = _described(manifest)
    if isinstance(description, Verdict):
        return description
    if not manifest.outputs:
        return not_replayable(
            "unsupported", f"the recorded call made nothing to compare with ({manifest.outcome.class_})"
        )
    elsewhere = change.provider not in (None, manifest.provider.name)
    if not elsewhere and (gone := _retired(description, change.model or manifest.model.requested)):
        return gone
    value = disclose(manifest.to_json(), registry.vault.get(manifest_id))
    if closed := [f"/request{pointer}" for pointer in sorted(seals_in(value["request"]))]:
        return _closed(registry, manifest_id, manifest, closed)
    try:
        inputs = [
            (asset.role, registry.assets.file(digests_of_asset(registry, manifest_id, "input", n, asset).blake3))
            for n, asset in enumerate(manifest.inputs)
        ]
        originals = output_files(registry, manifest_id, manifest)
    except AssetNotFound:
        return files_gone(registry, manifest_id)
    draft = _draft(manifest_id, manifest, value, description, AS_RECORDED if elsewhere else change, inputs)
    if elsewhere:
        limits = registry.settings.limits
        try:
            draft, description = translated(draft, description, change, inputs, limits)
        except Untranslatable as problem:
            return not_replayable("unsupported", str(problem))
        if gone := _retired(description, draft.model.requested):
            return gone
    return Ready(manifest, description, draft, inputs, originals)


def _described(manifest: Manifest) -> Description | Verdict:
    """How its provider is spoken to today; or why nobody here can."""
    name, reference, request = manifest.provider.name, manifest.provider.description, manifest.request
    if request is None or reference is None:
        why = f"mintmark cannot call {name} for this: it was recorded, not generated here"
        return not_replayable("unsupported", why)
    description = shipped().by_id(reference.id)
    if description is None:
        why = f"this program has no description {reference.id!r}, by which {name} was called"
        return not_replayable("unsupported", f"{why}; add its file to registry/capture/descriptions")
    if description.local and request.body is msgspec.UNSET:
        return not_replayable("unsupported", "the stored request is no JSON body, and local engines take nothing else")
    return description


def _closed(registry: Registry, manifest_id: str, manifest: Manifest, pointers: list[str]) -> Verdict:
    """Seals of the request that nothing opens: erased only where a signed record says so (design 02, erasure)."""
    states = seal_states(registry, manifest_id, manifest.to_json(), set())
    if erased := [pointer for pointer in pointers if states[pointer] == "erased"]:
        return not_replayable("erased", f"the request holds erased values ({', '.join(erased)})")
    why = f"the vault no longer opens values of the request ({', '.join(pointers)}), and no record says that they were"
    return not_replayable("missing", f"{why} erased; restore the vault from its backup, then replay again")


def files_gone(registry: Registry, *manifest_ids: str) -> Verdict:
    """Why files of these generations are not here: erased where a record says so, else missing."""
    gone = [
        (f"{one.direction} {one.position} of {manifest_id[7:19]}: {one.sentence}", one.record)
        for manifest_id in manifest_ids
        for one in gone_assets(
            registry, manifest_id, registry.catalog.manifest(manifest_id), registry.vault.get(manifest_id)
        )
    ]
    if erased := [sentence for sentence, record in gone if record is not None]:
        return not_replayable("erased", erased[0])
    told = gone[0][0] if gone else "a file was not there a moment ago"
    return not_replayable("missing", f"{told}; restore the assets and the vault from their backup, then replay again")


def run_again(registry: Registry, ready: Ready, paying: Paying | None = None) -> Recorded:
    """Send the prepared request as a call of its own and record what came.

    Args:
        registry: where the manifest lies and the replay goes.
        ready: from ``prepare``.
        paying: how it is paid for. The same key again goes on with the same call, and never makes a second one; a
            fresh key and no budget where left out.

    Raises:
        BudgetSpent: nothing was sent.
        KeyTaken, CallBusy, AnswerElsewhere: as ``replay.paying.pay``.
    """
    draft = msgspec.structs.replace(ready.draft, exchange_id=new_exchange_id())
    return call(registry, draft, ready.description, ready.inputs, paying)


def _draft(
    manifest_id: str,
    manifest: Manifest,
    value: dict[str, JSON],
    description: Description,
    change: Change,
    inputs: list[tuple[str, Path]],
) -> Draft:
    """A draft with the stored request; opened seals are sealed again under fresh salts when it is recorded."""
    request = msgspec.convert(value["request"], Request)
    for slot, wanted in (("model", change.model), ("seed", change.seed)):
        if wanted is not None:
            request = write_slot(description, request, slot, wanted)
    model = change.model or manifest.model.requested
    return Draft(
        provider=msgspec.convert(value["provider"], Provider),
        model=Model(requested=model, pin=description.pin(model, settings_of(description, request))),
        operation=manifest.operation,
        request=request,
        prompt=Prompt(submitted=_without_seals(value["prompt"])["submitted"]),
        seed=Seed(requested=change.seed or manifest.seed.requested),
        context=msgspec.convert(_without_seals(value["context"]), Context),
        inputs=[Incoming(file=str(path), role=role) for role, path in inputs],
        replay_of=manifest_id,
        labels={key: text for key, text in value["labels"].items() if isinstance(text, str)},
        capture="replay",
        confidence="full",
    )


def _retired(description: Description, model: str) -> Verdict | None:
    day = description.retired(model, datetime.datetime.now(datetime.UTC).date())
    return None if day is None else not_replayable("retired", f"model {model} was shut down on {day}")


def _without_seals(value: dict[str, JSON]) -> dict[str, JSON]:
    """A seal whose disclosure is gone belongs to the recorded manifest alone: a replay says null."""
    return {name: None if is_seal(member) else member for name, member in value.items()}


def output_files(registry: Registry, manifest_id: str, manifest: Manifest) -> list[Path]:
    """The stored output files; raises AssetNotFound where one was erased."""
    return [
        registry.assets.file(digests_of_asset(registry, manifest_id, "output", n, asset).blake3)
        for n, asset in enumerate(manifest.outputs)
    ]
