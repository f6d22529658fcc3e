"""Erases sealed values and asset bytes; ids, signatures and proofs still verify afterwards.

An intent is committed first, then the vault rows and bytes go, then the signed
erasure record is appended, then the index and the write-ahead files are cleared,
and at last the intent is closed. Whatever step a crash interrupts, the next
writing command finishes the promise.
"""

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from registry.canonical import JSON, canonical, parse
from registry.digest import Digest, DigestSet
from registry.errors import CouldNotRun, NotFound, Refused
from registry.home import Registry
from registry.index.store import truncate_wal
from registry.indexing import catch_up
from registry.manifest import id_of
from registry.packed_texts import packed_texts
from registry.schema import validate
from registry.sealing import Disclosure, seal
from registry.times import now

FIELDS = {
    "prompt": ("/prompt/submitted", "/prompt/effective"),
    "subject": ("/context/subject",),
    "error": ("/outcome/error",),
}
_PATIENCE = 5.0  # seconds for readers to let go of the write-ahead files
_WINDOW = 1 << 20  # bytes of an asset searched at a time


class AssetInUse(Refused):
    """Bytes that other manifests need."""

    def __init__(self, digest: str, others: list[str]) -> None:
        """Name one of them."""
        super().__init__(
            f"asset {digest} is also used by {len(others)} other generations ({others[0]} …); "
            "--all-references erases it for all of them"
        )


class ValueInAsset(Refused):
    """A kept file carries the value in its own metadata."""

    def __init__(self, digest: str) -> None:
        """Name the file."""
        super().__init__(f"asset {digest} holds the value in its own bytes; erase it too with --asset")


class NothingToErase(NotFound):
    """The manifest has no such sealed value, or it is erased already."""

    def __init__(self, manifest: str) -> None:
        """Name the manifest."""
        super().__init__("erasable value in", manifest, "`mintmark show` tells what is sealed and what is erased")


