"""Writes the log as plain files that any C2SP tlog-tiles client, mirror or web server reads."""

import os
import secrets
from pathlib import Path

from sqlalchemy import Connection

from registry.export.writing import TargetUnwritable
from registry.log.checkpoint import Checkpoint
from registry.log.store import LogStore
from registry.log.tiles import ENTRIES, Tile, tiles_of


def export_log(target: Path, log: LogStore, connection: Connection, checkpoint: Checkpoint) -> int:
    """Bring a folder up to a checkpoint: hash tiles, entry bundles, then ``checkpoint``.

    Tiles never change, so those already there are left alone: exporting
    again costs what is new. The checkpoint comes last, so a reader never
    meets one whose tiles are not there.

    Args:
        target: the folder, made if missing; it is the log's URL prefix.
        log: the log.
        connection: in a read transaction that sees every entry of the checkpoint.
        checkpoint: what to export.

    Returns:
        How many files were written.

    Raises:
        TargetUnwritable: the folder refuses.
        LogUnusable: the log does not reach the checkpoint.
    """
    written = 0
    try:
        for tile in tiles_of(checkpoint.size):
            place = target / tile.path
            if not place.exists():
                _replace(place, log.tile(connection, tile.level, tile.number, tile.width))
                written += 1
            beside = target / Tile(ENTRIES, tile.number, tile.width).path
            if tile.level == 0 and not beside.exists():
                _replace(beside, log.entry_bundle(connection, tile.number, tile.width))
                written += 1
        _replace(target / "checkpoint", checkpoint.note)
    except OSError as problem:
        raise TargetUnwritable(target, problem) from problem
    return written + 1


def _replace(place: Path, data: bytes) -> None:
    """Write beside, then rename: nobody reads half a tile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(data)
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
