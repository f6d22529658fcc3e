"""What the log keeps of a record: a body of at most 300 bytes, without personal data.

The body is canonical JSON with fixed members, so one pattern both reads it
and shows that it is written the one allowed way.
"""

import json
import re
from dataclasses import dataclass

from registry.canonical import canonical
from registry.log.errors import LeafRefused, LogError, NewerLeaf

VERSION = 1
LONGEST = 300  # bytes

_ID = re.compile(r"sha256:[0-9a-f]{64}").fullmatch
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
_BODY = re.compile(
    rb'\{"id":"(sha256:[0-9a-f]{64})","keys":(0|[1-9][0-9]{0,15}),"kind":"([a-z]{1,16})",'
    rb'"pae":"([0-9a-f]{64})","time":"(' + _TIME.encode() + rb')","v":1\}'
).fullmatch

ID_AT, ID_WIDTH = 15, 16  # where in the body, counted from 1 as SQL does, the id's first hex digits stand


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the log."""

    kind: str  # of the record: generation, drift, key …
    id: str  # of the record
    pae: str  # hex SHA-256 of what the record's signature covers
    keys: int  # index of the key record in force when it was signed
    time: str  # RFC 3339, UTC, milliseconds; never before the previous entry's

    @property
    def body(self) -> bytes:
        """The bytes that are hashed into the tree.

        Raises:
            LeafRefused: a member breaks its syntax.
        """
        body = canonical(
            {"id": self.id, "keys": self.keys, "kind": self.kind, "pae": self.pae, "time": self.time, "v": VERSION}
        )
        if not _BODY(body):
            raise LeafRefused(f"{body[:200]!r} is not an entry of version {VERSION}")
        return body

    @classmethod
    def parse(cls, body: bytes) -> "Leaf":
        """Read a body; ``parse(body).body == body`` always.

        Raises:
            LeafRefused: anything else than the one form.
            NewerLeaf: an entry of a later version.
        """
        found = _BODY(body)
        if not found:
            raise _refusal(body)
        record, keys, kind, pae, time = found.groups()
        return cls(kind.decode(), record.decode(), pae.decode(), int(keys), time.decode())

    @staticmethod
    def chained(body: bytes) -> tuple[bytes, int, bytes]:
        """Kind, key record and time of a body: what ties it to its neighbours, at a third of the cost of ``parse``.

        Raises:
            LeafRefused, NewerLeaf: as ``parse``.
        """
        found = _BODY(body)
        if not found:
            raise _refusal(body)
        keys, kind, time = found.group(2, 3, 5)
        return kind, int(keys), time

    def next_keys(self, index: int) -> int:
        """The key record in force for the entry that follows this one, which stands at ``index``."""
        return index if self.kind == "key" else self.keys


def id_prefix(record: str) -> bytes:
    """The part of a record's id that the database indexes.

    Raises:
        LeafRefused: not an id.
    """
    if not _ID(record):
        raise LeafRefused(f"{record[:80]!r} is not a record's id")
    return record[7 : 7 + ID_WIDTH].encode()


def _refusal(body: bytes) -> LogError:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    version = value.get("v") if isinstance(value, dict) else None
    if type(version) is int and version > VERSION:
        return NewerLeaf(version)
    return LeafRefused(f"{body[:80]!r} is not written as version {VERSION} asks")
