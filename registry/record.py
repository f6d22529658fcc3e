"""Records a generation: bytes in, probed, digested, sealed, signed, logged."""

import hashlib
import hmac
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from drift.errors import MediaRefused, MediaTooLarge
from drift.media.limits import Limits
from drift.media.probe import Media, probe
from registry.assets.store import Staged
from registry.canonical import JSON, canonical
from registry.capture.description import Description, shipped
from registry.digest import Digest, pieces
from registry.drafting import (
    Draft,
    Incoming,
    assemble,
    new_exchange_id,
    operation_of,
    refuse_empty_success,
    seal_manifest,
)
from registry.errors import CouldNotRun, ExchangeConflict, InvalidValue, NotFound
from registry.home import Registry
from registry.manifest import Asset, Manifest
from registry.settings import Settings
from registry.times import now

Files = Mapping[str, "Path | Staged"]


class FileMissing(InvalidValue):
    """A file that was named and is not there."""

    def __init__(self, name: str, why: str) -> None:
        """Name the file and the system's reason."""
        super().__init__("file", name, f"readable ({why}); nothing was recorded")


class AssetVanished(CouldNotRun):
    """An asset was erased while a record that needs it was on its way."""

    def __init__(self, digest: str) -> None:
        """Name the digest."""
        super().__init__(f"asset {digest} was erased while it was being recorded; record it again")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a recording; ``new`` is False where the exchange was recorded before."""

    id: str
    manifest: Manifest
    new: bool


@dataclass(frozen=True, slots=True)
class _Arrived:
    asset: Asset
    staged: Staged | None  # None: stored already


def record(registry: Registry, draft: Draft, files: Files) -> Recorded:
    """Record one generation; durable when this returns.

    Args:
        registry: where to.
        draft: what the caller says.
        files: the draft's file names with the files, or with what was staged
            from an upload.

    Raises:
        MediaRefused: an output cannot be read as media.
        FileMissing, InvalidValue, SchemaMismatch: the draft is not in order.
        ExchangeConflict: the exchange is recorded with another draft.
        CouldNotRun: disk, database or keys fail. Nothing is recorded then.
    """
    refuse_empty_success(draft)
    with ExitStack() as cleanup:
        inputs = [_arrive(registry, given, files, cleanup, output=False) for given in draft.inputs]
        outputs = [_arrive(registry, given, files, cleanup, output=True) for given in draft.outputs]
        exchange_id = draft.exchange_id or new_exchange_id()
        in_assets, out_assets = [one.asset for one in inputs], [one.asset for one in outputs]
        value = assemble(draft, in_assets, out_assets, recorded_at=now(), exchange_id=exchange_id)
        mac = _mac(registry.draft_secret, value)
        if draft.exchange_id and (stored := registry.catalog.exchange(exchange_id)):
            return _again(registry, exchange_id, stored, mac)
        disclosures = seal_manifest(value, _description(draft, in_assets, out_assets))
        manifest = Manifest.check(value)
        body = canonical(value)
        fresh = [one.staged for one in (*inputs, *outputs) if one.staged is not None]
        digests = [one.asset.digest["blake3"] for one in (*inputs, *outputs)]
        answer: list[tuple[str, bytes]] = []

        def keep() -> None:
            for staged in fresh:
                registry.assets.keep(staged)

        def check(connection: Connection) -> str | None:
            # An id minted here a moment ago cannot be taken yet.
            if draft.exchange_id and (found := registry.catalog.exchange(exchange_id, connection)):
                answer.append(found)
                return found[0]
            for digest in digests:
                if digest not in registry.assets:
                    raise AssetVanished(digest)
            return None

        def derive(connection: Connection, manifest_id: str) -> None:
            registry.catalog.insert_generation(connection, manifest_id, manifest, mac)

        manifest_id = registry.append(
            "generation",
            body,
            disclosures=disclosures,
            beside=keep,
            derive=derive,
            check=check,
        )
    if answer:
        return _again(registry, exchange_id, answer[0], mac)
    return Recorded(manifest_id, manifest, True)


def limits_of(settings: Settings) -> Limits:
    """The bounds on one media file, as the settings say."""
    return Limits(pixels=settings.max_pixels, duration_ms=settings.max_seconds * 1000, file_bytes=settings.max_bytes)


def _arrive(registry: Registry, given: Incoming, files: Files, cleanup: ExitStack, *, output: bool) -> _Arrived:
    if (given.file is None) == (given.digest is None):
        raise InvalidValue("outputs" if output else "inputs", given.file, "one file or one digest for each entry")
    if given.digest is not None:
        return _stored(registry, given, output=output)
    name = str(given.file)
    source = files.get(name)
    if source is None:
        raise FileMissing(name, "no such file was handed in")
    staged = source if isinstance(source, Staged) else _stage(registry, source)
    cleanup.callback(staged.discard)
    media = _probe(registry, staged.path, Path(name).name, strict=output)
    return _Arrived(_asset(given, staged.digests.to_json(), staged.bytes, media, output=output), staged)


def _stage(registry: Registry, path: Path) -> Staged:
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):  # a device may never end
            raise FileMissing(str(path), "it is neither a file nor a pipe")
        stream = path.open("rb")
    except (OSError, ValueError) as problem:
        raise FileMissing(str(path), str(getattr(problem, "strerror", None) or problem)) from None
    with stream:
        return registry.assets.stage(_bounded(stream, path.name, registry.settings.max_bytes))


def _bounded(stream: BinaryIO, name: str, most: int) -> Iterator[bytes]:
    """Stop before the disk is full of what would be refused afterwards."""
    count = 0
    for piece in pieces(stream):
        count += len(piece)
        if count > most:
            raise MediaTooLarge(name, f"more than the limit of {most:,} bytes", "raise max_bytes if it is meant")
        yield piece


def _stored(registry: Registry, given: Incoming, *, output: bool) -> _Arrived:
    wanted = Digest.parse(str(given.digest))
    blake3 = registry.catalog.blake3_of(wanted.hex) if wanted.algorithm == "sha256" else wanted.hex
    if blake3 is None:
        raise NotFound("asset", str(wanted), "upload the file itself")
    path = registry.assets.file(blake3)
    sha256 = wanted.hex if wanted.algorithm == "sha256" else _sha256_of(path)
    media = _probe(registry, path, None, strict=output)
    digest = {"blake3": blake3, "sha256": sha256}
    return _Arrived(_asset(given, digest, path.stat().st_size, media, output=output), None)


def _asset(given: Incoming, digest: dict[str, str], size: int, media: Media | None, *, output: bool) -> Asset:
    kind = media.kind if media else "file"
    return Asset(
        role=given.role or (kind if output else "reference"),
        digest=digest,
        media_type=media.media_type if media else "application/octet-stream",
        bytes=size,
        media=dict(media.facts) if media else None,
    )


def _probe(registry: Registry, path: Path, name: str | None, *, strict: bool) -> Media | None:
    """Facts about a file. An input may be anything a provider takes; an output must be media."""
    try:
        return probe(path, limits=limits_of(registry.settings), name=name)
    except MediaRefused:
        if strict:
            raise
        return None


def _description(draft: Draft, inputs: list[Asset], outputs: list[Asset]) -> Description | None:
    if draft.provider.description is not None:
        return shipped().by_id(draft.provider.description.id)
    operation = operation_of(draft, inputs, outputs)
    return shipped().find(draft.provider.name, model=draft.model.requested, operation=operation)


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


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
