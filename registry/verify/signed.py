"""Checks signatures, and that each key was valid for its role where it signed."""

from collections.abc import Mapping, Sequence

from registry.errors import RegistryError
from registry.keys import RECORDER, Key, Snapshot, role_for
from registry.log.errors import SignatureRefused
from registry.signing import keyid_of, verify_signature
from registry.verify.contents import Contents
from registry.verify.documents import Shown
from registry.verify.report import Findings


def read_snapshots(records: Sequence[Shown], findings: Findings) -> dict[int, Snapshot]:
    """The key records of a bundle by their place in the log."""
    snapshots = {}
    for shown in records:
        if shown.value is None or shown.index is None or shown.value["format"] != "mintmark/key/v1":
            continue
        try:
            snapshots[shown.index] = Snapshot.from_json(shown.value)
        except RegistryError as problem:
            findings.fail("key validity", f"{shown.id}: {problem}")
    return snapshots


def check_signatures(records: Sequence[Shown], snapshots: Mapping[int, Snapshot], findings: Findings) -> None:
    """Each statement is signed by a key that the snapshot in force allows, for that kind of record, at that index."""
    count = 0
    for shown in records:
        if shown.statement is None or shown.leaf is None or shown.index is None:
            continue
        snapshot = snapshots.get(shown.leaf.keys)
        if snapshot is None:
            findings.doubt(
                "key validity", f"{shown.id}: key record {shown.leaf.keys}, in force there, is not in the bundle"
            )
            continue
        public = _public(snapshot, shown.statement.keyid)
        if public is None:
            findings.fail("key validity", f"{shown.id}: key {shown.statement.keyid[:16]} is in no key record in force")
            continue
        if snapshot.valid(shown.statement.keyid, role_for(shown.statement.kind), shown.index) is None:
            findings.fail(
                "key validity",
                f"{shown.id}: key {shown.statement.keyid[:16]} may not sign a {shown.statement.kind} at {shown.index}",
            )
        try:
            shown.statement.verify(public)
            count += 1
        except SignatureRefused as problem:
            findings.fail("signature", f"{shown.id}: {problem}")
    findings.say("signature", f"{count} signatures hold")


def check_chain(records: Sequence[Shown], findings: Findings) -> None:
    """Each entry names the key record in force where it stands, as far as the entries shown tell.

    Without it, whoever holds a revoked key signs on under the snapshot that
    still allowed it.
    """
    places = [(shown.index, shown) for shown in records if shown.index is not None and shown.leaf is not None]
    before, in_force, time = -1, 0, ""
    for index, shown in sorted(places, key=lambda place: place[0]):
        leaf = shown.leaf
        if leaf is None:
            continue
        if leaf.keys < in_force or (index == before + 1 and leaf.keys != in_force) or leaf.keys > index:
            findings.fail(
                "key validity",
                f"{shown.id}: entry {index} names key record {leaf.keys} where {in_force} was in force",
            )
        if index == 0 and leaf.kind != "key":
            findings.fail("key validity", f"{shown.id}: a log begins with a key record, its entry 0 is a {leaf.kind}")
        if leaf.time < time:
            findings.fail("inclusion", f"{shown.id}: its time {leaf.time} is before that of an earlier entry, {time}")
        before, in_force, time = index, max(in_force, leaf.next_keys(index)), max(time, leaf.time)


def check_bundle_signature(
    contents: Contents, records: Sequence[Shown], snapshots: Mapping[int, Snapshot], size: int, findings: Findings
) -> None:
    """The list of members is signed by a recorder key still in force after the last entry."""
    snapshot = snapshots.get(in_force(records, size))
    if snapshot is None:
        findings.doubt(
            "bundle", "the key record in force at the end of the log is not in the bundle: who signed is unknown"
        )
        return
    key = snapshot.valid(contents.keyid, RECORDER, size)  # as if it signed the next entry
    if key is None:
        findings.fail("bundle", f"key {contents.keyid[:16]} may not sign bundles of this log")
        return
    try:
        verify_signature(key.public, contents.signed, contents.signature)
    except SignatureRefused as problem:
        findings.fail("bundle", str(problem))


def in_force(records: Sequence[Shown], size: int) -> int:
    """Where the key record in force after the last of ``size`` entries stands; -1 if that entry is not here."""
    for shown in records:
        if shown.index == size - 1 and shown.leaf is not None:
            return shown.leaf.next_keys(size - 1)
    return -1


def _public(snapshot: Snapshot, keyid: str) -> bytes | None:
    key: Key | None = next((key for key in snapshot.keys if keyid_of(key.public) == keyid), None)
    return key.public if key else None
