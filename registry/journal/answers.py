"""What providers answered to calls that are not recorded yet: on disk, sealed, so that any process can go on."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.errors import CouldNotRun
from registry.locking import sync_folder

_SEALED: Final = "answer.sealed"
_FILE: Final = "answer"
_NONCE: Final = 12
_DAY_S: Final = 86_400


class AnswerElsewhere(CouldNotRun):
    """The answer to a call is not in this home."""

    def __init__(self, key: str, owner: str) -> None:
        """Name the call and who has its answer."""
        super().__init__(
            f"call {key} was answered, and the answer is not in this home: go on where it was made ({owner}), or give "
            f"it up with `mintmark replay ambiguous paid {key} --by NAME --reason TEXT`"
        )


class Answers:
    """One folder for each call in ``home/calls``, for its owner's eyes only.

    An answer may repeat the prompt, so it is encrypted under a key of the vault (AES-256-GCM, NIST SP 800-38D) with
    the call's key as associated data. A file that is the answer lies there as it came, as assets do.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder, self._cipher = folder, AESGCM(secret)

    def workdir(self, key: str) -> Path:
        """A new, empty folder for what this process makes of a call; it goes with the call's own."""
        folder = self._prepared(key) / f"work-{os.getpid()}-{os.urandom(4).hex()}"
        folder.mkdir(mode=0o700)
        return folder

    def keep(self, key: str, answer: bytes, file: Path | None) -> None:
        """Store an answer, durably when this returns.

        Args:
            key: the call's.
            answer: what to go on from.
            file: an answer that is a file, on the same disk.
        """
        folder = self._prepared(key)
        if file is not None:
            _sync(file)
            (folder / _FILE).unlink(missing_ok=True)  # of a try whose process ended before its row moved
            os.link(file, folder / _FILE)
        nonce = os.urandom(_NONCE)
        draft = folder / f".{_SEALED}.{os.getpid()}"
        with draft.open("wb") as stream:
            stream.write(nonce + self._cipher.encrypt(nonce, answer, key.encode()))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(folder / _SEALED)
        sync_folder(folder)
        sync_folder(self._folder)

    def load(self, key: str, workdir: Path) -> bytes | None:
        """A stored answer, its file linked into ``workdir``; None where it is not in this home."""
        folder = self._folder / key
        try:
            data = (folder / _SEALED).read_bytes()
            answer = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], key.encode())
        except (FileNotFoundError, InvalidTag, ValueError):
            return None
        if (folder / _FILE).exists():
            os.link(folder / _FILE, workdir / _FILE)
        return answer

    def holds(self, key: str) -> bool:
        """Whether an answer to the call lies here."""
        return (self._folder / key / _SEALED).exists()

    def drop(self, key: str) -> None:
        """Delete all that lies here of a call."""
        shutil.rmtree(self._folder / key, ignore_errors=True)

    def tidy(self, done: Callable[[list[str]], set[str]]) -> None:
        """Delete what killed processes left: of calls that are done, and empty folders of a day ago.

        Args:
            done: those of the given keys that nobody has to go on with.
        """
        keys = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        for key in done(keys) | set(filter(self._abandoned, keys)) if keys else ():
            self.drop(key)

    def _abandoned(self, key: str) -> bool:
        """Whether a process ended before it sent anything, so long ago that it is not about to."""
        with suppress(OSError):
            return not self.holds(key) and time.time() - (self._folder / key).stat().st_mtime > _DAY_S
        return False

    def _prepared(self, key: str) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        folder = self._folder / key
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
