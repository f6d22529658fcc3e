"""The two digests of some bytes, computed in one pass.

BLAKE3 names what we store; SHA-256 is what C2PA, in-toto and transparency
logs read.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from registry.errors import InvalidDigest

PIECE = 1 << 20  # bytes; larger pieces leave the cache, smaller ones pay per call
_HEX_256 = re.compile(r"[0-9a-f]{64}").fullmatch


@dataclass(frozen=True, order=True, slots=True)
class Digest:
    """One digest with its algorithm, printed as ``sha256:<64 hex digits>``."""

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        if self.algorithm not in ("sha256", "blake3") or not _HEX_256(self.hex):
            raise InvalidDigest(f"{self.algorithm}:{self.hex}")

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Read ``sha256:…`` or ``blake3:…``.

        Raises:
            InvalidDigest: anything else.
        """
        algorithm, colon, digits = text.partition(":")
        if not colon:
            raise InvalidDigest(text)
        return cls(algorithm, digits)


@dataclass(frozen=True, order=True, slots=True)
class DigestSet:
    """Both digests of the same bytes, as lower-case hex."""

    blake3: str
    sha256: str

    def __post_init__(self) -> None:
        if not (_HEX_256(self.blake3) and _HEX_256(self.sha256)):
            raise InvalidDigest(f"{self.blake3} {self.sha256}")

    def to_json(self) -> dict[str, str]:
        """The form that manifests use."""
        return {"blake3": self.blake3, "sha256": self.sha256}


class Digester:
    """Takes bytes as they stream by; knows both digests and the length at the end."""

    __slots__ = ("_blake3", "_sha256", "bytes")

    def __init__(self) -> None:
        self._blake3, self._sha256, self.bytes = blake3(), hashlib.sha256(), 0

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._blake3.update(piece)
        self._sha256.update(piece)
        self.bytes += len(piece)

    def digests(self) -> DigestSet:
        """Both digests of everything taken so far."""
        return DigestSet(self._blake3.hexdigest(), self._sha256.hexdigest())


def digests_of(data: bytes) -> DigestSet:
    """Both digests of bytes at hand."""
    return DigestSet(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest())


def digests_of_file(path: Path) -> tuple[DigestSet, int]:
    """Both digests of a file and its length in bytes, in one pass with 1 MiB of memory."""
    digester = Digester()
    buffer = bytearray(PIECE)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as stream:
        while got := stream.readinto(view):
            piece = view[:got]
            digester._blake3.update(piece)
            digester._sha256.update(piece)
            digester.bytes += got
    return digester.digests(), digester.bytes


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes in pieces of at most 1 MiB."""
    while piece := stream.read(PIECE):
        yield piece
