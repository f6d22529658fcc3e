"""Gathers what a bundle carries: the selected records, what speaks of them, and the keys that signed them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from registry.assets.store import AssetNotFound
from registry.canonical import JSON, parse
from registry.catalog.store import StoredRecord
from registry.errors import CouldNotRun, NotFound, RegistryError, counted
from registry.export.bundle import BundleRecord, Selection, export_bundle, key_places
from registry.home import Registry
from registry.keys import trust_lines
from registry.log.leaf import Leaf
from registry.manifest import Manifest
from registry.sealing import LEAK_LENGTH, Disclosure, seals_in, texts
from registry.taken import Taken, taken
from registry.times import now

# What people call the sealed parts, and the pointers each name opens.
GROUPS = {
    "prompt": ("/prompt/", "/request/", "/settings/"),
    "subject": ("/context/", "/labels/"),
    "error": ("/outcome/",),
    "reason": ("/reason",),
    "digest": ("/outputs/", "/inputs/"),
}


_TOLD = 3  # lost files by name; `mintmark doctor` counts them all


class NothingSelected(CouldNotRun):
    """A selection without records."""

    exit_code = 5

    def __init__(self) -> None:
        """Say what selects."""
        super().__init__("nothing selected: no generation fits; `mintmark search` with the same options shows why")


class AssetsLost(NotFound):
    """Recorded files that are not here, though no erasure took them."""

    def __init__(self, lost: Sequence[str]) -> None:
        """Name the first of them."""
        told = f"{', '.join(lost[:_TOLD])}{' …' if len(lost) > _TOLD else ''}"
        RegistryError.__init__(
            self,
            f"{counted(len(lost), 'file')} lost, and no erasure took them: {told}; nothing was written: restore them "
            "from a backup of the assets, or `mintmark export --no-assets` leaves all files out",
        )


class LogShorter(CouldNotRun):
    """A proof of consistency with a checkpoint that this log never had."""

    exit_code = 2

    def __init__(self, asked: int, size: int) -> None:
        """Say how long the log is."""
        super().__init__(
            f"this log has {counted(size, 'entry')}, so it continues no checkpoint of {asked:,}; the size is the "
            "second line of the checkpoint that was kept"
        )


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: ``bundle.json`` as JSON, and how many of its files are not in it because they were erased."""

    bundle: dict[str, JSON]
    erased: int


@dataclass(slots=True)
class _Files:
    """The asset files of a selection: which kinds come along, and what became of those that are not here."""

    wanted: bool
    taken: Taken
    erased: set[str | tuple[str, str, int]] = field(default_factory=set)  # hex SHA-256, or places of sealed ones
    lost: dict[str, str] = field(default_factory=dict)  # BLAKE3 → what people call it


def export_selection(
    registry: Registry,
    target: Path,
    manifests: Iterable[str],
    *,
    words: str,
    disclose: Collection[str] = (),
    assets: bool = True,
    everything: bool = False,
    consistency: Collection[int] = (),
) -> Exported:
    """Write a bundle of some generations, or of the whole log.

    Args:
        registry: where they lie.
        target: a ``.zip`` file or a folder that does not exist yet.
        manifests: ids; what speaks of them (drift, reviews, tags, erasures) comes along.
        words: the selection, as it was asked for.
        disclose: names from ``GROUPS`` whose seals the bundle opens, or ``all``.
        assets: whether the bytes come along, where their digests are open.
        everything: carry every entry of the log and say so: then the bundle can be complete.
        consistency: sizes of checkpoints that an auditor kept; the bundle proves that the log continues them.

    Raises:
        NothingSelected: there is nothing to carry.
        AssetsLost: files are to come along, and some are not here though no erasure took them.
        LogShorter: the log has fewer entries than a checkpoint that it is to continue.
    """
    checkpoint = registry.log.checkpoint(registry.log_signer, registry.snapshot.origin)
    if consistency and max(consistency) > checkpoint.size:
        raise LogShorter(max(consistency), checkpoint.size)
    with registry.catalog.database.reading() as connection:
        wanted = (
            _everything(registry, connection, checkpoint.size) if everything else _with_company(registry, manifests)
        )
        index_of = _places(registry, connection, wanted, checkpoint.size)
        files = _Files(assets, taken(registry))
        records = [
            _bundled(registry, stored, index_of[stored.id], disclose, files)
            for stored in registry.catalog.each(list(index_of))
        ]
        if files.lost:
            raise AssetsLost(list(files.lost.values()))
        bundle = export_bundle(
            target,
            records,
            selection=Selection(words, now(), (0, checkpoint.size) if everything else None),
            checkpoint=checkpoint,
            proof=registry.log.prover(connection, checkpoint),
            signer=registry.recorder,
            trust=trust_lines(registry.snapshot),
            consistency={size: registry.log.consistency(connection, size, checkpoint.size) for size in consistency},
        )
        return Exported(bundle, len(files.erased))


