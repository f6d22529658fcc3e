"""Vendors on loopback: a real HTTP server with state, that can be told to misbehave.

    with Emulator() as emulator:
        emulator.url("openai")                    # base URL of one vendor
        emulator.misbehave("429", retry_after="1") # what the next matching request meets
        emulator.charges("openai")                # how often a model was run

Every vendor is a class in ``vendors/`` with ``routes``; a route gets a ``Request`` and answers with a ``Reply``.
Vendors live under ``/<vendor>/…`` of one server; files lie under ``/cdn/…`` of the same server by its other name
(``localhost``), which is another host to a client: a key that arrives there is counted in ``leaks``.
"""

import contextlib
import email.utils
import json
import re
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from registry.capture.description import Auth, shipped

KEY = "sk-canary-8f2d1c77e0b94a"
"""The key that the emulated vendors take; tests look for it where it must not be."""

BEARER = Auth("authorization", "Bearer {secret}", "")


@dataclass
class Request:
    """What arrived; ``path`` is below the vendor's prefix, ``groups`` are the holes of the route."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"null")

    def form(self) -> list[tuple[str, str | None, str | None, bytes]]:
        """The parts of a form: name, filename, media type, content."""
        boundary = re.search(r'boundary="?([^";]+)', self.headers["content-type"])[1].encode()
        parts = []
        for piece in (b"\r\n" + self.body).split(b"\r\n--" + boundary)[1:-1]:
            head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            text = head.decode()
            name = re.search(r'(?<!file)name="([^"]*)"', text)[1]
            filename = re.search(r'filename="([^"]*)"', text)
            media_type = re.search(r"(?i)content-type:\s*(\S+)", text)
            parts.append((name, filename and filename[1], media_type and media_type[1], content))
        return parts

    def fields(self) -> dict[str, str]:
        """The text parts of a form."""
        return {name: content.decode() for name, filename, _, content in self.form() if filename is None}


@dataclass
class Reply:
    """What goes back; ``body`` is JSON unless bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers as sent."""
        if isinstance(self.body, bytes):
            return self.body, self.headers
        data = b"" if self.body is None else json.dumps(self.body).encode()
        return data, {"content-type": "application/json", **self.headers}


@dataclass
class Misbehaviour:
    """One planned fault: ``kind``, which requests meet it, how often."""

    kind: str
    where: re.Pattern[str]
    method: str | None
    times: int
    options: dict[str, Any]


def events(*told: dict[str, Any], end: str = "") -> bytes:
    """Server-sent events with their types, and a mark behind them."""
    lines = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in told]
    return "".join([*lines, f"data: {end}\n\n" if end else ""]).encode()


class Vendor:
    """One vendor: subclasses set ``name`` and ``routes`` (method, pattern with ``{holes}``, method name)."""

    name = ""
    routes: tuple[tuple[str, str, str], ...] = ()
    patience = 2  # how often a job is asked about before it is done

    def __init__(self, emulator: "Emulator") -> None:
        """Start with no jobs and no charges."""
        self.emulator = emulator
        self.jobs: dict[str, dict[str, Any]] = {}
        self.runs: list[dict[str, Any]] = []
        self.kept: dict[str, Reply] = {}

    def unauthorized(self) -> Reply:
        """The answer to a wrong key."""
        return Reply(401, {"error": {"message": "wrong key", "code": "invalid_api_key"}})

    def answer(self, request: Request) -> Reply:
        """Answer; a request with a key that was carried out before gets the same answer, and nothing runs."""
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST":
            return self._answer(request)
        with self.emulator.lock:
            reply = self.kept.get(key) or self._answer(request)
            if reply.status < 400:
                self.kept[key] = reply
        return reply

    def _answer(self, request: Request) -> Reply:
        """Find the route."""
        if not self.knows(request):
            return self.unauthorized()
        for method, pattern, handler in self.routes:
            shape = re.sub(r"\{(\w+)\}", r"(?P<\1>.+)", pattern)
            if method == request.method and (found := re.fullmatch(shape, request.path)):
                request.groups = found.groupdict()
                return getattr(self, handler)(request)
        return Reply(404, {"error": {"message": f"no route {request.method} {request.path}"}})

    def knows(self, request: Request) -> bool:
        """Whether a request carries the key as the vendor's description says; as a bearer where there is none."""
        described = [one.auth for one in shipped() if one.provider == self.name] or [BEARER]
        auth = described[0]
        return auth is None or request.headers.get(auth.header.lower()) == auth.value.replace("{secret}", KEY)

    def charge(self, **what: Any) -> None:
        """Count one run of a model."""
        with self.emulator.lock:
            self.runs.append(what)

    def new_job(self, **state: Any) -> str:
        """A job that is queued at first, then processing, then done: one step for each time it is asked about."""
        job = uuid.uuid4().hex
        with self.emulator.lock:
            self.jobs[job] = {"id": job, "asked": 0, **state}
        return job

    def step(self, job: str) -> str | None:
        """``queued``, ``processing``, ``done``; None for a job nobody knows (or one that was lost)."""
        with self.emulator.lock:
            state = self.jobs.get(job)
            if state is None or self.emulator.planned("lost", f"/{self.name}/{job}", "GET"):
                return None
            if self.emulator.planned("stuck", f"/{self.name}/{job}", "GET"):
                return "processing"
            state["asked"] += 1
            return ("queued", "processing", "done")[min(2, state["asked"] + 2 - self.patience)]

    def says(self, kind: str) -> dict[str, Any] | None:
        """The options of a planned fault that this vendor has its own words for (``blocked``, ``fewer``, …)."""
        with self.emulator.lock:
            found = self.emulator.planned(kind, f"/{self.name}/", "POST")
            return found.options if found else None


