"""Opens a bundle, zip or folder, and refuses everything that is not exactly one."""

import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from drift.media.sniff import HEAD, sniff
from registry.bundle_format import BUNDLE, ENVELOPE, is_member_name
from registry.errors import CouldNotRun, RegistryError
from registry.zip_layout import CENTRAL_SIZE, END_SIZE, MOST_MEMBERS, Stored, directory, read_directory, read_end

PIECE = 1 << 20  # bytes read at a time
LONGEST_DOCUMENT = 64 << 20  # bytes of a member that is read whole
MOST_FILES = 4_000_000  # in a folder
_LONGEST_NAME = 100
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"


class ContainerRefused(RegistryError):
    """Not a bundle, or not written the one allowed way."""

    exit_code = 1


class BundleUnreadable(CouldNotRun):
    """The path cannot be read at all."""

    def __init__(self, path: Path, problem: OSError) -> None:
        """Name the path and the system's reason."""
        super().__init__(f"{path}: {problem.strerror or problem}; check the path and your rights to it")


class NotABundle(CouldNotRun):
    """Something else altogether: neither intact nor damaged."""

    def __init__(self, path: Path, what: str) -> None:
        """Name the path and what it is instead."""
        super().__init__(f"{path} is no bundle but {what}; give what `mintmark export --to` wrote")


class Members(Protocol):
    """The members of a bundle, by name."""

    sizes: Mapping[str, int]

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes, at most 1 MiB at a time.

        Raises:
            ContainerRefused: they are not what the container says they are.
        """
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


def open_members(path: Path) -> Members:
    """Open a bundle.

    Raises:
        ContainerRefused: damaged, or more than a bundle.
        NotABundle: nothing in it is of a bundle.
        BundleUnreadable: the path is not there or may not be read.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            if not any((path / name).exists() for name in (BUNDLE, ENVELOPE, "records", "checkpoint")):
                raise NotABundle(path, f"a folder without {BUNDLE}")
            return FolderMembers(path)
        if not stat.S_ISREG(kind):
            raise NotABundle(path, "neither a file nor a folder")
        if (what := _something_else(path)) is not None:
            raise NotABundle(path, what)
        return ZipMembers(path)
    except OSError as problem:
        raise BundleUnreadable(path, problem) from None


def _something_else(path: Path) -> str | None:
    """What a file is that neither begins nor ends as a zip file does; None for all others, damaged ones included."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        end = stream.seek(-min(END_SIZE, stream.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = stream.read()
    if not head:
        return "an empty file"
    if head.startswith(_ZIP[: len(head)]) or tail.startswith(_ZIP_END):
        return None
    if head.startswith(b"SQLite format 3"):
        return "a SQLite database (`mintmark log audit` checks a registry)"
    form = sniff(head, "")
    if form is None:
        return f"a file of {end + len(tail):,} bytes of another kind"
    if form.media_type.startswith("text/"):
        return "a text file"
    return f"{form.media_type} (`mintmark lookup` says where it came from)"


def read_file(path: Path) -> bytes:
    """A small file that the verifier brings: keys, a checkpoint.

    Raises:
        BundleUnreadable: it is not there or may not be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST_DOCUMENT)
    except OSError as problem:
        raise BundleUnreadable(path, problem) from None


def read(members: Members, name: str) -> bytes:
    """A member's bytes as a whole.

    Raises:
        ContainerRefused: it is missing, or too long for a document.
    """
    size = members.sizes.get(name)
    if size is None:
        raise ContainerRefused(f"{name} is missing")
    if size > LONGEST_DOCUMENT:
        raise ContainerRefused(f"{name} has {size} bytes; a document has at most {LONGEST_DOCUMENT}")
    return b"".join(members.pieces(name))


