"""Files on their way into a record: staged, digested, probed; nothing is stored yet."""

import hashlib
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import TypeAlias

from drift.errors import MediaRefused, MediaTooLarge
from drift.media.probe import Media, probe
from registry.assets.store import AssetStore, Staged
from registry.digest import Digest, pieces
from registry.drafting import Incoming
from registry.errors import InvalidValue, NotFound
from registry.home import Registry
from registry.manifest import Asset
from registry.settings import naming_setting

Files: TypeAlias = Mapping[str, Path | Staged]
"""The draft's file names with the files, or with what was staged from an upload."""


class FileMissing(InvalidValue):
    """A file that was named and is not there."""

    def __init__(self, name: str, why: str) -> None:
        """Name the file and the system's reason."""
        super().__init__("file", name, f"readable ({why}); nothing was recorded")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One asset of a manifest, and its bytes where they are not stored already."""

    asset: Asset
    staged: Staged | None  # None: stored already
    synced: Future[None] | None = None  # its draft becomes durable while it is probed and its record is made

    def keep(self, assets: AssetStore) -> None:
        """Store its bytes, durably when this returns, unless they are stored already."""
        if self.staged is not None:
            if self.synced is not None:
                self.synced.result()
            assets.keep(self.staged, synced=self.synced is not None)


def arrive(registry: Registry, given: Incoming, files: Files, cleanup: ExitStack, *, output: bool) -> Arrived:
    """Take one file of a draft in.

    Args:
        registry: whose asset store and limits.
        given: what the draft says of it.
        files: where its bytes are.
        cleanup: discards what was staged and never kept.
        output: outputs must be media, inputs may be anything a provider takes.

    Raises:
        FileMissing, InvalidValue, NotFound: no bytes to be had.
        MediaRefused: an output that cannot be read as media.
    """
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
    synced = registry.beside(lambda: registry.assets.sync(staged))
    media = _probe(registry, staged.path, Path(name).name, strict=output)
    return Arrived(_asset(given, staged.digests.to_json(), staged.bytes, media, output=output), staged, synced)


def _stage(registry: Registry, path: Path) -> Staged:
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):  # a device may never end
            raise FileMissing(str(path), "it is neither a file nor a pipe")
        stream = path.open("rb", buffering=0)
    except (OSError, ValueError) as problem:
        raise FileMissing(str(path), str(getattr(problem, "strerror", None) or problem)) from None
    with stream:
        return registry.assets.stage(_bounded(stream, path.name, registry.settings.max_bytes))


def _bounded(stream: RawIOBase, name: str, most: int) -> Iterator[bytes]:
    """Stop before the disk is full of what would be refused afterwards."""
    count = 0
    for piece in pieces(stream):
        count += len(piece)
        if count > most:
            raise MediaTooLarge(name, f"more than the limit of {most:,} bytes", "raise max_bytes if it is meant")
        yield piece


def _stored(registry: Registry, given: Incoming, *, output: bool) -> Arrived:
    wanted = Digest.parse(str(given.digest))
    blake3 = registry.catalog.blake3_of(wanted.hex) if wanted.algorithm == "sha256" else wanted.hex
    if blake3 is None:
        raise NotFound("asset", str(wanted), "upload the file itself")
    path = registry.assets.file(blake3)
    sha256 = wanted.hex if wanted.algorithm == "sha256" else _sha256_of(path)
    media = _probe(registry, path, None, strict=output)
    digest = {"blake3": blake3, "sha256": sha256}
    return Arrived(_asset(given, digest, path.stat().st_size, media, output=output), None)


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
        return probe(path, limits=registry.settings.limits, name=name)
    except MediaTooLarge as refusal:
        if strict:
            raise naming_setting(refusal) from None
    except MediaRefused:
        if strict:
            raise
    return None


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
