"""Assets in memory, for tests and for looking at media that nobody keeps."""

import io
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from registry.assets.draft import DraftFile
from registry.assets.store import AssetCorrupted, AssetNotFound, Staged
from registry.digest import digests_of


class MemoryAssets:
    """A dictionary of bytes; files appear in a temporary folder only when somebody asks for one."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[bytes, float]] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="mintmark-")
        self._drafts = Path(self._folder.name) / "staged"
        self._drafts.mkdir()

    def receive(self) -> DraftFile:
        """Open a temporary file; see AssetStore."""
        return DraftFile(self._drafts / secrets.token_hex(16))

    def stage(self, pieces: Iterable[bytes]) -> Staged:
        """Write the bytes to a temporary file; see AssetStore."""
        return self.receive().take_all(pieces)

    def sync(self, staged: Staged) -> None:
        """Nothing to do: memory lasts as long as it lasts; see AssetStore."""

    def keep(self, staged: Staged, *, synced: bool = False) -> None:
        """Take the bytes into memory; see AssetStore."""
        self._stored.setdefault(staged.digests.blake3, (staged.path.read_bytes(), time.time()))
        staged.discard()

    def open(self, blake3: str) -> BinaryIO:
        """The bytes as a stream; see AssetStore."""
        return io.BytesIO(self._bytes(blake3))

    def file(self, blake3: str) -> Path:
        """The bytes as a temporary file; see AssetStore."""
        path = Path(self._folder.name) / blake3
        path.write_bytes(self._bytes(blake3))
        return path

    def check(self, blake3: str) -> None:
        """Digest the bytes again; see AssetStore."""
        actual = digests_of(self._bytes(blake3)).blake3
        if actual != blake3:
            raise AssetCorrupted("memory", expected=f"blake3:{blake3}", actual=f"blake3:{actual}")

    def remove(self, blake3: str) -> bool:
        """Forget the bytes; see AssetStore."""
        return self._stored.pop(blake3, None) is not None

    def __contains__(self, blake3: str) -> bool:
        return blake3 in self._stored

    def names(self) -> Iterator[tuple[str, float]]:
        """Every stored name; see AssetStore."""
        return iter([(name, since) for name, (_, since) in self._stored.items()])

    def sweep_staged(self, before: float) -> int:
        """Delete old drafts; see AssetStore."""
        old = [draft for draft in self._drafts.iterdir() if draft.stat().st_mtime < before]
        for draft in old:
            draft.unlink()
        return len(old)

    def _bytes(self, blake3: str) -> bytes:
        try:
            return self._stored[blake3][0]
        except KeyError:
            raise AssetNotFound(f"blake3:{blake3}") from None