class ResiduePending(CouldNotRun):
    """Erased, yet old pages still lie in a write-ahead file that a reader holds."""

    def __init__(self, names: list[str]) -> None:
        """Name the databases."""
        super().__init__(
            f"residue pending in {', '.join(names)}: another process is reading; the record stands, "
            "end the reader and run `mintmark erase --finish`"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure takes away: pointers by record, and assets by BLAKE3; ``subjects`` goes into the record."""

    places: list[tuple[str, str]]
    assets: list[str]
    subjects: list[dict[str, JSON]]
    open_digests: list[str]
    all_references: bool
    reason: str
    authority: str

    def to_json(self) -> dict[str, JSON]:
        """What carrying it out needs; the reason is sealed in the record and never lies here in clear."""
        return {"places": self.places, "assets": self.assets, "all": self.all_references}


@dataclass(frozen=True, slots=True)
class _Stored:
    manifest: str
    direction: str
    position: int
    digests: DigestSet
    sealed: bool


def plan_erasure(
    registry: Registry,
    manifest_id: str,
    *,
    fields: Iterable[str],
    asset: bool = False,
    all_references: bool = False,
    reason: str,
    authority: str,
) -> Plan:
    """What would go: every place that holds the value, in the manifest and in all its replays.

    Raises:
        NotFound: no such generation, or nothing left to erase.
        AssetInUse, ValueInAsset: going on would harm or miss something; the error says which option goes on.
    """
    registry.catalog.manifest(manifest_id)
    family = _family(registry, manifest_id)
    disclosures = registry.vault.get_many(family)
    wanted = {pointer for field in fields for pointer in FIELDS[field]}
    values = [found.value for found in disclosures[manifest_id] if found.pointer in wanted]
    places = [(member, found.pointer) for member in family for found in disclosures[member] if _holds(found, values)]
    stored = [found for member in family for found in _stored(registry, member, disclosures[member])]
    telling = _that_hold(registry, stored, values)
    if telling and not asset:
        raise ValueInAsset(f"sha256:{telling[0].digests.sha256}")
    made_here = [found for found in stored if found.manifest == manifest_id and found.direction == "output"]
    gone = [found for found in stored if found in telling or (asset and found in made_here)]
    places += [(found.manifest, f"/{found.direction}s/{found.position}/digest") for found in gone if found.sealed]
    if not places and not gone:
        raise NothingToErase(manifest_id)
    if gone and not all_references:
        catch_up(registry)  # who uses an asset by a sealed digest, only the index knows
        _refuse_shared(registry, gone)
    return Plan(
        sorted(set(places)),
        sorted({found.digests.blake3 for found in gone}),
        _subjects(family, places, gone),
        sorted({found.digests.sha256 for found in gone if not found.sealed}),
        all_references,
        reason,
        authority,
    )


def erase(registry: Registry, plan: Plan) -> str:
    """Carry a plan out.

    Returns:
        The id of the erasure record.

    Raises:
        ResiduePending: all is erased and recorded, but a reader keeps old pages alive; ``finish`` resumes.
    """
    intent = str(uuid.uuid4())
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/erasure/v1",
        "recorded_at": recorded_at,
        "subjects": plan.subjects,
        "assets": plan.open_digests,
        "reason": plan.reason,
        "authority": plan.authority,
        "actor": registry.settings.actor,
    }
    disclosures = seal(value, ["/reason"])
    validate("record/v1", value)
    body = canonical(value)
    # Whoever finishes the promise after a crash has only what is stored: the vault takes what opens the reason now.
    # The promise names the record, so that no sweep takes the disclosure for an orphan.
    registry.vault.put(id_of(body), disclosures)
    promise = plan.to_json() | {"record": body.decode(), "id": id_of(body)}
    with registry.catalog.database.writing() as connection:
        registry.catalog.add_intent(connection, intent, recorded_at, json.dumps(promise).encode())
    return _carry_out(registry, intent, promise)


def finish(registry: Registry) -> int:
    """Complete erasures that a crash interrupted, and clear residue; returns how many were open."""
    intents = registry.catalog.intents()
    for intent, body in intents:
        _carry_out(registry, intent, json.loads(body))
    clear_residue(registry)
    return len(intents)


def clear_residue(registry: Registry) -> None:
    """Empty the write-ahead files that still hold erased pages.

    Raises:
        ResiduePending: a reader keeps one of them busy.
    """
    databases = {"vault.db": registry.vault.database, "index.db": registry.index.database}
    patience = time.monotonic() + _PATIENCE
    pending = [name for name, database in databases.items() if database.is_sqlite]
    while pending and time.monotonic() < patience:
        pending = [name for name in pending if not truncate_wal(databases[name])]
        if pending:
            time.sleep(0.1)
    if pending:
        raise ResiduePending(pending)


def _carry_out(registry: Registry, intent: str, promise: dict[str, JSON]) -> str:
    body = promise["record"].encode()
    registry.vault.erase([(record, pointer) for record, pointer in promise["places"]])
    value = parse(body)
    catch_up(registry)  # so that uses by sealed digests are known
    with registry.catalog.database.alone():
        # Under the writers' lock: somebody may have recorded the same bytes since the plan was made.
        for blake3 in promise["assets"]:
            if promise["all"] or not _users(registry, blake3) - {subject["id"] for subject in value["subjects"]}:
                registry.assets.remove(blake3)

    def finished_elsewhere(connection: Connection) -> str | None:
        return id_of(body) if registry.catalog.known([id_of(body)]) else None

    def derive(connection: Connection, record_id: str) -> None:
        subjects = [subject["id"] for subject in value["subjects"]]
        registry.catalog.insert_about(connection, record_id, "erasure", value["recorded_at"], subjects)

    record_id = registry.append("erasure", body, derive=derive, check=finished_elsewhere)
    catch_up(registry)
    clear_residue(registry)
    # Only now is the promise kept: a crash before this line leaves the value in the index or in a write-ahead file.
    with registry.catalog.database.writing() as connection:
        registry.catalog.close_intent(connection, intent)
    return record_id


def _family(registry: Registry, manifest_id: str) -> list[str]:
    """The manifest and all replays that came from it, at any distance."""
    family, fresh = [manifest_id], [manifest_id]
    while fresh:
        fresh = [found for one in fresh for found in registry.catalog.replays(one) if found not in family]
        family += fresh
    return family


def _holds(found: Disclosure, values: list[JSON]) -> bool:
    return found.value in values or (
        isinstance(found.value, str)
        and any(isinstance(value, str) and len(value) >= 4 and value in found.value for value in values)
    )


def _stored(registry: Registry, manifest_id: str, disclosures: Iterable[Disclosure]) -> Iterator[_Stored]:
    """Every input and output of a manifest whose bytes are here."""
    manifest = registry.catalog.manifest(manifest_id)
    opened = {found.pointer: found.value for found in disclosures}
    for direction, assets in (("input", manifest.inputs), ("output", manifest.outputs)):
        for n, asset in enumerate(assets):
            digests = asset.digests_with(opened, f"/{direction}s/{n}/digest")
            if digests is not None and digests.blake3 in registry.assets:
                yield _Stored(manifest_id, direction, n, digests, asset.digests is None)


def _users(registry: Registry, blake3: str) -> set[str]:
    """Manifests that use an asset, under open and under sealed digests."""
    sealed = registry.index.uses(Digest("blake3", blake3))
    return {*registry.catalog.users(blake3), *(use.manifest for use in sealed)}


def _refuse_shared(registry: Registry, gone: list[_Stored]) -> None:
    for found in gone:
        ours = {one.manifest for one in gone if one.digests == found.digests}
        if others := sorted(_users(registry, found.digests.blake3) - ours):
            raise AssetInUse(f"sha256:{found.digests.sha256}", others)


def _that_hold(registry: Registry, stored: list[_Stored], values: list[JSON]) -> list[_Stored]:
    """Files that carry a value in their own bytes: a prompt in a PNG's text chunk would survive its erasure."""
    needles = [form for value in values if isinstance(value, str) and len(value) >= 4 for form in _forms(value)]
    return [found for found in stored if needles and _occurs(registry.assets.file(found.digests.blake3), needles)]


def _forms(value: str) -> set[bytes]:
    """The bytes as which metadata carries a text: plain, in JSON (workflows in PNG chunks), UTF-16 (EXIF, ID3)."""
    in_json = {json.dumps(value)[1:-1].encode(), json.dumps(value, ensure_ascii=False)[1:-1].encode()}
    return in_json | {value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be")}


def _occurs(path: Path, needles: list[bytes]) -> bool:
    return _occurs_plain(path, needles) or any(needle in text for text in packed_texts(path) for needle in needles)


def _occurs_plain(path: Path, needles: list[bytes]) -> bool:
    keep = max((len(needle) for needle in needles), default=1) - 1
    tail = b""
    with path.open("rb") as stream:
        while piece := stream.read(_WINDOW):
            window = tail + piece
            if any(needle in window for needle in needles):
                return True
            tail = window[-keep:] if keep else b""
    return False


def _subjects(family: list[str], places: list[tuple[str, str]], gone: list[_Stored]) -> list[dict[str, JSON]]:
    subjects: list[dict[str, JSON]] = []
    for member in family:
        pointers = sorted({pointer for record, pointer in places if record == member})
        positions = {
            direction: [found.position for found in gone if (found.manifest, found.direction) == (member, direction)]
            for direction in ("input", "output")
        }
        if pointers or any(positions.values()):
            told = {"id": member, "pointers": pointers, "outputs": positions["output"], "inputs": positions["input"]}
            subjects.append(told)
    return subjects
