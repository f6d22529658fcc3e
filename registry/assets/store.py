"""What an asset store is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from registry.digest import DigestSet
from registry.errors import Corrupted, NotFound


class AssetNotFound(NotFound):
    """No stored bytes of that name."""

    def __init__(self, digest: str) -> None:
        """Name the digest."""
        super().__init__("asset", digest, "its bytes were erased or never stored")


class AssetCorrupted(Corrupted):
    """An asset's bytes no longer match its name."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that have arrived and are not stored yet: a file to look at, both digests, the length in bytes."""

    path: Path
    digests: DigestSet
    bytes: int

    def discard(self) -> None:
        """Forget them."""
        self.path.unlink(missing_ok=True)


class Arriving(Protocol):
    """Bytes on their way in, handed over piece by piece (an upload); nothing is stored yet."""

    @property
    def length(self) -> int:
        """How many bytes have come."""
        ...

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        ...

    def finish(self) -> Staged:
        """All have come."""
        ...

    def discard(self) -> None:
        """Forget them; after ``finish`` and twice is no error."""
        ...


class AssetStore(Protocol):
    """Write-once storage, addressed by BLAKE3.

    tests/registry/assets/test_store.py states what every implementation owes.
    """

    def receive(self) -> Arriving:
        """Begin to take bytes in, digesting on the way."""
        ...

    def stage(self, pieces: Iterable[bytes]) -> Staged:
        """Take bytes in as they come, digesting on the way; nothing is stored yet."""
        ...

    def sync(self, staged: Staged) -> None:
        """Make what was staged durable where it waits, while its bytes are still being looked at."""
        ...

    def keep(self, staged: Staged, *, synced: bool = False) -> None:
        """Store what was staged, durably when this returns; the same bytes twice is no error.

        Args:
            staged: what to store.
            synced: ``sync`` has been called with it, and has returned.
        """
        ...

    def open(self, blake3: str) -> BinaryIO:
        """Open the bytes for reading.

        Raises:
            AssetNotFound: they are not here.
        """
        ...

    def file(self, blake3: str) -> Path:
        """A local file with the bytes, to be read only.

        Raises:
            AssetNotFound: they are not here.
        """
        ...

    def check(self, blake3: str) -> None:
        """Read the bytes again.

        Raises:
            AssetNotFound: they are not here.
            AssetCorrupted: they no longer match their name.
        """
        ...

    def remove(self, blake3: str) -> bool:
        """Take the bytes away (erasure); says whether they were here."""
        ...

    def __contains__(self, blake3: str) -> bool: ...

    def names(self) -> Iterator[tuple[str, float]]:
        """The BLAKE3 of everything stored, with the time it came (seconds since the epoch), in no order."""
        ...

    def sweep_staged(self, before: float) -> int:
        """Remove what was staged before a time and never kept; returns how many."""
        ...