def _places(registry: Registry, connection: Connection, wanted: Iterable[str], size: int) -> dict[str, int]:
    """Where the wanted records stand in the log, and the key records that their verifier needs; in the log's order."""
    places = {index: found for found in wanted if (index := registry.log.index_of(connection, found)) is not None}
    if not places:
        raise NothingSelected

    def leaf(index: int) -> Leaf:
        return registry.log.entry(connection, index)

    for index in key_places(leaf, places, size):
        places[index] = leaf(index).id
    return {places[index]: index for index in sorted(places)}


def _everything(registry: Registry, connection: Connection, size: int) -> list[str]:
    return [Leaf.parse(body).id for _, body in registry.log.entries(connection, 0, size)]


def _with_company(registry: Registry, manifests: Iterable[str]) -> Iterator[str]:
    for manifest in manifests:
        yield manifest
        for found in registry.catalog.about(manifest):
            yield found.id


def _bundled(
    registry: Registry, stored: StoredRecord, index: int, disclose: Collection[str], files: _Files
) -> BundleRecord:
    value = parse(stored.body)
    held = registry.vault.get(stored.id)
    shown = _shown(held, disclose)
    open_here = {found.pointer for found in shown}
    withheld = [found.pointer for found in held if found.pointer not in open_here and found.pointer in seals_in(value)]
    found = _asset_files(registry, stored, shown, files) if files.wanted and stored.kind == "generation" else {}
    return BundleRecord(
        stored.id, stored.kind, stored.body, stored.signature, stored.keyid, index, shown, withheld, found
    )


def _shown(held: Sequence[Disclosure], disclose: Collection[str]) -> list[Disclosure]:
    """What the bundle may open: by group, and never a value that repeats one of a group that stays sealed.

    A label can be sealed because it repeats the prompt: opening labels must not open the prompt.
    """
    shown = [found for found in held if _may_show(found, disclose)]
    private = [text for found in held if found not in shown for text in texts(found.value) if len(text) >= LEAK_LENGTH]
    return [found for found in shown if not any(secret in text for text in texts(found.value) for secret in private)]


def _may_show(found: Disclosure, disclose: Collection[str]) -> bool:
    return "all" in disclose or any(found.pointer.startswith(GROUPS[name]) for name in disclose)


def _asset_files(
    registry: Registry, stored: StoredRecord, shown: Sequence[Disclosure], files: _Files
) -> dict[str, Path]:
    """Files of inputs and outputs whose digests a reader of the bundle can see; what is not here is noted."""
    manifest = Manifest.trusted(stored.body)
    opened = {found.pointer: found.value for found in shown}
    here = {}
    for direction, every in (("input", manifest.inputs), ("output", manifest.outputs)):
        for n, asset in enumerate(every):
            digests = asset.digests_with(opened, f"/{direction}s/{n}/digest")
            if digests is None:
                files.erased |= {(stored.id, direction, n)} & files.taken.places
                continue
            try:
                here[digests.sha256] = registry.assets.file(digests.blake3)
            except AssetNotFound:
                if files.taken.took(digests):
                    files.erased.add(digests.sha256)
                else:
                    called = f"{direction} {n} of {stored.id[7:19]} (blake3:{digests.blake3})"
                    files.lost.setdefault(digests.blake3, called)
    return here