class ZipMembers:
    """A bundle in one file; every header is rebuilt and compared."""

    def __init__(self, path: Path) -> None:
        """Open and compare.

        Raises:
            ContainerRefused: any byte outside the members' own differs.
        """
        self._stream: BinaryIO = path.open("rb")
        try:
            self._members = {member.name: member for member in self._layout(path.stat().st_size)}
        except BaseException:
            self._stream.close()
            raise
        self.sizes: Mapping[str, int] = {name: member.size for name, member in self._members.items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        """See Members; the checksum is compared at the end."""
        member = self._members[name]
        self._stream.seek(member.start)
        left, crc = member.size, 0
        while left:
            piece = self._stream.read(min(PIECE, left))
            if not piece:
                raise ContainerRefused(f"{name} breaks off")
            crc, left = zlib.crc32(piece, crc), left - len(piece)
            yield piece
        if crc != member.crc:
            raise ContainerRefused(f"{name} does not match its checksum")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _layout(self, size: int) -> list[Stored]:
        if size < END_SIZE:
            raise ContainerRefused("it is too short to be a zip file")
        length, start = read_end(self._at(size - END_SIZE, END_SIZE))
        if start + length + END_SIZE != size:
            raise ContainerRefused("it does not end as a bundle does: no directory, or bytes before or after it")
        if length > MOST_MEMBERS * (CENTRAL_SIZE + _LONGEST_NAME):
            raise ContainerRefused("its directory is longer than any bundle's")
        listed = self._at(start, length + END_SIZE)
        try:
            members = read_directory(listed[:-END_SIZE])
            if directory(members, start) != listed:
                raise ContainerRefused("its directory is not written the one way bundles write it")
        except ValueError as problem:
            raise ContainerRefused(f"its directory is damaged: {problem}") from None
        self._compare(members, start)
        return members

    def _compare(self, members: list[Stored], end: int) -> None:
        at, before = 0, ""
        for member in members:
            _check_name(member.name)
            if member.name <= before:
                raise ContainerRefused(f"{member.name} stands twice, or out of order")
            if member.offset != at or member.end > end or self._at(at, len(member.header)) != member.header:
                raise ContainerRefused(f"the header of {member.name} is not written the one way bundles write it")
            at, before = member.end, member.name
        if at != end:
            raise ContainerRefused("there are bytes between the last member and the directory")

    def _at(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(length)


class FolderMembers:
    """A bundle as a folder; names and contents count, times and rights do not."""

    def __init__(self, path: Path) -> None:
        """Look at every name.

        Raises:
            ContainerRefused: a link, a device, an empty folder, or a name that bundles do not have.
        """
        self._root = path
        self.sizes: Mapping[str, int] = dict(sorted(self._walk()))

    def pieces(self, name: str) -> Iterator[bytes]:
        """See Members."""
        left = self.sizes[name]
        # A member swapped for a pipe or a link after we looked must not hang or lead elsewhere.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._root / name, flags), "rb") as stream:
            while piece := stream.read(PIECE):
                left -= len(piece)
                yield piece
        if left:
            raise ContainerRefused(f"{name} changed while it was read")

    def close(self) -> None:
        """Nothing is held open."""

    def _walk(self) -> Iterator[tuple[str, int]]:
        todo, count = [(self._root, "")], 0
        while todo:
            folder, prefix = todo.pop()
            with os.scandir(folder) as entries:
                found = list(entries)
            if not found:
                raise ContainerRefused(
                    f"the folder {ascii(prefix)[1:-1] or '.'} is empty; bundles have no empty folders"
                )
            for entry in found:
                count += 1
                name = prefix + entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode) and count <= MOST_FILES and len(name) <= _LONGEST_NAME:
                    todo.append((Path(entry.path), f"{name}/"))
                    continue
                _check_name(name)
                if not stat.S_ISREG(mode):
                    raise ContainerRefused(f"{name} is a link or a device, not a file")
                yield name, entry.stat(follow_symlinks=False).st_size


def _check_name(name: str) -> None:
    if not is_member_name(name):
        raise ContainerRefused(f"{ascii(name)[:120]} is not a name that members of a bundle have")
