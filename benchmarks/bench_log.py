"""How fast the log proves and audits: ours, pymerkle's in-memory tree and the limit, interleaved in one run.

Run: ``.venv/bin/python benchmarks/bench_log.py [--size 100000]``; ``--json FILE`` writes the rows as well as the table.
"""

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymerkle
from sqlalchemy import text

from registry.database import Database
from registry.log.store import LogStore
from registry.log.writing import Draft, append_all
from registry.migrating import upgrade

NOW = "2026-11-20T12:00:00.000Z"
PROOF_LIMIT_MS = 1.0
OVERHEAD_LIMIT_B = 120
AUDIT_LIMIT_US = 5.0  # per entry: a million in 5 s


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


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


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--peer-size", type=int, default=20_000, help="pymerkle's tree; its proofs take linear time")
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = filled(Path(folder), given.size)
        rows = [*measure(log, Path(folder), given.size, given.peer_size, given.rounds), overhead(log, given.size)]
        log.database.dispose()
    for row in rows:
        peer = f"  peer {row['peer']:.3f}  ratio {row['peer'] / row['ours']:.1f}" if "peer" in row else ""
        limit = f"  limit {row['limit']}" if "limit" in row else ""
        print(f"{row['row']:45} {row['ours']:10.3f} {row['unit']}{peer}{limit}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


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
    rows = []
    for name in ("inclusion", "consistency"):
        title = f"{name} proof at {size:,} (peer at {peer_size:,})"
        ours, theirs = statistics.median(took[name]), statistics.median(took[f"{name} peer"])
        rows.append({"row": title, "ours": ours, "peer": theirs, "unit": "ms", "limit": PROOF_LIMIT_MS})
    per_entry = audit / size * 1000
    return [*rows, {"row": f"audit of {size:,}, each", "ours": per_entry, "unit": "us", "limit": AUDIT_LIMIT_US}]


def overhead(log: LogStore, size: int) -> dict:
    """What the log adds to an entry's own bytes in the database: hashes, tiles, index, page slack."""
    with log.database.reading() as connection:
        bodies = connection.execute(text("SELECT sum(length(body)) FROM log_entry")).scalar_one()
        pages = connection.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        each = (pages.scalar_one() - bodies) / size
    return {"row": "log overhead per entry", "ours": each, "unit": "B", "limit": OVERHEAD_LIMIT_B}


if __name__ == "__main__":
    main()
