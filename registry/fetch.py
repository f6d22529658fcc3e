"""Finds the bytes of an asset, open or sealed, and copies them out."""

import os
import secrets
import shutil
from pathlib import Path

from registry.assets.store import AssetCorrupted, AssetNotFound
from registry.digest import Digest, DigestSet, digests_of_file
from registry.errors import InvalidValue, NotFound
from registry.home import Registry
from registry.manifest import Asset

_SUFFIX = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/matroska": ".mkv",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "text/plain": ".txt",
    "text/vtt": ".vtt",
    "application/x-subrip": ".srt",
    "application/json": ".json",
}


def digests_of_asset(registry: Registry, manifest_id: str, direction: str, position: int, asset: Asset) -> DigestSet:
    """Both digests of an asset, from the vault where the manifest has them sealed.

    Raises:
        AssetNotFound: they are sealed and the disclosure was erased.
    """
    if (digests := asset.digests) is None:
        opened = {found.pointer: found.value for found in registry.vault.get(manifest_id)}
        digests = asset.digests_with(opened, f"/{direction}s/{position}/digest")
    if digests is None:
        raise AssetNotFound(f"{direction} {position} of {manifest_id}")
    return digests


def find_asset(registry: Registry, name: str, role: str | None = None) -> tuple[Path, str]:
    """The stored file behind a digest or behind an output (or, by role, an input) of a generation.

    Returns:
        The file, to be read only, and its media type.

    Raises:
        NotFound: no such generation, role or asset.
    """
    if name.startswith("blake3:") or (
        name.startswith("sha256:") and len(name) == 71 and not registry.catalog.has(name)
    ):
        return find_bytes(registry, Digest.parse(name))
    full = registry.catalog.resolve(name)
    manifest = registry.catalog.manifest(full)
    every = [("output", n, asset) for n, asset in enumerate(manifest.outputs)]
    every += [("input", n, asset) for n, asset in enumerate(manifest.inputs)]
    fitting = [one for one in every if role is None or one[2].role == role]
    if not fitting:
        roles = ", ".join(sorted({asset.role for _, _, asset in every})) or "no assets at all"
        raise NotFound("asset", f"{role or ''} of {full}", f"it has {roles}")
    direction, position, asset = fitting[0]
    digests = digests_of_asset(registry, full, direction, position, asset)
    return registry.assets.file(digests.blake3), asset.media_type


def fetch(registry: Registry, name: str, role: str | None, target: Path) -> Path:
    """Copy an asset out; an existing file is replaced only when the copy is complete.

    Raises:
        NotFound: as ``find_asset``.
        AssetCorrupted: the stored bytes are not the recorded ones.
        InvalidValue: the target's folder does not exist.
    """
    source, media_type = find_asset(registry, name, role)
    if target.is_dir():
        short = name.partition(":")[2][:12] or name.lstrip("@")[:12]
        target = target / f"{short}{_SUFFIX.get(media_type, '')}"
    if not target.parent.is_dir():
        raise InvalidValue("--to", str(target), "in an existing folder; make it first")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(source, draft)
        if (actual := digests_of_file(draft)[0].blake3) != source.name:
            raise AssetCorrupted(str(source), expected=f"blake3:{source.name}", actual=f"blake3:{actual}")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def suffix_of(media_type: str) -> str:
    """The usual file suffix of a media type, or nothing."""
    return _SUFFIX.get(media_type, "")


def find_bytes(registry: Registry, digest: Digest) -> tuple[Path, str]:
    """The stored file of a digest, sealed or not, and its media type.

    Raises:
        AssetNotFound: no generation made or used it, or it was erased.
    """
    uses = registry.catalog.uses(digest) or registry.index.uses(digest)
    if not uses:
        raise AssetNotFound(str(digest))
    manifest = registry.catalog.manifest(uses[0].manifest)
    assets = manifest.outputs if uses[0].direction == "output" else manifest.inputs
    asset = assets[uses[0].position]
    digests = digests_of_asset(registry, uses[0].manifest, uses[0].direction, uses[0].position, asset)
    return registry.assets.file(digests.blake3), asset.media_type
