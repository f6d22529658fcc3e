"""Records a generation: bytes in, probed, digested, sealed, signed, logged."""

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from registry.arriving import Arrived, Files, arrive
from registry.canonical import JSON, canonical
from registry.capture.description import Description, shipped
from registry.capture.errors import AmbiguousDescription
from registry.drafting import (
    Draft,
    assemble,
    new_exchange_id,
    operation_of,
    refuse_empty_success,
    seal_manifest,
)
from registry.errors import CouldNotRun, ExchangeConflict, InvalidValue
from registry.home import Registry
from registry.manifest import Asset, Manifest
from registry.prices.store import estimated
from registry.sealing import Disclosure, disclose, seals_in
from registry.times import now

Also: TypeAlias = Callable[[Connection, str], None]


class AssetVanished(CouldNotRun):
    """An asset was erased while a record that needs it was on its way."""

    def __init__(self, digest: str) -> None:
        """Name the digest."""
        super().__init__(f"asset {digest} was erased while it was being recorded; record it again")


class ErasedMeanwhile(CouldNotRun):
    """A replay of something that was erased while it ran."""

    def __init__(self, manifest: str) -> None:
        """Name what was replayed."""
        super().__init__(
            f"{manifest} was erased while it was being replayed; the replay is not recorded, it holds what had to go"
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a recording; ``new`` is False where the exchange was recorded before."""

    id: str
    manifest: Manifest
    new: bool


def record(registry: Registry, draft: Draft, files: Files, *, also: Also | None = None) -> Recorded:
    """Record one generation; durable when this returns.

    Args:
        registry: where to.
        draft: what the caller says.
        files: the draft's file names with the files, or with what was staged
            from an upload.
        also: a step of the same transaction, given the new manifest's id; what it raises undoes the record.

    Raises:
        MediaRefused: an output cannot be read as media.
        FileMissing, InvalidValue, SchemaMismatch: the draft is not in order.
        ExchangeConflict: the exchange is recorded with another draft.
        CouldNotRun: disk, database or keys fail. Nothing is recorded then.
    """
    refuse_empty_success(draft)
    with ExitStack() as cleanup:
        inputs = [arrive(registry, given, files, cleanup, output=False) for given in draft.inputs]
        outputs = [arrive(registry, given, files, cleanup, output=True) for given in draft.outputs]
        exchange_id = draft.exchange_id or new_exchange_id()
        in_assets, out_assets = [one.asset for one in inputs], [one.asset for one in outputs]
        value = assemble(draft, in_assets, out_assets, recorded_at=now(), exchange_id=exchange_id)
        mac = _mac(registry.draft_secret, value)
        if draft.exchange_id and (stored := registry.catalog.exchange(exchange_id)):
            return _again(registry, exchange_id, stored, mac)
        # After the MAC: with other prices by then, the same draft is still the same.
        value["cost"] = estimated(registry, value) or value["cost"]
        description = _description(draft, in_assets, out_assets)
        if description is None:  # whether a name is a pin is a description's to say, never a caller's
            value["model"]["pin"], value["provider"]["host"] = "unknown", None
        else:
            value["model"]["pin"] = description.pin(draft.model.requested, draft.settings)
        disclosures = seal_manifest(value, description)
        manifest = Manifest.check(value)
        return _commit(registry, draft, manifest, canonical(value), disclosures, [*inputs, *outputs], mac, also)


def _commit(
    registry: Registry,
    draft: Draft,
    manifest: Manifest,
    body: bytes,
    disclosures: list[Disclosure],
    arrived: list[Arrived],
    mac: bytes,
    also: Also | None,
) -> Recorded:
    """Assets and vault first, then the record, if under the lock nothing speaks against it."""
    exchange_id = manifest.recorder.exchange_id
    taken: list[tuple[str, bytes]] = []

    def keep() -> None:
        for one in arrived:
            one.keep(registry.assets)

    def check(connection: Connection) -> str | None:
        # An id minted here a moment ago cannot be taken yet.
        if draft.exchange_id and (found := registry.catalog.exchange(exchange_id, connection)):
            taken.append(found)
            return found[0]
        _refuse_erased(registry, draft, arrived)
        return None

    def derive(connection: Connection, manifest_id: str) -> None:
        registry.catalog.insert_generation(connection, manifest_id, manifest, mac)
        if also is not None:
            also(connection, manifest_id)

    manifest_id = registry.append("generation", body, disclosures=disclosures, beside=keep, derive=derive, check=check)
    if taken:
        return _again(registry, exchange_id, taken[0], mac)
    return Recorded(manifest_id, manifest, True)


def _refuse_erased(registry: Registry, draft: Draft, arrived: list[Arrived]) -> None:
    """Let a record pass unless an erasure took away, meanwhile, what it needs or what it repeats."""
    for one in arrived:
        if one.asset.digest["blake3"] not in registry.assets:
            raise AssetVanished(one.asset.digest["blake3"])
    if draft.replay_of and not _still_disclosed(registry, draft.replay_of):
        raise ErasedMeanwhile(draft.replay_of)


def _still_disclosed(registry: Registry, manifest_id: str) -> bool:
    """Whether the request of a generation is still open, and no erasure that names it is under way."""
    root = registry.catalog.roots([manifest_id])[manifest_id]
    promised = b"".join(body for _, body in registry.catalog.intents())
    if root.encode() in promised or manifest_id.encode() in promised:
        return False
    value = disclose(registry.catalog.manifest(manifest_id).to_json(), registry.vault.get(manifest_id))
    return not seals_in(value["request"])


def _description(draft: Draft, inputs: list[Asset], outputs: list[Asset]) -> Description | None:
    """The shipped description that a draft names, or that fits it.

    Raises:
        InvalidValue: it names one that is not shipped, or another version of it.
    """
    named = draft.provider.description
    if named is not None:
        found = shipped().by_id(named.id)
        if found is None or found.sha256 != named.sha256:
            raise InvalidValue(
                "/provider/description", named.id, "a description that this program ships, as it ships it"
            )
        return found
    if draft.capture == "import":  # nobody saw the call: a name says nothing about a pin then
        return None
    operation = operation_of(draft, inputs, outputs)
    try:
        return shipped().find(draft.provider.name, model=draft.model.requested, operation=operation)
    except AmbiguousDescription:  # what was made elsewhere is recorded all the same, with everything sealed
        return None


def _mac(secret: bytes, value: dict[str, JSON]) -> bytes:
    """Tells whether two drafts are the same without keeping either."""
    same = {key: member for key, member in value.items() if key not in ("recorded_at", "environment", "recorder")}
    text = json.dumps(same, sort_keys=True)  # stored nowhere: any form will do that equal drafts share
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()


def _again(registry: Registry, exchange_id: str, stored: tuple[str, bytes], mac: bytes) -> Recorded:
    manifest_id, stored_mac = stored
    if not hmac.compare_digest(stored_mac, mac):
        raise ExchangeConflict(exchange_id, manifest_id)
    return Recorded(manifest_id, registry.catalog.manifest(manifest_id), False)
