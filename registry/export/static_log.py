"""Writes the log as plain files that any C2SP tlog-tiles client, mirror or web server reads."""

from pathlib import Path

from sqlalchemy import Connection

from registry.errors import CouldNotRun
from registry.export.writing import TargetUnwritable
from registry.log.checkpoint import Checkpoint
from registry.log.errors import LogError
from registry.log.store import LogStore
from registry.log.tiles import ENTRIES, Tile, tiles_of
from registry.whole import write_whole


class HoldsAnotherLog(CouldNotRun):
    """A folder in the way of an exported log."""

    exit_code = 2

    def __init__(self, folder: Path, why: str) -> None:
        """Name the folder and what is in it."""
        super().__init__(f"{folder} {why}; nothing was written, give another folder")


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
        HoldsAnotherLog: it holds something else, or another history.
        LogUnusable: the log does not reach the checkpoint.
    """
    _check(target, log, connection, checkpoint)
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


def _check(target: Path, log: LogStore, connection: Connection, checkpoint: Checkpoint) -> None:
    """Let a folder pass that is new, or holds an earlier state of this very log."""
    if target.exists() and not target.is_dir():
        raise HoldsAnotherLog(target, "is a file")
    strangers = [path.name for path in target.glob("*") if path.name not in ("tile", "checkpoint")]
    if strangers:
        raise HoldsAnotherLog(target, f"holds other things ({sorted(strangers)[0]})")
    if not (target / "checkpoint").exists():  # new, or an export that was cut off before its end
        return
    try:
        there = Checkpoint.parse((target / "checkpoint").read_bytes())
    except (LogError, OSError) as problem:
        raise HoldsAnotherLog(target, f"holds a checkpoint that cannot be read ({problem})") from None
    if there.origin != checkpoint.origin:
        raise HoldsAnotherLog(target, f"holds the log {there.origin}")
    if there.size > checkpoint.size or log.root(connection, there.size) != there.root:
        raise HoldsAnotherLog(target, f"holds another history of this log, signed over {there.size:,} entries")


def _replace(place: Path, data: bytes) -> None:
    """Nobody reads half a tile; not synced one by one: what power loss takes is exported again."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, data, durable=False)
