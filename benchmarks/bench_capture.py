"""What capture adds to a call: the proxy and the hook beside the same call made directly, interleaved in one run.

Run: ``.venv/bin/python benchmarks/bench_capture.py``. A provider of our own answers in a process of its own; the proxy
is ``mintmark proxy`` as users run it; each call is recorded before the next begins. Figures are differences of
95th percentiles (or medians of memory), so that the machine's own noise is in both.
"""

import asyncio
import base64
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
from measuring import timed
from PIL import Image

from registry.capturing import hook, install, uninstall
from registry.capturing.recorder import Recorder

PATH = "/v1/images/generations"
ASKED = json.dumps({"model": "gpt-image-2-2026-04-21", "prompt": "noise", "n": 1}).encode()
JSON = {"content-type": "application/json", "authorization": "Bearer bench-key-0001"}
MIB = 1 << 20


def rows(pairs: int = 150) -> list[dict]:
    """The figures: {"figure", "ours_ms", "peer", "peer_ms", "ratio", "limit", "ok"}."""
    with tempfile.TemporaryDirectory() as folder, provider() as port:
        os.environ["MINTMARK_BASE_URL_OPENAI"] = f"http://127.0.0.1:{port}"
        made = [*by_proxy(Path(folder) / "proxy", port, pairs), *by_hook(Path(folder) / "hook", port, pairs)]
        del os.environ["MINTMARK_BASE_URL_OPENAI"]
    return made


def by_proxy(home: Path, port: int, pairs: int) -> list[dict]:
    """Small calls, 2 MB answers, polls, and a large upload."""
    with proxy(home) as (process, own):
        direct, through = http.client.HTTPConnection("127.0.0.1", port), http.client.HTTPConnection("127.0.0.1", own)
        made = []
        for figure, size, limit, count in (("small call", 0, 3, pairs), ("2 MB answer", 2, 12, pairs // 3)):
            made.append(
                added(
                    f"proxy, {figure}: added at p95",
                    lambda size=size: call(direct, PATH, size),
                    lambda size=size: call(through, f"/openai{PATH}", size),
                    limit,
                    count,
                    lambda: emptied(home / "spool"),
                )
            )
        made.append(polls(own))
        made.append(upload(process, own))
    return made


def by_hook(home: Path, port: int, pairs: int) -> list[dict]:
    """The same calls by httpx2, with and without the hook."""
    made = []
    url = f"http://127.0.0.1:{port}{PATH}"
    recorder = install(home, drain=False)  # a process beside records in earnest; here only the caller counts
    patches = [patch for found in hook._state["now"].patched.values() for patch in found]
    with httpx2.Client() as client:
        for figure, size, limit, count in (("small call", 0, 0.2, 3 * pairs), ("2 MB answer", 2, 3, pairs)):
            plain, hooked = [], []
            for number in range(count + 5):
                hooked.append(rested(recorder, lambda size=size: post(client, url, size)))
                for patch in patches:
                    patch.revert()
                plain.append(rested(recorder, lambda size=size: post(client, url, size)))
                for patch in patches:
                    patch.apply()
                if number == 4:
                    plain.clear()
                    hooked.clear()
            made.append(row(f"hook, {figure}: added at p95", hooked, plain, limit))
    uninstall(1)
    return made


def call(connection: http.client.HTTPConnection, path: str, size: int) -> None:
    connection.request("POST", path, ASKED, JSON | {"x-size": str(size)})
    answer = connection.getresponse()
    if answer.status != 200 or len(answer.read()) < size * 1_000_000:
        raise RuntimeError("the provider of the benchmark failed")


def rested(recorder: Recorder, work: Callable[[], None]) -> float:
    """How long something takes after the same pause: caches are as cold for the one as for the other."""
    recorder.settle(10)
    time.sleep(0.02)
    return timed(work)


def post(client: httpx2.Client, url: str, size: int) -> None:
    client.post(url, content=ASKED, headers=JSON | {"x-size": str(size)}).raise_for_status()


def added(
    figure: str,
    direct: Callable[[], None],
    through: Callable[[], None],
    limit: float,
    count: int,
    recorded: Callable[[], None],
) -> dict:
    for _ in range(5):
        direct()
        through()
        recorded()
    plain, ours = [], []
    for _ in range(count):
        plain.append(timed(direct))
        ours.append(timed(through))
        recorded()
    return row(figure, ours, plain, limit)


def emptied(spool: Path) -> None:
    """Wait until the call is recorded: generations take seconds, and the next one does not begin meanwhile."""
    time.sleep(0.04)
    while any(path.name != ".open" for path in spool.iterdir()):
        time.sleep(0.002)


def row(figure: str, ours: list[float], plain: list[float], limit: float) -> dict:
    """One row: how much later the 95th percentile is."""
    mine, other = p95(ours), p95(plain)
    return {
        "figure": figure,
        "ours_ms": round(mine - other, 3),
        "peer": "direct p95",
        "peer_ms": round(other, 3),
        "ratio": round(statistics.median(ours) / statistics.median(plain), 2),
        "limit": f"<= {limit:g} ms",
        "ok": mine - other <= limit,
    }


def p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


def polls(port: int, threads: int = 4, seconds: float = 2.0) -> dict:
    """Questions about a job, by several callers at once."""
    counts = []

    def ask() -> None:
        connection, count = http.client.HTTPConnection("127.0.0.1", port), 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.request("GET", "/openai/v1/videos/job-1", headers=JSON)
            connection.getresponse().read()
            count += 1
        counts.append(count)

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    rate = sum(counts) / seconds
    told = {"figure": f"proxy, polls per second: {rate:,.0f}", "ours_ms": round(1000 / rate, 3), "peer": "",
            "peer_ms": None, "ratio": None}  # fmt: skip
    return told | {"limit": ">= 1,000 / s", "ok": rate >= 1000}


def upload(process: subprocess.Popen, port: int) -> dict:
    """100 MiB through the proxy: what it grows by."""

    def memory(what: str) -> float:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what + ":")) / 1024

    Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the high-water mark starts anew
    before = memory("VmRSS")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.putrequest("POST", "/openai/v1/images/edits")
    for name, value in (("content-type", "multipart/form-data; boundary=b"), ("content-length", str(100 * MIB))):
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(100):
        connection.send(bytes(MIB))
    connection.getresponse().read()
    time.sleep(2)  # it is spooled
    growth = memory("VmHWM") - before
    told = {"figure": f"proxy, 100 MiB upload: grows by {growth:.1f} MiB", "ours_ms": None, "peer": "", "peer_ms": None}
    return told | {"ratio": None, "limit": "<= 8 MiB", "ok": growth <= 8}


