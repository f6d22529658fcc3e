"""How fast the HTTP API records and looks up: ours and the bound of the disk, or of the same server, interleaved.

Run: ``.venv/bin/python benchmarks/bench_http.py [--pairs 80]``. fsync is bimodal on shared machines, so each recording
is followed by one bare durable write of the same size in the same run, and medians are compared.
"""

import argparse
import http.client
import io
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

RECORD_LIMIT = 4.0  # times the bare durable bound
LOOKUP_LIMIT_MS = 2.0
LOOKUP_LIMIT = 2.0  # times the empty route of the same server: half its requests per second
SIDE = 256  # pixels; noise in RGB is 197 KB as PNG


def rows(pairs: int = 80) -> list[dict]:
    """The figures: {"figure", "ours_ms", "peer", "peer_ms", "ratio", "limit", "ok"}."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        bare = bare_writer(Path(folder))
        for n in range(5):
            record(connection, picture(1000 + n))
            bare(picture(1000 + n))
        recorded, bound = [], []
        for data in [picture(n) for n in range(pairs)]:  # all at once: drawing one would cool the caches for the next
            recorded.append(timed(lambda d=data: record(connection, d)))
            bound.append(timed(lambda d=data: bare(d)))
        digest = record(connection, picture(pairs), stored=True)
        time.sleep(1.5)  # the index catches up: what is measured next is the look-up alone
        question = json.dumps({"query": digest}).encode()
        looked, empty = [], []
        for _ in range(10 * pairs):
            looked.append(timed(lambda: look_up(connection, question)))
            empty.append(timed(lambda: fetch(connection, "GET", "/healthz")))
        connection.close()
    return [
        row("record 200 KB by HTTP", recorded, "bare durable write", bound, RECORD_LIMIT),
        row("look-up by digest by HTTP, of throughput", looked, "empty route of the same server", empty, LOOKUP_LIMIT),
        alone("look-up by digest by HTTP", looked, LOOKUP_LIMIT_MS),
    ]


def row(figure: str, ours: list[float], peer: str, theirs: list[float], limit: float) -> dict:
    """One line of the table, from medians."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = mine / other
    return {
        "figure": figure,
        "ours_ms": round(mine, 3),
        "peer": peer,
        "peer_ms": round(other, 3),
        "ratio": round(ratio, 2),
        "limit": f"<= {limit}x",
        "ok": ratio <= limit,
    }


def alone(figure: str, ours: list[float], limit_ms: float) -> dict:
    """One line without a peer."""
    mine = statistics.median(ours)
    told = {"figure": figure, "ours_ms": round(mine, 3), "peer": "", "peer_ms": None, "ratio": None}
    return told | {"limit": f"<= {limit_ms} ms", "ok": mine <= limit_ms}


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """A server in a process of its own, as users run it."""
    program = Path(sys.executable).with_name("mintmark")
    home = folder / ".mintmark"
    environment = os.environ | {"MINTMARK_HOME": str(home)}
    process = subprocess.Popen(
        [program, "serve", "--port", "0"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        url = next(line for line in process.stdout if line.startswith("http://"))
        yield int(url.split("/")[2].rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(20)


def picture(seed: int) -> bytes:
    """A PNG of noise, 197 KB, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", compress_level=1)
    return out.getvalue()


def record(connection: http.client.HTTPConnection, data: bytes, *, stored: bool = False) -> str:
    """Record one generation; the answer is its id, or its asset's digest where it is ``stored``."""
    draft = {
        "provider": {"name": "bench"},
        "model": {"requested": "bench-image-2026-01-01"},
        "prompt": {"submitted": "noise"},
        "settings": {"size": "256x256"},
        "outputs": [{"file": "out.png"}],
    }
    edge = "mintmark-bench-boundary"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="draft"\r\nContent-Type: application/json\r\n\r\n'
        f'{json.dumps(draft)}\r\n--{edge}\r\nContent-Disposition: form-data; name="out.png"; filename="out.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    answer = fetch(
        connection, "POST", "/v1/generations", body, {"Content-Type": f"multipart/form-data; boundary={edge}"}
    )
    value = json.loads(answer)
    return f"sha256:{value['manifest']['outputs'][0]['digest']['sha256']}" if stored else value["id"]


def look_up(connection: http.client.HTTPConnection, question: bytes) -> None:
    """Ask for a digest."""
    answer = fetch(connection, "POST", "/v1/lookup", question, {"Content-Type": "application/json"})
    assert b'"sureness":"match"' in answer


def fetch(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """One request on a connection that stays open."""
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    data = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
    return data


def bare_writer(folder: Path) -> Callable[[bytes], None]:
    """What durability costs at least: file and folder synced, one SQLite commit with synchronous=FULL."""
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


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=80)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    found = rows(given.pairs)
    for line in found:
        state = "ok" if line["ok"] else "MISSED"
        beside = f"{line['peer']}: {line['peer_ms']:.3f} ms   ratio {line['ratio']:.2f}   " if line["peer"] else ""
        print(f"{line['figure']:42} {line['ours_ms']:8.3f} ms   {beside}limit {line['limit']}   {state}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