class Emulator:
    """The server; ``vendors`` by name hold their state."""

    def __init__(self, *vendors: type[Vendor]) -> None:
        """Bind a free port; nothing runs yet."""
        self.lock = threading.RLock()
        self.faults: list[Misbehaviour] = []
        self.files: dict[str, tuple[bytes, str]] = {}
        self.seen: list[Request] = []
        self.exchanges: list[tuple[Request, Reply]] = []
        self.leaks: list[str] = []
        self.vendors = {vendor.name: vendor(self) for vendor in vendors}
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.emulator = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Emulator":
        """Serve."""
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()

    def url(self, vendor: str) -> str:
        """The base URL of a vendor."""
        return f"http://127.0.0.1:{self.port}/{vendor}"

    def environment(self) -> dict[str, str]:
        """Variables that point mintmark at every vendor here, with the key they take."""
        addresses = {f"MINTMARK_BASE_URL_{name.upper().replace('-', '_')}": self.url(name) for name in self.vendors}
        keys = {description.auth.secret: KEY for description in shipped() if description.auth}
        return addresses | keys

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.faults, self.files, self.seen, self.leaks, self.exchanges = [], {}, [], [], []
            for vendor in self.vendors.values():
                vendor.jobs, vendor.runs, vendor.kept = {}, [], {}

    def misbehave(self, kind: str, *, at: str = "", method: str | None = None, times: int = 1, **options: Any) -> None:
        """Plan a fault.

        Args:
            kind: ``429`` or another status (with retry_after, retry_after_date, retry_after_ms, body), ``slow``
                (seconds), ``cut-before`` (a connection closed before anything is read), ``cut-after`` (once the
                request was carried out), ``cut-body`` (half way through the answer), ``length`` (announces more than
                it sends), ``redirect`` (to), ``html``; and words of vendors: ``blocked``, ``fewer``, ``malformed``,
                ``stuck``, ``lost``, ``expired``, ``failed``.
            at: a regular expression that the path must hold.
            method: only for this one.
            times: how often.
            options: of the kind.
        """
        with self.lock:
            self.faults.append(Misbehaviour(kind, re.compile(at), method, times, options))

    def planned(self, kind: str, path: str, method: str) -> Misbehaviour | None:
        """The next fault of a kind for a request, used up by asking."""
        with self.lock:
            for fault in self.faults:
                fits = fault.method in (None, method) and fault.where.search(path)
                if fault.kind == kind and fault.times > 0 and fits:
                    fault.times -= 1
                    return fault
        return None

    def charges(self, vendor: str) -> int:
        """How often a model was run."""
        return len(self.vendors[vendor].runs)

    def put(self, data: bytes, media_type: str) -> str:
        """A file on the other host; answers its signed address."""
        name = f"{uuid.uuid4().hex}"
        with self.lock:
            self.files[name] = (data, media_type)
        return f"http://localhost:{self.port}/cdn/{name}?X-Amz-Signature=sig-{uuid.uuid4().hex}"

    def answer(self, request: Request) -> Reply:
        """Route by the first part of the path."""
        _, vendor, rest = (request.path + "/").split("/", 2)
        if vendor == "cdn":
            return self._file(request, rest.strip("/"))
        if vendor not in self.vendors:
            return Reply(404, {"error": {"message": "no such vendor"}})
        below = Request(request.method, "/" + rest[:-1], request.query, request.headers, request.body)
        return self.vendors[vendor].answer(below)

    def _file(self, request: Request, name: str) -> Reply:
        if any(KEY in value for value in request.headers.values()):
            self.leaks.append(request.path)
        if request.method == "PUT":
            self.files[name] = (request.body, request.headers.get("content-type", "application/octet-stream"))
            return Reply(200)
        if name not in self.files or self.planned("expired", request.path, "GET"):
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"content-type": "application/xml"})
        data, media_type = self.files[name]
        return Reply(200, data, {"content-type": media_type})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    emulator: Emulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """One request from first byte to last."""
        emulator: Emulator = self.server.emulator  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        if emulator.planned("cut-before", parts.path, self.command):
            return self._cut()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, parse_qs(parts.query), headers, self._read(headers))
        with emulator.lock:
            emulator.seen.append(request)
            mine = emulator.exchanges
        if slow := emulator.planned("slow", parts.path, self.command):
            time.sleep(slow.options.get("seconds", 1))
            if emulator.exchanges is not mine:  # whoever asked is gone, and the test after it must not see its request
                return self._cut()
        if (refusal := self._refusal(emulator, request)) is not None:
            return self._send(*refusal.encoded(), refusal.status)
        reply = emulator.answer(request)
        emulator.exchanges.append((request, reply))
        if emulator.planned("cut-after", parts.path, self.command):
            return self._cut()
        if emulator.planned("html", parts.path, self.command):
            reply = Reply(200, b"<html>busy</html>", {"content-type": "text/html"})
        data, got = reply.encoded()
        if emulator.planned("cut-body", parts.path, self.command):
            self._send(data[: len(data) // 2], got, reply.status, announced=len(data))
            return self._cut()
        if emulator.planned("length", parts.path, self.command):
            self._send(data, got, reply.status, announced=len(data) + 10)
            return self._cut(reset=False)
        return self._send(data, got, reply.status)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def _refusal(self, emulator: Emulator, request: Request) -> Reply | None:
        for kind in dict.fromkeys(fault.kind for fault in list(emulator.faults)):
            if kind != "redirect" and not kind.isdigit():
                continue
            if (fault := emulator.planned(kind, request.path, request.method)) is None:
                continue
            if kind == "redirect":
                return Reply(fault.options.get("status", 302), None, {"location": fault.options["to"]})
            return Reply(int(kind), fault.options.get("body", {"error": {"message": "busy"}}), _wish(fault.options))
        return None

    def _read(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(headers.get("content-length", 0)))

    def _send(self, data: bytes, headers: dict[str, str], status: int, announced: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data) if announced is None else announced))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _cut(self, *, reset: bool = True) -> None:
        """Close the connection, with a reset or politely."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            if reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()

    def log_message(self, *parts: object) -> None:
        """Say nothing: paths hold signatures."""


def _wish(options: dict[str, Any]) -> dict[str, str]:
    """Headers that ask a client to wait, in each form there is."""
    headers = {}
    if "retry_after" in options:
        headers["Retry-After"] = str(options["retry_after"])
    if "retry_after_date" in options:
        headers["Retry-After"] = email.utils.formatdate(options["retry_after_date"], usegmt=True)
    if "retry_after_ms" in options:
        headers["retry-after-ms"] = str(options["retry_after_ms"])
    return headers
