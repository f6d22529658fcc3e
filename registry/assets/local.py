"""Assets in a local folder: written to a draft, synced, linked under their name, folder synced."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from registry.assets.draft import DraftFile
from registry.assets.draft import StorageFailed as StorageFailed
from registry.assets.store import AssetCorrupted, AssetNotFound, Staged
from registry.digest import digests_of_file
from registry.locking import sync_folder


class LocalAssets:
    """A content-addressed folder: ``<first two digits>/<BLAKE3>``, drafts in ``staged/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._drafts = root / "staged"

    def prepare(self) -> None:
        """Make the folders: all 256 at once, so that storing an asset syncs one folder and not two."""
        try:
            self._drafts.mkdir(parents=True, exist_ok=True)
            for shard in range(256):
                (self.root / f"{shard:02x}").mkdir(exist_ok=True)
            sync_folder(self.root)
        except OSError as problem:
            raise StorageFailed(self.root, problem) from problem

    def receive(self) -> DraftFile:
        """Open a draft; see AssetStore."""
        return DraftFile(self._drafts / secrets.token_hex(16))

    def stage(self, pieces: Iterable[bytes]) -> Staged:
        """Write the bytes to a draft; see AssetStore."""
        return self.receive().take_all(pieces)

    def sync(self, staged: Staged) -> None:
        """Sync the draft; see AssetStore."""
        try:
            with staged.path.open("rb", buffering=0) as draft:
                os.fsync(draft.fileno())
        except OSError as problem:
            raise StorageFailed(self.root, problem) from problem

    def keep(self, staged: Staged, *, synced: bool = False) -> None:
        """Link the draft under its name, durably; see AssetStore."""
        target = self._path(staged.digests.blake3)
        try:
            if not target.exists():
                if not synced:
                    self.sync(staged)
                # link() fails where rename() would replace: the first writer wins, nobody sees a half-written file.
                with suppress(FileExistsError):
                    os.link(staged.path, target)
                sync_folder(target.parent)
            staged.discard()
        except OSError as problem:
            raise StorageFailed(self.root, problem) from problem

    def open(self, blake3: str) -> BinaryIO:
        """Open the stored file; see AssetStore."""
        try:
            return self._path(blake3).open("rb")
        except FileNotFoundError:
            raise AssetNotFound(f"blake3:{blake3}") from None

    def file(self, blake3: str) -> Path:
        """The stored file; see AssetStore."""
        path = self._path(blake3)
        if not path.is_file():
            raise AssetNotFound(f"blake3:{blake3}")
        return path

    def check(self, blake3: str) -> None:
        """Digest the stored file again; see AssetStore."""
        path = self.file(blake3)
        actual = digests_of_file(path)[0].blake3
        if actual != blake3:
            raise AssetCorrupted(str(path), expected=f"blake3:{blake3}", actual=f"blake3:{actual}")

    def remove(self, blake3: str) -> bool:
        """Delete the stored file; see AssetStore."""
        path = self._path(blake3)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as problem:
            raise StorageFailed(self.root, problem) from problem
        sync_folder(path.parent)
        return True

    def __contains__(self, blake3: str) -> bool:
        return self._path(blake3).is_file()

    def names(self) -> Iterator[tuple[str, float]]:
        """Every stored name; see AssetStore."""
        for shard in self.root.glob("[0-9a-f][0-9a-f]"):
            for path in shard.iterdir():
                with suppress(FileNotFoundError):  # erased meanwhile
                    yield path.name, path.stat().st_mtime

    def sweep_staged(self, before: float) -> int:
        """Delete old drafts; see AssetStore."""
        count = 0
        for draft in self._drafts.iterdir():
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < before:
                    draft.unlink()
                    count += 1
        return count

    def _path(self, blake3: str) -> Path:
        return self.root / blake3[:2] / blake3
