"""What the benchmarks share: timing, the form of a row, a picture of 200 KB, and the bare durable bound."""

import io
import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 258  # pixels; noise in RGB is 200 KB as PNG


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def against(figure: str, ours: list[float], peer: str, theirs: list[float], limit: float) -> dict:
    """One row from medians of interleaved times, ours beside a peer or bound; the limit is a ratio."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {
        "figure": figure,
        "ours_ms": round(mine, 3),
        "peer": peer,
        "peer_ms": round(other, 3),
        "ratio": round(mine / other, 2),
        "limit": f"<= {limit}x",
        "ok": mine / other <= limit,
    }


def within(figure: str, ours: list[float], limit_ms: float) -> dict:
    """One row from the median of our times; the limit is in milliseconds."""
    mine = statistics.median(ours)
    told = {"figure": figure, "ours_ms": round(mine, 3), "peer": "", "peer_ms": None, "ratio": None}
    return told | {"limit": f"<= {limit_ms:g} ms", "ok": mine <= limit_ms}


def picture(seed: int) -> bytes:
    """A PNG of noise, about 200 KB, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", compress_level=1)
    return out.getvalue()


def bare_writer(folder: Path) -> Callable[[bytes], None]:
    """The least that durable means: file and folder synced, one row committed by SQLite with synchronous=FULL."""
    files = folder / "bare"
    files.mkdir()
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE record (id INTEGER PRIMARY KEY, name TEXT, body BLOB)")

    def write(data: bytes) -> None:
        name = os.urandom(16).hex()
        with (files / name).open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        handle = os.open(files, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO record (name, body) VALUES (?, ?)", (name, bytes(2000)))
        database.execute("COMMIT")

    return write
