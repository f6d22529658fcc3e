"""Key snapshots: who may sign what, from which log index on.

A ``key`` record is always the full set. Each log entry names the snapshot in
force when it was signed; a key record is itself signed under the snapshot
before it (the first one under itself), so the log endorses every rotation.
"""

import re
from dataclasses import dataclass

from registry.canonical import JSON
from registry.encoding import decode64, encode64
from registry.errors import InvalidValue
from registry.log.checkpoint import VerifierKey
from registry.log.errors import NoteRefused
from registry.signing import Signer, keyid_of

FORMAT = "mintmark/key/v1"
LOG, RECORDER = "log", "recorder"
DEFAULT_HOST = "mintmark.local"
LOG_KEY, RECORDER_KEY = "log.pem", "recorder.pem"

_HOST = re.compile(r"[A-Za-z0-9._-]{1,200}").fullmatch


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, what it may sign, and the log indexes where it may."""

    role: str  # "log" or "recorder"
    public: bytes  # 32 bytes
    start: int = 0  # first index
    until: int | None = None  # first index where it no longer may; None = still in use

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of the raw public key."""
        return keyid_of(self.public)

    def to_json(self) -> dict[str, JSON]:
        """Its form in a key record."""
        return {
            "algorithm": "ed25519",
            "from": self.start,
            "keyid": self.keyid,
            "public": encode64(self.public),
            "role": self.role,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a key record says."""

    recorded_at: str  # RFC 3339, UTC, milliseconds
    origin: str
    keys: tuple[Key, ...]
    predecessor: dict[str, JSON] | None = None  # origin, size and root of the log that this one continues
    recovery: str | None = None  # key id of the offline key that may replace the others
    c2pa_ca: JSON = None

    def to_json(self) -> dict[str, JSON]:
        """The key record."""
        return {
            "c2pa_ca": self.c2pa_ca,
            "format": FORMAT,
            "keys": [key.to_json() for key in self.keys],
            "origin": self.origin,
            "predecessor": self.predecessor,
            "recorded_at": self.recorded_at,
            "recovery": self.recovery,
        }

    @classmethod
    def from_json(cls, record: JSON) -> "Snapshot":
        """Read a key record that fits its schema.

        Raises:
            InvalidValue: a key id that is not the key's hash, or a public key that is not 32 bytes of base64.
            KeyError, TypeError: it was not checked against the schema before.
        """
        keys = tuple(_key(each, f"/keys/{n}") for n, each in enumerate(record["keys"]))
        return cls(
            record["recorded_at"],
            record["origin"],
            keys,
            record["predecessor"],
            record["recovery"],
            record["c2pa_ca"],
        )

    def valid(self, keyid: str, role: str, index: int) -> Key | None:
        """The key of that id if it may sign as ``role`` at ``index``, else None."""
        for key in self.keys:
            if key.keyid == keyid and key.role == role and key.start <= index and not _ended(key, index):
                return key
        return None


def role_for(kind: str) -> str:
    """Who signs records of a kind: the log key signs key records, recorder keys everything else."""
    return LOG if kind == "key" else RECORDER


def origin_of(log_key: bytes, host: str | None = None) -> str:
    """The log's name: ``<host>/<16 hex of the log key's SHA-256>``, so that a copied home cannot claim it.

    Raises:
        InvalidValue: the host has other characters than a host name has.
    """
    host = host or DEFAULT_HOST
    if not _HOST(host):
        raise InvalidValue("host", host, "a host name such as registry.example.com")
    return f"{host}/{keyid_of(log_key)[:16]}"


def first_snapshot(log: Signer, recorder: Signer, recorded_at: str, host: str | None = None) -> Snapshot:
    """The record that a new log begins with."""
    keys = (Key(LOG, log.public), Key(RECORDER, recorder.public))
    return Snapshot(recorded_at, origin_of(log.public, host), keys)


def trust_lines(snapshot: Snapshot) -> list[str]:
    """What a verifier needs: the log's keys, one verifier key per line; recorder keys follow from the log."""
    return [str(VerifierKey(snapshot.origin, key.public)) for key in snapshot.keys if key.role == LOG]


def parse_trust(text: str) -> list[VerifierKey]:
    """Read a trust file: one verifier key per line; empty lines and lines that begin with # are skipped.

    Raises:
        NoteRefused: a line that is no verifier key, or no key at all.
    """
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                keys.append(VerifierKey.parse(line.strip()))
            except NoteRefused as problem:
                raise NoteRefused(f"trust file, line {number}", problem.why) from None
    if not keys:
        raise NoteRefused("trust file", "it names no key")
    return keys


def _ended(key: Key, index: int) -> bool:
    return key.until is not None and index >= key.until


def _key(value: JSON, pointer: str) -> Key:
    try:
        public = decode64(value["public"], "public key")
    except NoteRefused as problem:
        raise InvalidValue(f"{pointer}/public", value["public"], problem.why) from None
    if len(public) != 32:
        raise InvalidValue(f"{pointer}/public", value["public"], "base64 of 32 bytes")
    key = Key(value["role"], public, value["from"], value["until"])
    if key.keyid != value["keyid"]:
        raise InvalidValue(f"{pointer}/keyid", value["keyid"], f"the hash of its public key, {key.keyid}")
    return key
