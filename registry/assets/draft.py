"""A draft: the file that bytes on their way in are written to, digested as they come."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from registry.assets.store import Staged
from registry.digest import Digester
from registry.errors import CouldNotRun


class StorageFailed(CouldNotRun):
    """The folder cannot be written: full, read-only, gone."""

    def __init__(self, path: Path, problem: OSError) -> None:
        """Name the folder and the system's reason."""
        super().__init__(
            f"{path}: {problem.strerror or problem}; nothing was recorded: make room there, then try again"
        )


class DraftFile:
    """A file that grows until ``finish``; see registry.assets.store.Arriving."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digester = Digester()
        try:
            self._out = path.open("xb", buffering=0)
        except OSError as problem:
            raise StorageFailed(path.parent, problem) from problem

    @property
    def length(self) -> int:
        """How many bytes have come."""
        return self._digester.bytes

    def take(self, piece: bytes) -> None:
        """Digest and write the next piece."""
        self._digester.update(piece)
        rest = memoryview(piece)
        try:
            while rest:  # an unbuffered write may take less, on a disk that is nearly full
                rest = rest[self._out.write(rest) :]
        except OSError as problem:
            raise StorageFailed(self._path.parent, problem) from problem

    def take_all(self, pieces: Iterable[bytes]) -> Staged:
        """Take every piece and finish; an error on the way leaves nothing behind."""
        try:
            for piece in pieces:
                self.take(piece)
            return self.finish()
        except BaseException:
            self.discard()
            raise

    def finish(self) -> Staged:
        """Close the file and say what it holds."""
        self._out.close()
        return Staged(self._path, self._digester.digests(), self._digester.bytes)

    def discard(self) -> None:
        """Delete the file."""
        self._out.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
