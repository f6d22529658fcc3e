"""Holds every member against the signed list in bundle.json."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from blake3 import blake3

from registry.bundle_format import BUNDLE, ENVELOPE, FORMAT, PAYLOAD_TYPE, UNLISTED
from registry.canonical import JSON, parse_canonical
from registry.errors import NotCanonical, RegistryError, SchemaMismatch
from registry.schema import validate
from registry.signing import open_payload, pae
from registry.verify.container import ContainerRefused, Members, read
from registry.verify.report import Findings


@dataclass(slots=True)
class Contents:
    """A bundle whose members are the ones its list names."""

    members: Members
    bundle: dict[str, JSON]
    signed: bytes  # what the bundle's signature covers
    keyid: str
    signature: bytes
    assets: dict[str, tuple[str, int]] = field(default_factory=dict)  # SHA-256 → BLAKE3, bytes

    @property
    def withheld(self) -> Mapping[str, list[str]]:
        """Record id → pointers that this export does not show."""
        withheld: Mapping[str, list[str]] = self.bundle["withheld"]
        return withheld


def read_contents(members: Members, findings: Findings) -> Contents | None:
    """Read the list and compare all members with it; None if nothing can be built on the answer."""
    try:
        listing = read(members, BUNDLE)
        envelope = read(members, ENVELOPE)
    except ContainerRefused as problem:
        findings.fail("container", str(problem))
        return None
    contents = _listed(members, listing, envelope, findings)
    if contents is not None:
        _compare(contents, findings)
    return contents


def _listed(members: Members, listing: bytes, envelope: bytes, findings: Findings) -> Contents | None:
    try:
        bundle = parse_canonical(listing)
        known = isinstance(bundle, dict) and bundle.get("format")
        if isinstance(known, str) and known != FORMAT and known.startswith("mintmark/bundle/v"):
            findings.doubt(
                "bundle", f"its format is {known[:40]}; this program reads {FORMAT}, install the newer mintmark"
            )
            return None
        validate("bundle/v1", bundle)
        payload, keyid, signature = open_payload(envelope, PAYLOAD_TYPE)
    except NotCanonical as problem:
        findings.fail("bundle", f"{BUNDLE} or {ENVELOPE}: {problem}")
        return None
    except RegistryError as problem:
        findings.fail("schema" if isinstance(problem, SchemaMismatch) else "bundle", f"{BUNDLE}: {problem}")
        return None
    if payload != listing:
        findings.fail("bundle", f"{ENVELOPE} signs another list than {BUNDLE}")
        return None
    return Contents(members, bundle, pae(PAYLOAD_TYPE, payload), keyid, signature)


def _compare(contents: Contents, findings: Findings) -> None:
    listed = {member["path"]: member for member in contents.bundle["members"]}
    if [member["path"] for member in contents.bundle["members"]] != sorted(listed):
        findings.fail("container", f"{BUNDLE} names a member twice, or not in order")
    sizes = contents.members.sizes
    for name in sorted(listed.keys() - sizes.keys()):
        findings.fail("container", f"{name} is missing")
    for name in sorted(sizes.keys() - listed.keys() - UNLISTED):
        findings.fail("container", f"{name} is not in {BUNDLE}")
    for name in sorted(listed.keys() & sizes.keys()):
        try:
            sha256, blake = _digests(contents.members, name)
        except ContainerRefused as problem:
            findings.fail("container", str(problem))
            continue
        if sha256 != listed[name]["sha256"] or sizes[name] != listed[name]["size"]:
            findings.fail("container", f"{name} is not the one that {BUNDLE} lists: its bytes changed")
        if name.startswith("assets/"):
            contents.assets[name.rpartition("/")[2]] = (blake, sizes[name])
            if not name.endswith(sha256):
                findings.fail("assets", f"{name} does not have the digest that is its name")


def _digests(members: Members, name: str) -> tuple[str, str]:
    sha256, blake = hashlib.sha256(), blake3() if name.startswith("assets/") else None
    for piece in members.pieces(name):
        sha256.update(piece)
        if blake is not None:
            blake.update(piece)
    return sha256.hexdigest(), blake.hexdigest() if blake is not None else ""
