"""Takes the records of a verified bundle in: ids and signatures stay the original ones, the log entries are ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from registry.bundle_format import asset_path
from registry.canonical import JSON
from registry.catalog.store import StoredRecord
from registry.catalog.tables import record
from registry.errors import CouldNotRun, Refused
from registry.home import Registry
from registry.log.checkpoint import VerifierKey
from registry.manifest import Manifest
from registry.sealing import Disclosure
from registry.signing import PAYLOAD_TYPE, output_subjects, pae, pae_digest, payload
from registry.times import now
from registry.verify.asset_files import named_assets
from registry.verify.bundle import verify
from registry.verify.container import Members, open_members
from registry.verify.contents import Contents, read_contents
from registry.verify.disclosed import Opened, check_disclosures
from registry.verify.documents import Shown, read_records
from registry.verify.report import Findings, Layer, State

_TOLERATED: Final = frozenset({"checkpoint", "completeness"})
"""Layers that may stay undecided: whose log it was, and what else there is, matters to auditors."""

_OWN: Final = ("/outcome/", "/outputs/", "/inputs/")
"""Where a replay's values are its own, and not those of what it makes again."""


class NotAdmitted(CouldNotRun):
    """A bundle that does not verify."""

    exit_code = 3

    def __init__(self, path: Path, bad: Layer) -> None:
        """Name the layer that does not hold."""
        self.why = f"{bad.name}: {bad.sentence}"
        super().__init__(f"{path}: {self.why}; nothing was taken in, have it packed again")


class StrangeKey(Refused):
    """A bundle signed by somebody of whom a home that is in use has taken in nothing yet."""

    exit_code = 2

    def __init__(self, path: Path, home: Path, keyid: str) -> None:
        """Name the key and the two ways on."""
        super().__init__(
            f"{path}: nothing in {home} is signed by key {keyid[:16]}, and its approvals, tags and calibrations would "
            "decide here; nothing was taken in: give --trust FILE (`mintmark key export` writes it where the bundle "
            "comes from), or a home of its own"
        )


class BroughtBack(Refused):
    """A bundle that opens a value again which an erasure here promised to take from all replays."""

    exit_code = 2

    def __init__(self, path: Path, record_id: str, pointer: str, original: str) -> None:
        """Name both places."""
        super().__init__(
            f"{path}: it opens {pointer} of {record_id[7:19]}, a replay of {original[7:19]}, where that was erased; "
            "nothing was taken in: erase it where the bundle comes from, too, and have it packed again"
        )


@dataclass(frozen=True, slots=True)
class Admitted:
    """What was taken in: records that were new here, and assets."""

    records: int
    assets: int


def admit(registry: Registry, path: Path, *, trust: Sequence[VerifierKey] | None = None) -> Admitted:
    """Verify a bundle, then add every record that is not here yet, in the order of the log it comes from.

    What an erasure here took does not come back: neither values nor bytes, through old records or new ones.

    Key records stay out: keys of another log sign nothing here. What the records' own log says of time and order is
    in the bundle; this registry's log says when they arrived.

    An empty registry takes in whoever signed; one that holds records only those who signed some of them, or whom
    ``trust`` names: log keys, one of which must then have signed the bundle's checkpoint.

    Raises:
        NotAdmitted: a signature, digest, seal or proof does not hold, or nobody of ``trust`` signed.
        StrangeKey: somebody else signed than what is here.
        BroughtBack: a new replay opens what was erased from its original here.
        NotABundle, BundleUnreadable: it is something else.
    """
    check_sound(path, trust=trust)
    members = open_members(path)
    try:
        findings = Findings()
        contents = read_contents(members, findings)
        assert contents is not None  # it has just been verified
        records = read_records(contents, findings)
        if trust is None:
            _check_keys(registry, path, records)
        opened = check_disclosures(contents, records, findings)
        known = registry.catalog.known([one.id for one in records])
        shown = [one for one in records if one.statement is not None and one.kind != "key" and one.id not in known]
        places, digests = _erased(registry, opened)
        kept = {
            one.id: {at: found for at, found in opened.get(one.id, {}).items() if (one.id, at) not in places}
            for one in shown
        }
        _refuse_brought_back(path, shown, kept, places)
        named = {digest["sha256"] for one in shown for _, digest, _ in named_assets(one, kept)}
        assets = _assets(registry, members, contents, named - digests)
        for one in sorted(shown, key=lambda each: each.index or 0):
            _add(registry, one, list(kept[one.id].values()))
        return Admitted(len(shown), assets)
    finally:
        members.close()


