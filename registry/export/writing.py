"""Writes the members of a bundle, as a zip file or a folder, whole or not at all."""

import hashlib
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from registry.canonical import JSON
from registry.errors import Corrupted, CouldNotRun
from registry.locking import sync_folder
from registry.zip_layout import MOST_BYTES, MOST_MEMBERS, Stored, directory

_PIECE = 1 << 20  # bytes


class TargetExists(CouldNotRun):
    """Exports never overwrite."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        """Name what is there."""
        super().__init__(f"{path} exists already; give another name or move it away")


class TargetUnwritable(CouldNotRun):
    """The bundle cannot be written there."""

    def __init__(self, path: Path, problem: OSError) -> None:
        """Name the place and the system's reason."""
        super().__init__(
            f"{path}: {problem.strerror or problem}; no bundle was written, free space or rights and repeat"
        )


class TooLargeForZip(CouldNotRun):
    """More than the zip form holds."""

    exit_code = 2

    def __init__(self, members: int, size: int) -> None:
        """Say how much it is."""
        super().__init__(
            f"{members} members with {size} bytes do not fit a bundle in one zip file (4 GiB, {MOST_MEMBERS} members); "
            "export to a folder: give --to a name that does not end in .zip"
        )


@dataclass(frozen=True, slots=True)
class _Member:
    source: bytes | Path
    size: int
    sha256: str
    crc: int


class Members:
    """What a bundle will hold; documents in memory, assets by path."""

    def __init__(self) -> None:
        self._members: dict[str, _Member] = {}

    def add(self, path: str, data: bytes) -> None:
        """A document."""
        self._members[path] = _Member(data, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))

    def add_file(self, path: str, source: Path) -> None:
        """An asset named by its SHA-256; several records may name the same one.

        Raises:
            Corrupted: the file's bytes do not have that digest.
        """
        if path in self._members:
            return
        digest, crc, size = hashlib.sha256(), 0, 0
        for piece in _pieces(source):
            digest.update(piece)
            crc, size = zlib.crc32(piece, crc), size + len(piece)
        found = digest.hexdigest()
        if not path.endswith(found):
            raise Corrupted(str(source), expected=path.rpartition("/")[2], actual=found)
        self._members[path] = _Member(source, size, found, crc)

    def listing(self) -> list[JSON]:
        """Path, digest and length of each, sorted by path."""
        return [{"path": path, "sha256": each.sha256, "size": each.size} for path, each in self.sorted()]

    def sorted(self) -> list[tuple[str, _Member]]:
        """In the order of their paths."""
        return sorted(self._members.items())


def write_bundle(target: Path, members: Members) -> None:
    """Write to a draft beside ``target``, then give it its name.

    Raises:
        TargetExists, TargetUnwritable, TooLargeForZip: nothing was written.
        Corrupted: an asset changed while it was copied.
    """
    if target.exists() or target.is_symlink():
        raise TargetExists(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        (_write_zip if target.suffix.lower() == ".zip" else _write_folder)(draft, members)
        os.rename(draft, target)
        sync_folder(target.parent)
    except OSError as problem:
        _discard(draft)
        raise TargetUnwritable(target, problem) from problem
    except BaseException:
        _discard(draft)
        raise


def _write_zip(draft: Path, members: Members) -> None:
    stored, at = [], 0
    for path, each in members.sorted():
        stored.append(Stored(path, each.crc, each.size, at))
        at = stored[-1].end
    if len(stored) > MOST_MEMBERS or at > MOST_BYTES:
        raise TooLargeForZip(len(stored), at)
    with draft.open("xb") as out:
        for header, (_, each) in zip(stored, members.sorted(), strict=True):
            out.write(header.header)
            _copy(each, out)
        out.write(directory(stored, at))
        out.flush()
        os.fsync(out.fileno())


def _write_folder(draft: Path, members: Members) -> None:
    # Not synced file by file: that costs up to 12 ms each, and what power loss takes can be exported again.
    for path, each in members.sorted():
        place = draft / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as out:
            _copy(each, out)


def _copy(member: _Member, out: BinaryIO) -> None:
    if isinstance(member.source, bytes):
        out.write(member.source)
        return
    digest = hashlib.sha256()
    for piece in _pieces(member.source):
        digest.update(piece)
        out.write(piece)
    if digest.hexdigest() != member.sha256:
        raise Corrupted(str(member.source), expected=member.sha256, actual=digest.hexdigest())


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _discard(draft: Path) -> None:
    with suppress(OSError):
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)
