"""A paid vendor on loopback for the demo: it takes jobs, renders them, and counts its charges."""

import json
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import unquote

from registry.canonical import JSON
from replay.providers.body import Body
from replay.providers.procedural.image import make_image

PROVIDER: Final = "wavespeed"
"""Whose API it speaks: a job is submitted, polled and fetched."""
KEY: Final = "demo"
MODEL: Final = "demo/text-to-image"
_SIDE: Final = 256
_JOB_S: Final = 0.6


class DemoVendor:
    """Serves on a port of its own while it is entered; ``charges`` says how often each prompt was paid for."""

    def __init__(self) -> None:
        self.charges: Counter[str] = Counter()
        self._jobs: dict[str, tuple[float, dict[str, JSON]]] = {}
        self._lock = threading.Lock()
        vendor = self

        class Handler(_Handler):
            """The requests of this vendor."""

            of = vendor

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The address that stands in for the vendor's own."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "DemoVendor":
        """Begin to serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def submit(self, model: str, asked: dict[str, JSON]) -> dict[str, JSON]:
        """Take a job, and charge for it."""
        with self._lock:
            job = f"job-{len(self._jobs) + 1}"
            self.charges[str(asked.get("prompt"))] += 1
            self._jobs[job] = (time.monotonic() + _JOB_S, {**asked, "model": model})
        return self._told(job, "created")

    def result(self, job: str) -> dict[str, JSON] | None:
        """Where a job stands; None for one it does not know."""
        if job not in self._jobs:
            return None
        return self._told(job, "completed" if time.monotonic() >= self._jobs[job][0] else "processing")

    def picture(self, job: str) -> bytes:
        """What a job made; the same prompt and seed give the same picture."""
        asked = self._jobs[job][1]
        body: dict[str, JSON] = {
            "model": "procedural-image@1",
            "prompt": asked.get("prompt"),
            "seed": str(asked.get("seed", 0)),
            "width": _SIDE,
            "height": _SIDE,
        }
        with tempfile.TemporaryDirectory() as folder:
            make_image(Body(body), Path(folder))
            return (Path(folder) / "image.png").read_bytes()

    def _told(self, job: str, status: str) -> dict[str, JSON]:
        outputs: list[JSON] = [f"{self.url}/files/{job}.png"] if status == "completed" else []
        data: dict[str, JSON] = {
            "id": job,
            "model": self._jobs[job][1]["model"],
            "status": status,
            "outputs": outputs,
            "has_nsfw_contents": [False] * len(outputs),
            "error": "",
        }
        return {"code": 200, "message": "success", "data": data}


class _Handler(BaseHTTPRequestHandler):
    of: DemoVendor
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization") != f"Bearer {KEY}":
            return self._answer(401, {"code": 401, "message": "invalid api key", "data": None})
        return self._answer(200, self.of.submit(unquote(self.path.removeprefix("/api/v3/")), json.loads(body)))

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if self.path.startswith("/files/"):
            return self._send(200, "image/png", self.of.picture(name.removesuffix(".png")))
        found = self.of.result(self.path.split("/")[-2])
        return self._answer(200 if found else 404, found or {"code": 404, "message": "not found", "data": None})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demo's own lines are what counts."""

    def _answer(self, status: int, value: dict[str, JSON]) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
