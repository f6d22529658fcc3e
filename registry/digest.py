"""The two digests of some bytes, computed in one pass.

BLAKE3 names what we store; SHA-256 is what C2PA, in-toto and transparency
logs read.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from registry.errors import InvalidDigest

LARGE = 16 << 20  # bytes from which a second thread is worth its start
LARGE_PIECE = 4 << 20
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
    """Both digests of a file and its length in bytes, in one pass with at most 8 MiB of memory."""
    digester = Digester()
    with path.open("rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size < LARGE:
            for piece in pieces(stream):
                digester.update(piece)
        else:
            _beside_each_other(digester, stream)
    return digester.digests(), digester.bytes


def _beside_each_other(digester: Digester, stream: RawIOBase) -> None:
    """One thread for each algorithm on the same piece: both let go of the interpreter while they work.

    While a piece is being digested by the slower one, the next is read into the other buffer.
    """
    views = [memoryview(bytearray(LARGE_PIECE)) for _ in range(2)]
    pending: Future[None] | None = None
    turn = 0
    with ThreadPoolExecutor(1) as pool:
        while got := stream.readinto(views[turn]):
            piece = views[turn][:got]
            if pending is not None:
                pending.result()
            pending = pool.submit(digester._sha256.update, piece)
            digester._blake3.update(piece)
            digester.bytes += got
            turn = 1 - turn
        if pending is not None:
            pending.result()


def pieces(stream: BinaryIO | RawIOBase) -> Iterator[bytes]:
    """The bytes of an open file or pipe in pieces of at most 1 MiB, of a small file in one of about its size.

    Memory is paid for as it is asked for, however few bytes come.
    """
    room = max(1 << 16, min(PIECE, os.fstat(stream.fileno()).st_size + 1))
    while piece := stream.read(room):
        yield piece
