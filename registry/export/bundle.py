"""Builds a bundle: what an auditor gets, verifiable with nothing but its bytes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry.bundle_format import (
    BUNDLE,
    CHECKPOINT,
    DISCLOSURES_FORMAT,
    ENVELOPE,
    FORMAT,
    KEYS,
    PAYLOAD_TYPE,
    WHOLE,
    asset_path,
    consistency_path,
    disclosures_path,
    envelope_path,
    proof_path,
    record_path,
)
from registry.canonical import JSON, canonical, parse
from registry.encoding import encode64
from registry.errors import CouldNotRun
from registry.export.writing import Members, write_bundle
from registry.log.checkpoint import Checkpoint
from registry.log.leaf import Leaf
from registry.log.proof import LogProof
from registry.schema import validate
from registry.sealing import Disclosure
from registry.signing import Signer, envelope, output_subjects, pae, payload

Proof = Callable[[int], LogProof]
"""``proof(index)``: the proof of an entry under the bundle's checkpoint."""


class BundleIncomplete(CouldNotRun):
    """The bundle would lack something that its verifier needs."""

    def __init__(self, what: str) -> None:
        """Say what is not there."""
        super().__init__(f"cannot build the bundle: {what}; nothing was written")


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """One record with everything that this export may show of it."""

    id: str
    kind: str
    body: bytes  # canonical JSON
    signature: bytes
    keyid: str
    index: int  # in the log
    disclosures: Sequence[Disclosure] = ()
    withheld: Sequence[str] = ()  # pointers of seals that exist and are not shown; erased ones are not named here
    assets: Mapping[str, Path] = field(default_factory=dict)  # hex SHA-256 → file


@dataclass(frozen=True, slots=True)
class Selection:
    """What the bundle claims to be."""

    words: str  # what was asked for
    created_at: str  # RFC 3339, UTC, milliseconds
    range: tuple[int, int] | None = None  # entries [from, to) that are all here; None claims nothing


def export_bundle(
    target: Path,
    records: Iterable[BundleRecord],
    *,
    selection: Selection,
    checkpoint: Checkpoint,
    proof: Proof,
    signer: Signer,
    trust: Sequence[str] = (),
    consistency: Mapping[int, Sequence[bytes]] | None = None,
) -> dict[str, JSON]:
    """Write a bundle, whole or not at all.

    Args:
        target: a ``.zip`` file, else a folder; must not exist.
        records: what is shown, the key records of ``key_places`` among them; of the last entry of the log, where it
            is none of them, the place is shown. They are held in memory, assets are not.
        selection: what the bundle claims to be.
        checkpoint: covers every record.
        proof: gives each entry's proof under that checkpoint.
        signer: a recorder key in force; signs the list of members.
        trust: verifier keys for ``keys.txt``, a convenience that no verifier trusts.
        consistency: size of an earlier checkpoint → the proof that this one continues it.

    Returns:
        ``bundle.json`` as JSON.

    Raises:
        BundleIncomplete: a key record, an asset file or an entry of the claimed range is lacking.
        TargetExists: there is something at ``target``.
    """
    members = Members()
    withheld: dict[str, list[str]] = {}
    leaves: dict[int, Leaf] = {}
    for record in records:
        leaves[record.index] = _add_record(members, record, proof)
        if record.withheld:
            withheld[record.id] = sorted(record.withheld)
    if (last := checkpoint.size - 1) not in leaves:
        found = proof(last)
        leaves[last] = Leaf.parse(found.body)
        members.add(proof_path(leaves[last].id), found.text)
        withheld[leaves[last].id] = [WHOLE]
    _check_complete(leaves, withheld, selection, checkpoint.size)
    members.add(CHECKPOINT, checkpoint.note)
    members.add(KEYS, "".join(f"{line}\n" for line in trust).encode())
    for size, hashes in (consistency or {}).items():
        members.add(consistency_path(size), "".join(f"{encode64(value)}\n" for value in hashes).encode())
    bundle = _listing(members, withheld, selection, checkpoint)
    text = canonical(bundle)
    members.add(BUNDLE, text)
    signature = signer.sign(pae(PAYLOAD_TYPE, text))
    members.add(ENVELOPE, canonical(envelope(text, signature, signer.keyid, PAYLOAD_TYPE)))
    write_bundle(target, members)
    return bundle


def key_places(leaf: Callable[[int], Leaf], indexes: Iterable[int], size: int) -> set[int]:
    """The places of all key records that a verifier of these entries needs.

    Args:
        leaf: reads one entry of the log.
        indexes: the entries that are shown.
        size: of the checkpoint; the snapshot in force at its end is needed too.
    """
    last = leaf(size - 1).next_keys(size - 1)
    todo, places = [last, *(leaf(index).keys for index in indexes)], set[int]()
    while todo:
        place = todo.pop()
        if place not in places:
            places.add(place)
            todo.append(leaf(place).keys)
    return places


def _add_record(members: Members, record: BundleRecord, proof: Proof) -> Leaf:
    outputs = output_subjects(parse(record.body)) if record.kind == "generation" else []
    statement = payload(record.kind, record.body, outputs)
    found = proof(record.index)
    leaf = Leaf.parse(found.body)
    if leaf.id != record.id:
        raise BundleIncomplete(f"entry {record.index} of the log is {leaf.id}, not {record.id}")
    members.add(record_path(record.id), record.body)
    members.add(envelope_path(record.id), canonical(envelope(statement, record.signature, record.keyid)))
    members.add(proof_path(record.id), found.text)
    if record.disclosures:
        shown = sorted(record.disclosures, key=lambda each: each.pointer)
        document = {
            "disclosures": [each.to_json() for each in shown],
            "format": DISCLOSURES_FORMAT,
            "id": record.id,
        }
        members.add(disclosures_path(record.id), canonical(document))
    for sha256, path in record.assets.items():
        if not path.is_file():
            raise BundleIncomplete(f"asset {sha256} of {record.id} is not at {path}")
        members.add_file(asset_path(sha256), path)
    return leaf


def _check_complete(
    leaves: Mapping[int, Leaf], withheld: Mapping[str, list[str]], selection: Selection, size: int
) -> None:
    shown = {index for index, leaf in leaves.items() if withheld.get(leaf.id) != [WHOLE]}
    needed = {leaves[index].keys for index in shown} | {leaves[size - 1].next_keys(size - 1)}
    for place in sorted(needed - shown):
        raise BundleIncomplete(f"the key record at {place} is needed and not among the records")
    for index in range(*(selection.range or (0, 0))):
        if index not in leaves:
            raise BundleIncomplete(f"it claims entries {selection.range}, and {index} is not among them")


def _listing(
    members: Members, withheld: Mapping[str, list[str]], selection: Selection, checkpoint: Checkpoint
) -> dict[str, JSON]:
    bundle: dict[str, JSON] = {
        "checkpoint": {"origin": checkpoint.origin, "root": checkpoint.root.hex(), "size": checkpoint.size},
        "created_at": selection.created_at,
        "format": FORMAT,
        "members": members.listing(),
        "range": None if selection.range is None else {"from": selection.range[0], "to": selection.range[1]},
        "selection": selection.words,
        "withheld": dict(withheld),
    }
    validate("bundle/v1", bundle)
    return bundle