def check_sound(path: Path, *, trust: Sequence[VerifierKey] | None = None) -> None:
    """Verify a bundle as far as ``admit`` needs it.

    Raises:
        NotAdmitted, NotABundle, BundleUnreadable: as ``admit`` does.
    """
    tolerated = _TOLERATED if trust is None else _TOLERATED - {"checkpoint"}
    for one in verify(path, trust=trust).layers:
        if one.state is State.FAILED or (one.state is State.UNDECIDED and one.name not in tolerated):
            raise NotAdmitted(path, one)


def _check_keys(registry: Registry, path: Path, records: Sequence[Shown]) -> None:
    """Whoever may add to a home that is in use has signed something in it. Raises: StrangeKey."""
    signed = sorted({one.statement.keyid for one in records if one.statement is not None and one.kind != "key"})
    with registry.catalog.database.reading() as connection:
        if connection.execute(select(record.c.id).where(record.c.kind != "key").limit(1)).scalar() is None:
            return
        for keyid in signed:
            if connection.execute(select(record.c.id).where(record.c.keyid == keyid).limit(1)).scalar() is None:
                raise StrangeKey(path, registry.home, keyid)


def _erased(registry: Registry, opened: Opened) -> tuple[set[tuple[str, str]], set[str]]:
    """What erasures here took: places by record and pointer, and the SHA-256 of assets.

    They forgot sealed digests, too; the bundle may open the same seals.
    """
    erasures = registry.catalog.erasures()
    places = {(one["id"], pointer) for found in erasures for one in found["subjects"] for pointer in one["pointers"]}
    digests = {sha256 for found in erasures for sha256 in found["assets"]}
    for manifest, pointer in places:
        shown = opened.get(manifest, {}).get(pointer)
        if shown is not None and pointer.endswith("/digest"):
            digests.add(shown.value["sha256"])
    return places, digests


def _refuse_brought_back(path: Path, shown: Sequence[Shown], kept: Opened, places: set[tuple[str, str]]) -> None:
    """A replay says again what was erased from its original. Raises: BroughtBack."""
    origin = {one.id: one.value.get("replay_of") for one in shown if one.value is not None}
    for one in shown:
        said = [pointer for pointer in kept[one.id] if not pointer.startswith(_OWN)]
        ancestor = origin.get(one.id)
        while ancestor is not None:
            for pointer in said:
                if (ancestor, pointer) in places:
                    raise BroughtBack(path, one.id, pointer, ancestor)
            ancestor = origin.get(ancestor)


def _assets(registry: Registry, members: Members, contents: Contents, wanted: set[str]) -> int:
    count = 0
    for sha256, (blake3, _) in contents.assets.items():
        if sha256 in wanted and blake3 not in registry.assets:
            registry.assets.keep(registry.assets.stage(members.pieces(asset_path(sha256))))
            count += 1
    return count


def _add(registry: Registry, shown: Shown, disclosures: Sequence[Disclosure]) -> None:
    """One record with its disclosures, catalog rows and log entry, in one transaction."""
    statement, value = shown.statement, shown.value
    assert statement is not None and value is not None
    body = statement.record
    outputs = output_subjects(value) if statement.kind == "generation" else []
    text = payload(statement.kind, body, outputs)
    assert pae(PAYLOAD_TYPE, text) == statement.pae  # it has just been verified
    stored = StoredRecord(shown.id, statement.kind, body, statement.keyid, statement.signature)
    registry.vault.put(shown.id, disclosures)
    database = registry.catalog.database
    with database.writing() as connection:
        registry.catalog.insert(connection, stored)
        registry.log.append(connection, kind=stored.kind, id=stored.id, pae=pae_digest(text), now=now())
        _derive(registry, connection, stored, value)
    if not database.is_sqlite:
        registry.log.settle(shown.id)


def _derive(registry: Registry, connection: Connection, stored: StoredRecord, value: Mapping[str, JSON]) -> None:
    """The catalog's rows for a record, as its own recording would have made them."""
    catalog = registry.catalog
    if stored.kind == "generation":
        # Nobody here can hand the same draft in again, so there is nothing to tell it from another by.
        catalog.insert_generation(connection, stored.id, Manifest.trusted(stored.body), b"")
        return
    if stored.kind == "annotation":
        catalog.set_tags(connection, value["subject"], value["tags"])
    catalog.insert_about(connection, stored.id, stored.kind, value["recorded_at"], spoken_of(value))


def spoken_of(value: Mapping[str, JSON]) -> list[str]:
    """The generations that a record speaks of, each once."""
    found: list[JSON] = [value.get(name) for name in ("subject", "manifest", "baseline", "replay")]
    found += [run["id"] for run in value.get("runs", [])]
    found += [one["id"] for one in value.get("manifests", [])]
    for one in value.get("subjects", []):
        found += [one.get("id"), one.get("manifest"), one.get("baseline"), *one.get("replays", [])]
    return [one for one in dict.fromkeys(found) if one]