@contextmanager
def proxy(home: Path) -> Iterator[tuple[subprocess.Popen, int]]:
    """``mintmark proxy`` in a process of its own."""
    program = Path(sys.executable).with_name("mintmark")
    environment = os.environ | {"MINTMARK_HOME": str(home)}
    process = subprocess.Popen(
        [program, "proxy", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = next(line for line in process.stdout if line.startswith("http://"))
        yield process, int(line.split()[0].rstrip("/").rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(120)


@contextmanager
def provider() -> Iterator[int]:
    """Our own provider in a process of its own."""
    with subprocess.Popen([sys.executable, __file__, "provider"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def answer_for_ever() -> None:
    """Answer every request: a small picture, or one of ``x-size`` MB; taking in whatever is sent."""
    noise = np.random.default_rng(1).integers(0, 256, (718, 718, 3), np.uint8)
    small, large = io.BytesIO(), io.BytesIO()
    Image.fromarray(noise[:24, :24]).save(small, "PNG")
    Image.fromarray(noise).save(large, "PNG", compress_level=1)  # 1.55 MB, 2 MB as base64
    answers = {}
    for size, data in ((0, small.getvalue()), (2, large.getvalue())):
        body = json.dumps({"data": [{"b64_json": base64.b64encode(data).decode()}]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        answers[str(size)] = head.encode() + body

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            except (asyncio.IncompleteReadError, OSError):
                return
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
            left = int(fields.get("content-length", 0))
            while left:
                left -= len(await reader.read(min(left, MIB)))
            writer.write(answers[fields.get("x-size", "0")])
            await writer.drain()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["provider"]:
        asyncio.run(answer_for_ever())
    else:
        for line in rows():
            print(line)
