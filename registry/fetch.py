"""Finds the bytes of an asset, open or sealed, and copies them out."""

import shutil
from pathlib import Path
from typing import BinaryIO

from registry.assets.store import AssetCorrupted, AssetNotFound
from registry.digest import Digest, DigestSet, digests_of_file
from registry.errors import CouldNotRun, FileThere, InvalidValue, NotFound, RegistryError, counted
from registry.home import Registry
from registry.manifest import Asset, Manifest
from registry.show import gone_assets
from registry.whole import drafted

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


class NoSuchAsset(NotFound):
    """A generation without such an output or input."""

    def __init__(self, manifest_id: str, manifest: Manifest, which: str | int | None) -> None:
        """Say how the call ended, or which outputs or roles there are."""
        roles = sorted({asset.role for asset in (*manifest.outputs, *manifest.inputs)})
        if isinstance(which, int) and (made := len(manifest.outputs)):
            has = f"it made {counted(made, 'output')}: " + ("0" if made == 1 else f"0 to {made - 1}")
            super().__init__("asset", f"output {which} of {manifest_id}", has)
        elif isinstance(which, str):
            super().__init__("asset", f"{which} of {manifest_id}", f"it has {', '.join(roles) or 'none at all'}")
        else:
            short = manifest_id[7:19]
            more = f"; --role {roles[0]} writes what went in" if roles else ""
            why = f"the call ended as {manifest.outcome.class_}{more}; `mintmark show {short}` tells why"
            RegistryError.__init__(self, f"{short} made nothing: {why}")


class AssetGone(NotFound):
    """An asset that was erased, or that is missing."""

    def __init__(self, manifest: str, place: str, why: str) -> None:
        """Name the place and what became of it."""
        RegistryError.__init__(self, f"{place} of {manifest[7:19]}: {why}; nothing can be written")


class NotCopied(CouldNotRun):
    """A copy that its folder did not take; the asset lies where it was."""

    def __init__(self, target: Path, problem: OSError, name: str) -> None:
        """Name both, and the command that copies it."""
        why = problem.strerror or problem
        super().__init__(f"{target} was not written: {why}; try `mintmark get {name} --to` another place")


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


def find_asset(registry: Registry, name: str, which: str | int | None = None) -> tuple[Path, str]:
    """The stored file behind a digest, or behind an output or input of a generation.

    Args:
        registry: where it is.
        name: a digest, or a generation's id.
        which: of a generation, the number of an output, from 0, or the role of an output or input; its first output
            where left out.

    Returns:
        The file, to be read only, and its media type.

    Raises:
        NotFound: no such generation, output, role or asset.
        InvalidValue: an output or role of a digest.
    """
    if name.startswith("blake3:") or (
        name.startswith("sha256:") and len(name) == 71 and not registry.catalog.has(name)
    ):
        if which is not None:
            raise InvalidValue("role" if isinstance(which, str) else "output", which, "for a digest: name a generation")
        return find_bytes(registry, Digest.parse(name))
    full = registry.catalog.resolve(name)
    manifest = registry.catalog.manifest(full)
    every = [("output", n, asset) for n, asset in enumerate(manifest.outputs)]
    every += [("input", n, asset) for n, asset in enumerate(manifest.inputs)]
    if isinstance(which, str):
        fitting = [one for one in every if one[2].role == which]
    else:
        fitting = [one for one in every if one[:2] == ("output", which or 0)]
    if not fitting:
        raise NoSuchAsset(full, manifest, which)
    direction, position, asset = fitting[0]
    try:
        digests = digests_of_asset(registry, full, direction, position, asset)
        return registry.assets.file(digests.blake3), asset.media_type
    except AssetNotFound:
        gone = gone_assets(registry, full, manifest, registry.vault.get(full))
        told = [one.sentence for one in gone if (one.direction, one.position) == (direction, position)]
        raise AssetGone(full, f"{direction} {position}", told[0] if told else "its bytes went away just now") from None


def fetch(registry: Registry, name: str, which: str | int | None, target: Path, *, replace: bool = True) -> Path:
    """Copy an asset out; an existing file is replaced only when the copy is complete, and only if ``replace``.

    In a folder, the copy is named after the id, and after the number of the output where that is given.

    Raises:
        FileThere: there is one, and it is not to be replaced.
        NotFound: as ``find_asset``.
        AssetCorrupted: the stored bytes are not the recorded ones.
        InvalidValue: the target's folder does not exist.
        NotCopied: it takes no copy.
    """
    source, media_type = find_asset(registry, name, which)
    if target.is_dir():
        full = name if name.startswith("blake3:") else registry.catalog.resolve(name) if name[:1] == "@" else name
        short = full.partition(":")[2][:12] or full[:12]
        number = f"-{which}" if isinstance(which, int) else ""
        target = target / f"{short}{number}{_SUFFIX.get(media_type, '')}"
    if not target.parent.is_dir():
        raise InvalidValue("--to", str(target), "in an existing folder; make it first")
    if not replace and target.exists():
        raise FileThere(target)
    try:
        with drafted(target, durable=False) as draft:
            shutil.copyfile(source, draft)
            if (actual := digests_of_file(draft)[0].blake3) != source.name:
                raise AssetCorrupted(str(source), expected=f"blake3:{source.name}", actual=f"blake3:{actual}")
    except OSError as problem:
        raise NotCopied(target, problem, name) from problem
    return target


def pour(registry: Registry, name: str, which: str | int | None, out: BinaryIO) -> None:
    """Write an asset to a stream; altered bytes are noticed before the first one goes out.

    Raises:
        NotFound: as ``find_asset``.
        AssetCorrupted: the stored bytes are not the recorded ones.
    """
    source, _ = find_asset(registry, name, which)
    registry.assets.check(source.name)
    with source.open("rb") as stream:
        shutil.copyfileobj(stream, out, 1 << 20)
    out.flush()


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
