"""Brings the index up to the end of the log: the only way anything gets into it."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass, field

from drift.errors import MediaRefused
from drift.fingerprints.pdq import pdq_of_file
from drift.media.content import content_digest
from registry.assets.store import AssetNotFound
from registry.canonical import parse
from registry.catalog.store import StoredRecord, Use
from registry.digest import DigestSet
from registry.errors import CouldNotRun
from registry.home import Registry
from registry.index.store import Entry, Fingerprint, Unread
from registry.log.leaf import Leaf
from registry.manifest import Manifest, id_of
from registry.sealing import Disclosure

BATCH = 64  # records a transaction; each may take a full decode
_TOO_MANY_FILES = frozenset({errno.EMFILE, errno.ENFILE})
LONGEST_REASON = 200  # characters; a message may quote the file


class NoFilesLeft(CouldNotRun):
    """The process may open no more files: that says nothing of the one it wanted to read."""

    def __init__(self, manifest: str, problem: OSError) -> None:
        """Name the manifest that is next."""
        super().__init__(
            f"the index stopped before {manifest}: {problem.strerror}; raise the limit (ulimit -n), run it again"
        )


def catch_up(registry: Registry, *, most: int | None = None) -> int:
    """Index what the log has and the index has not.

    Args:
        registry: whose index.
        most: stop after about that many records; None goes on to the end.

    Returns:
        How many log entries were taken in.
    """
    done = 0
    while most is None or done < most:
        start = registry.index.next()
        with registry.catalog.database.reading() as connection:
            size = registry.log.size(connection)
            end = min(size, start + BATCH)
            ids = [Leaf.parse(body).id for _, body in registry.log.entries(connection, start, end)]
        if start >= size:
            break
        entries, forget = _read(registry, ids)
        if registry.index.advance(start, end, entries, forget):
            done += end - start
    return done


def entry_of(registry: Registry, stored: StoredRecord, disclosures: Iterable[Disclosure]) -> Entry:
    """Everything the index keeps about one manifest, from its record, its disclosures and its assets.

    Whatever else goes wrong with one record or asset is its own: it is kept as unread, and nobody's look-up stops.

    Raises:
        CouldNotRun: the store of the assets does not answer.
    """
    sealed: list[tuple[Use, DigestSet]] = []  # whoever erases must find these, whatever else cannot be read
    try:
        return _entry(registry, stored, disclosures, sealed)
    except CouldNotRun:
        raise
    except Exception as problem:  # a value that no release of this program would have recorded
        return Entry(stored.id, sealed=sealed, unread=[_unread(stored.id, "", problem)])


def _entry(
    registry: Registry, stored: StoredRecord, disclosures: Iterable[Disclosure], sealed: list[tuple[Use, DigestSet]]
) -> Entry:
    manifest = Manifest.trusted(stored.body)
    opened = {found.pointer: found.value for found in disclosures}
    prompts = [opened.get(f"/prompt/{name}") or getattr(manifest.prompt, name) for name in ("submitted", "effective")]
    seen: list[_Seen] = []
    for direction, assets in (("input", manifest.inputs), ("output", manifest.outputs)):
        for n, asset in enumerate(assets):
            digests = asset.digests_with(opened, f"/{direction}s/{n}/digest")
            if digests is None:  # erased: nothing may lead to it any more
                continue
            if asset.digests is None:
                sealed.append((Use(stored.id, direction, n, asset.role), digests))
            if direction == "output":
                seen.append(_look(registry, stored.id, n, digests.blake3, str((asset.media or {}).get("kind"))))
    return Entry(
        stored.id,
        " ".join(prompt for prompt in prompts if isinstance(prompt, str)),
        sealed,
        [content for one in seen for content in one.contents],
        [found for one in seen for found in one.prints],
        [found for one in seen for found in one.unread],
    )


def _read(registry: Registry, ids: list[str]) -> tuple[list[Entry], set[str]]:
    # An altered record must not stop all look-ups; `log audit` and whoever opens it hear of it.
    records = [found for found in registry.catalog.each(ids) if id_of(found.body) == found.id]
    erased = {
        subject["id"] for found in records if found.kind == "erasure" for subject in parse(found.body)["subjects"]
    }
    wanted = {found.id: found for found in records if found.kind == "generation"}
    others = registry.catalog.each(sorted(erased - set(wanted)))
    wanted |= {found.id: found for found in others if found.kind == "generation"}  # reviews are erased from, too
    disclosures = registry.vault.get_many(list(wanted))
    return [entry_of(registry, found, disclosures[found.id]) for found in wanted.values()], erased


@dataclass(slots=True)
class _Seen:
    """What decoding one output gave: none or one of each."""

    contents: list[tuple[int, str]] = field(default_factory=list)
    prints: list[Fingerprint] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def _look(registry: Registry, manifest: str, position: int, blake3: str, kind: str) -> _Seen:
    seen = _Seen()
    try:
        path, limits = registry.assets.file(blake3), registry.settings.limits
        seen.contents.append((position, content_digest(path, limits=limits)))
        if kind == "image":
            found = pdq_of_file(path, limits=limits)[0]  # the query brings the other seven
            seen.prints.append(Fingerprint(manifest, position, found.bits, found.quality, found.stable))
    except AssetNotFound:  # erased, or lost: `doctor` tells
        pass
    except CouldNotRun:
        raise
    except Exception as problem:  # recorded under wider limits, or decoders that change their mind about a file
        seen.unread.append(_unread(manifest, f"/outputs/{position}", problem))
    return seen


def _unread(manifest: str, pointer: str, problem: Exception) -> Unread:
    """Why something was not read.

    Raises:
        NoFilesLeft: it was for lack of something that every other record would lack as well.
    """
    cause = problem if isinstance(problem, OSError) else problem.__context__
    if isinstance(cause, OSError) and cause.errno in _TOO_MANY_FILES:
        raise NoFilesLeft(manifest, cause) from problem
    why = problem.why if isinstance(problem, MediaRefused) else f"{type(problem).__name__}: {problem}"
    return Unread(manifest, pointer, " ".join(why.encode(errors="replace").decode().split())[:LONGEST_REASON])
