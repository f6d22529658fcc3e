"""Writes a file whole or not at all: beside its place, then under its name."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.locking import sync_folder


@contextmanager
def drafted(target: Path, *, durable: bool = True) -> Iterator[Path]:
    """A path beside ``target`` to write to; it takes the name at the end of the block, and is gone if that fails.

    Args:
        target: what is there is replaced.
        durable: whether power loss right afterwards may take neither the file nor what it replaced; costs two syncs.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        yield draft
        if durable:
            with draft.open("r+b") as stream:
                os.fsync(stream.fileno())
        os.replace(draft, target)
        if durable:
            sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Write bytes to a file; see ``drafted``."""
    with drafted(target, durable=durable) as draft:
        draft.write_bytes(data)
