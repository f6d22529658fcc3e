"""How fast the log proves and audits: ours, pymerkle's in-memory tree and the limit, interleaved in one run.

Run: ``.venv/bin/python benchmarks/bench_log.py``.
"""

import hashlib
import random
import statistics
import tempfile
from pathlib import Path

import pymerkle
from measuring import timed
from sqlalchemy import text

from registry.database import Database
from registry.log.store import LogStore
from registry.log.writing import Draft, append_all
from registry.migrating import upgrade

NOW = "2026-11-20T12:00:00.000Z"
PROOF_LIMIT_MS = 1.0
OVERHEAD_LIMIT_B = 120
AUDIT_LIMIT_US = 5.0  # per entry: a million in 5 s


def filled(folder: Path, size: int) -> LogStore:
    """A log of ``size`` entries on SQLite."""
    log = LogStore(Database(f"sqlite:///{folder}/mintmark.db"))
    with log.database.writing() as connection:
        upgrade(connection, "registry.catalog:migrations", None)
    for start in range(0, size, 20_000):
        digests = [hashlib.sha256(n.to_bytes(8, "big")).hexdigest() for n in range(start, min(size, start + 20_000))]
        drafts = [Draft("generation" if start or n else "key", f"sha256:{d}", d, NOW) for n, d in enumerate(digests)]
        with log.database.writing() as connection:
            append_all(connection, drafts)
    return log


def rows(size: int = 100_000, peer_size: int = 20_000, rounds: int = 50) -> list[dict]:
    """The figures: {"figure", "ours_ms", "peer", "peer_ms", "ratio", "limit", "ok"}.

    Args:
        size: entries of our log.
        peer_size: entries of pymerkle's tree; its proofs take linear time.
        rounds: proofs measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = filled(Path(folder), size)
        found = [*measure(log, Path(folder), size, peer_size, rounds), overhead(log, size)]
        log.database.dispose()
    return found


def measure(log: LogStore, folder: Path, size: int, peer_size: int, rounds: int) -> list[dict]:
    """The rows on time, each the median of interleaved rounds; the peer keeps its tree in SQLite as we do."""
    peer = pymerkle.SqliteTree(str(folder / "peer.db"), algorithm="sha256")
    peer.append_entries([n.to_bytes(8, "big") for n in range(peer_size)])
    draw = random.Random(7)
    took: dict[str, list[float]] = {"inclusion": [], "inclusion peer": [], "consistency": [], "consistency peer": []}
    with log.database.reading() as connection:
        for _ in range(rounds):
            index, first = draw.randrange(size), draw.randrange(1, size)
            near, early = draw.randrange(peer_size) + 1, draw.randrange(1, peer_size)
            took["inclusion"].append(timed(lambda i=index: log.inclusion(connection, i, size)))
            took["inclusion peer"].append(timed(lambda i=near: peer.prove_inclusion(i, peer_size)))
            took["consistency"].append(timed(lambda i=first: log.consistency(connection, i, size)))
            took["consistency peer"].append(timed(lambda i=early: peer.prove_consistency(i, peer_size)))
        audit = statistics.median(timed(lambda: log.audit(connection)) for _ in range(3))
    found = []
    for name in ("inclusion", "consistency"):
        ours, theirs = statistics.median(took[name]), statistics.median(took[f"{name} peer"])
        figure = f"{name} proof at {size:,}"
        peer_name = f"pymerkle at {peer_size:,}"
        ratio = round(ours / theirs, 2)
        limit, ok = f"<= {PROOF_LIMIT_MS} ms", ours <= PROOF_LIMIT_MS
        found.append(line(figure, ours, limit, ok) | {"peer": peer_name, "peer_ms": round(theirs, 3), "ratio": ratio})
    allowed = AUDIT_LIMIT_US * size / 1000
    return [*found, line(f"audit of {size:,} entries", audit, f"<= {allowed:.0f} ms", audit <= allowed)]


def line(figure: str, ours_ms: float | None, limit: str, ok: bool) -> dict:
    """One line of the table without a peer."""
    ours = None if ours_ms is None else round(ours_ms, 3)
    return {"figure": figure, "ours_ms": ours, "peer": "", "peer_ms": None, "ratio": None, "limit": limit, "ok": ok}


def overhead(log: LogStore, size: int) -> dict:
    """What the log adds to an entry's own bytes in the database: hashes, tiles, index, page slack."""
    with log.database.reading() as connection:
        bodies = connection.execute(text("SELECT sum(length(body)) FROM log_entry")).scalar_one()
        pages = connection.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        each = (pages.scalar_one() - bodies) / size
    figure = f"log overhead per entry: {each:.0f} bytes"
    return line(figure, None, f"<= {OVERHEAD_LIMIT_B} B", each <= OVERHEAD_LIMIT_B)


if __name__ == "__main__":
    for one in rows():
        print(one)
