"""Reads each record of a bundle with its statement and proof: canonical form, schema, id."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from registry.bundle_format import WHOLE, envelope_path, proof_path, record_ids, record_path
from registry.canonical import JSON, parse_canonical
from registry.errors import NotCanonical, RegistryError, SchemaMismatch
from registry.log.errors import NewerLeaf
from registry.log.leaf import Leaf
from registry.log.proof import LogProof
from registry.schema import validate
from registry.signing import Statement, open_envelope
from registry.verify.container import read
from registry.verify.contents import Contents
from registry.verify.report import Findings

_FORMAT = re.compile(r"mintmark/([a-z]{1,16})/v([1-9][0-9]{0,3})").fullmatch
_KNOWN = frozenset(("generation", "drift", "calibration", "annotation", "review", "erasure", "key", "run", "approval"))


@dataclass(frozen=True, slots=True)
class Shown:
    """One record of a bundle; ``value`` and ``statement`` are None where only its place in the log is shown."""

    id: str
    value: dict[str, JSON] | None
    statement: Statement | None
    proof: LogProof | None
    leaf: Leaf | None

    @property
    def kind(self) -> str | None:
        """What its statement says it is."""
        return self.statement.kind if self.statement else None

    @property
    def index(self) -> int | None:
        """Its place in the log, as its proof says."""
        return self.proof.index if self.proof else None


def read_records(contents: Contents, findings: Findings) -> list[Shown]:
    """Read all records; what cannot be read is told and left out."""
    return list(_records(contents, findings))


def _records(contents: Contents, findings: Findings) -> Iterator[Shown]:
    names = frozenset(contents.members.sizes)
    for record_id in record_ids(names):
        shown = record_path(record_id) in names
        if shown != (envelope_path(record_id) in names):
            findings.fail("container", f"{record_id} has a record without a statement, or a statement without a record")
            continue
        if not shown and WHOLE not in contents.withheld.get(record_id, ()):
            findings.fail("completeness", f"{record_id} has a proof but no record, and is not listed as withheld")
        value = _value(contents, record_id, findings) if shown else None
        statement = _statement(contents, record_id, findings) if shown else None
        if value is not None and statement is not None and value["format"] != f"mintmark/{statement.kind}/v1":
            findings.fail("signature", f"{record_id}: signed as {statement.kind}, its format is {value['format']}")
        proof = _proof(contents, record_id, findings)
        yield Shown(record_id, value, statement, proof, _leaf(record_id, proof, findings))


def _value(contents: Contents, record_id: str, findings: Findings) -> dict[str, JSON] | None:
    body = read(contents.members, record_path(record_id))
    if f"sha256:{hashlib.sha256(body).hexdigest()}" != record_id:
        findings.fail("id", f"{record_path(record_id)} does not have the SHA-256 that is its id")
    try:
        value = parse_canonical(body)
    except NotCanonical as problem:
        findings.fail("canonical form", f"{record_id} {problem}")
        return None
    found = _FORMAT(str(value.get("format"))) if isinstance(value, dict) else None
    if found is None:
        findings.fail("schema", f"{record_id} has no format that mintmark writes")
        return None
    if found[1] not in _KNOWN or found[2] != "1":
        findings.doubt(
            "schema", f"{record_id} is of format {found[0]}, newer than this program; install the newer mintmark"
        )
        return None
    try:
        validate("manifest/v1" if found[1] == "generation" else "record/v1", value)
    except SchemaMismatch as problem:
        findings.fail("schema", f"{record_id}: {problem}")
        return None
    return dict(value)


def _statement(contents: Contents, record_id: str, findings: Findings) -> Statement | None:
    path = envelope_path(record_id)
    try:
        statement = open_envelope(read(contents.members, path))
    except NotCanonical as problem:
        findings.fail("canonical form", f"{path} {problem}")
        return None
    except RegistryError as problem:
        findings.fail("signature", f"{path}: {problem}")
        return None
    if statement.subjects[0].name != record_id:
        findings.fail("signature", f"{path} is about {statement.subjects[0].name}, another record")
        return None
    return statement


def _proof(contents: Contents, record_id: str, findings: Findings) -> LogProof | None:
    try:
        return LogProof.parse(read(contents.members, proof_path(record_id)))
    except RegistryError as problem:
        findings.fail("inclusion", f"{proof_path(record_id)}: {problem}")
        return None


def _leaf(record_id: str, proof: LogProof | None, findings: Findings) -> Leaf | None:
    if proof is None:
        return None
    try:
        return Leaf.parse(proof.body)
    except NewerLeaf as problem:
        findings.doubt("inclusion", f"{record_id}: {problem}")
    except RegistryError as problem:
        findings.fail("inclusion", f"{record_id}: {problem}")
    return None
