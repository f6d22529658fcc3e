"""How fast the HTTP API records and looks up: ours and the bound of the disk, or of the same server, interleaved.

Run: ``.venv/bin/python benchmarks/bench_http.py``. fsync is bimodal on shared machines, so each recording
is followed by one bare durable write of the same size in the same run, and medians are compared.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import against, bare_writer, picture, timed, within

RECORD_LIMIT = 4.0  # times the bare durable bound
LOOKUP_LIMIT_MS = 2.0
LOOKUP_LIMIT = 2.0  # times the empty route of the same server: half its requests per second


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
        against("record 200 KB by HTTP", recorded, "bare durable write", bound, RECORD_LIMIT),
        against(
            "look-up by digest by HTTP, of throughput", looked, "empty route of the same server", empty, LOOKUP_LIMIT
        ),
        within("look-up by digest by HTTP", looked, LOOKUP_LIMIT_MS),
    ]


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


if __name__ == "__main__":
    for line in rows():
        print(line)
