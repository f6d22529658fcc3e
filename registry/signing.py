"""Signatures over records: in-toto statements in DSSE envelopes, Ed25519.

A record's bytes are stored once. The signed statement is built by putting
its canonical text around them, so nothing is parsed or written again to sign.

Source: in-toto Statement v1, DSSE v1 (secure-systems-lab/dsse), RFC 8032.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.canonical import JSON, canonical, parse_canonical
from registry.encoding import decode64, encode64
from registry.errors import NotCanonical
from registry.log.errors import LogError, SignatureRefused

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

_PREFIX, _SUFFIX = "urn:mintmark:", ":v1"


class Signer(Protocol):
    """Holds a private key, or knows who does.

    ``sign`` may be slow (a key service); it is never called while a write
    lock is held. tests/registry/test_signing.py states what each one owes.
    """

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the raw public key."""
        ...

    @property
    def public(self) -> bytes:
        """The raw Ed25519 public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message`` (RFC 8032, pure Ed25519)."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing a statement is about: its name and hex SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Statement:
    """An opened envelope; the signature is well-formed but verified only by ``verify``."""

    kind: str
    record: bytes  # canonical JSON, exactly as signed
    subjects: tuple[Subject, ...]
    payload: bytes
    keyid: str
    signature: bytes

    @property
    def pae(self) -> bytes:
        """What the signature covers."""
        return pae(PAYLOAD_TYPE, self.payload)

    def verify(self, public: bytes) -> None:
        """Check the signature with a public key.

        Raises:
            SignatureRefused: the key is not the one named, or the signature is false.
        """
        if keyid_of(public) != self.keyid:
            raise SignatureRefused(f"key {self.keyid[:16]}", "another key was offered to check it")
        verify_signature(public, self.pae, self.signature)


def keyid_of(public: bytes) -> str:
    """Hex SHA-256 of a raw public key."""
    return hashlib.sha256(public).hexdigest()


def verify_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Check one Ed25519 signature.

    Raises:
        SignatureRefused: it does not hold, or the key is no Ed25519 key.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureRefused(f"key {keyid_of(public)[:16]}", "it does not match what it covers") from None


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: type and payload with their lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def pae_digest(payload: bytes) -> str:
    """Hex SHA-256 of what gets signed; the log's entry names a statement by it."""
    return hashlib.sha256(pae(PAYLOAD_TYPE, payload)).hexdigest()


def payload(kind: str, record: bytes, outputs: Sequence[Subject] = ()) -> bytes:
    """The statement about a record, in canonical JSON (RFC 8785).

    Args:
        kind: the record's kind, such as ``generation``.
        record: its canonical bytes, put into the text unchanged.
        outputs: what else it vouches for, see ``output_subjects``.
    """
    digest = hashlib.sha256(record).hexdigest()
    subjects = [{"digest": {"sha256": each.sha256}, "name": each.name} for each in (_itself(digest), *outputs)]
    return b"".join(
        [
            b'{"_type":"' + STATEMENT_TYPE.encode() + b'","predicate":',
            record,
            b',"predicateType":"' + f"{_PREFIX}{kind}{_SUFFIX}".encode() + b'","subject":',
            canonical(subjects),
            b"}",
        ]
    )


def output_subjects(record: JSON) -> list[Subject]:
    """The outputs of a manifest whose digests are not sealed, named ``outputs/N`` by position."""
    return [
        Subject(f"outputs/{n}", output["digest"]["sha256"])
        for n, output in enumerate(record.get("outputs") or [])
        if "sha256" in output.get("digest", {})
    ]


def envelope(payload: bytes, signature: bytes, keyid: str, payload_type: str = PAYLOAD_TYPE) -> dict[str, JSON]:
    """The DSSE envelope of a signed payload."""
    return {
        "payload": encode64(payload),
        "payloadType": payload_type,
        "signatures": [{"keyid": keyid, "sig": encode64(signature)}],
    }


def open_envelope(data: bytes) -> Statement:
    """Read an envelope that has the one form this product writes; the signature itself is not checked yet.

    Checked: canonical JSON inside and out, one signature, base64 in its one
    form, the statement and predicate types, and that the subjects are the
    record's own digest and its unsealed outputs, no more and no fewer.

    Raises:
        NotCanonical: not canonical JSON.
        SignatureRefused: any other departure.
    """
    text, keyid, signature = open_payload(data, PAYLOAD_TYPE)
    try:
        statement = parse_canonical(text)
    except NotCanonical as problem:
        raise NotCanonical(f"/payload{problem.pointer}", problem.why) from None
    if not isinstance(statement, dict) or set(statement) != {"_type", "predicate", "predicateType", "subject"}:
        raise SignatureRefused("statement", "it is not an in-toto statement with exactly the four members")
    kind = _kind(statement)
    predicate = statement["predicate"]
    if not isinstance(predicate, dict):
        raise SignatureRefused("statement", "its predicate is not a record")
    record = canonical(predicate)
    try:
        outputs = output_subjects(predicate)
    except (AttributeError, KeyError, TypeError):
        raise SignatureRefused("statement", "its record's outputs are not a list of outputs") from None
    if payload(kind, record, outputs) != text:
        raise SignatureRefused("statement", "its subjects are not the record's id and its unsealed outputs")
    subjects = (_itself(hashlib.sha256(record).hexdigest()), *outputs)
    return Statement(kind, record, subjects, text, keyid, signature)


def open_payload(data: bytes, payload_type: str) -> tuple[bytes, str, bytes]:
    """Read any DSSE envelope with one signature.

    Returns:
        The payload's bytes, the key id, the 64-byte signature (not checked).

    Raises:
        NotCanonical: not canonical JSON.
        SignatureRefused: another type, more or fewer signatures, base64 in another form.
    """
    value = parse_canonical(data)
    match value:
        case {"payload": str(text), "payloadType": str(kind), "signatures": [{"keyid": str(keyid), "sig": str(sig)}]}:
            pass
        case _:
            raise SignatureRefused("envelope", "it is not a DSSE envelope with exactly one signature")
    if set(value) != {"payload", "payloadType", "signatures"} or set(value["signatures"][0]) != {"keyid", "sig"}:
        raise SignatureRefused("envelope", "it has members that DSSE does not define")
    if kind != payload_type:
        raise SignatureRefused("envelope", f"its payload type is {kind[:60]!r}, not {payload_type!r}")
    try:
        return decode64(text, "payload"), keyid, decode64(sig, "signature")
    except LogError as problem:
        raise SignatureRefused("envelope", str(problem)) from None


def _itself(digest: str) -> Subject:
    return Subject(f"sha256:{digest}", digest)


def _kind(statement: dict[str, JSON]) -> str:
    kind = statement["predicateType"]
    if statement["_type"] != STATEMENT_TYPE:
        raise SignatureRefused("statement", f"its type is not {STATEMENT_TYPE}")
    if not isinstance(kind, str) or not (kind.startswith(_PREFIX) and kind.endswith(_SUFFIX)):
        raise SignatureRefused("statement", f"its predicate type {str(kind)[:60]!r} is not {_PREFIX}<kind>{_SUFFIX}")
    return kind[len(_PREFIX) : -len(_SUFFIX)]
