"""A hook, a proxy and an upstream of our own, each on real sockets."""

import asyncio
import contextlib
import os
import socket
import threading
import time

import pytest

from registry.capturing.context import Said
from registry.capturing.drain import drain
from registry.capturing.hook import install, uninstall
from registry.capturing.known import Known
from registry.capturing.proxy import Proxy
from registry.capturing.recorder import Recorder
from registry.capturing.spool import Spool
from registry.home import create_at

MARKED = {"provider": "studio", "model": "painter-7", "operation": "image.generate", "prompt": "x", "seed": None,
          "settings": {}, "started": "2026-11-20T10:00:00.000Z", "ended": "2026-11-20T10:00:01.000Z",
          "error": "no paint", "outputs": []}  # fmt: skip


@pytest.fixture
def spool(tmp_path):
    """The spool of a new registry."""
    create_at(tmp_path / ".mintmark")[0].close()
    return Spool(tmp_path / ".mintmark")


@pytest.fixture
def put(spool):
    """Spools a call that failed: ``put("one")``, ``put("one", age=60)`` seconds ago."""

    def spooled(name, age=0):
        made = spool.commit(spool.begin(name), {"marked": MARKED, "said": Said().to_json(), "attempts": 0})
        os.utime(made, (time.time() - age, time.time() - age))
        return made

    return spooled


class Capturing:
    """A recorder with its home; ``recorded()`` drains the spool and answers the new manifests, oldest first."""

    def __init__(self, recorder, home):
        self.recorder, self.home, self.spool = recorder, home, Spool(home)
        self._registry, self.ids = None, []

    @property
    def registry(self):
        if self._registry is None:
            self._registry = create_at(self.home)[0]
        return self._registry

    def settled(self, seconds=20):
        assert self.recorder.settle(seconds)

    def recorded(self, seconds=20):
        self.settled(seconds)
        done = list(drain(self.registry, self.spool))
        assert [one.why for one in done if one.why] == []
        self.ids += [one.id for one in done]
        return [self.registry.catalog.manifest(one.id) for one in done]

    def opened(self, pointer):
        """Every disclosed value at a pointer."""
        return [found.value for name in self.ids for found in self.registry.vault.get(name) if found.pointer == pointer]

    def close(self):
        if self._registry is not None:
            self._registry.close()


class Hooking(Capturing):
    """The hook in this process, from ``begin`` on."""

    def begin(self):
        self.recorder = install(self.home, drain=False, patience_s=0.3)
        return self


@pytest.fixture
def hooking(tmp_path, emulator):
    """The hook, not in place yet, in front of the emulated vendors."""
    made = Hooking(None, tmp_path / ".mintmark")
    yield made
    uninstall(5)
    made.close()


@pytest.fixture
def hooked(hooking):
    """The hook, in place."""
    return hooking.begin()


class Recording(Capturing):
    """A recorder alone; ``saw(url, body, answer)`` is an exchange that passes it."""

    def saw(self, url, body, answer, kind="application/json", status=200, coding=None):
        headers = [("authorization", "Key abcdefghijkl"), ("content-type", "application/json")]
        seen = self.recorder.observe("POST", url, headers, "hook")
        seen.sent(body)
        seen.answered(status, [("content-type", kind), *([("content-encoding", coding)] if coding else [])])
        seen.received(answer)
        seen.end()


@pytest.fixture
def recording(tmp_path):
    """A recorder of the shipped providers; nothing is sent to any of them."""
    home = tmp_path / ".mintmark"
    made = Recording(Recorder(home, known=Known(environment={}), patience_s=0.2, retry_s=0.05), home)
    yield made
    made.recorder.close(1)
    made.close()


class Served(Capturing):
    """A proxy on a port of its own; ``url("openai")`` is where a client is pointed at."""

    def __init__(self, recorder, home):
        super().__init__(recorder, home)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._serving, ready = None, threading.Event()
        self._thread = threading.Thread(target=self._run, args=(Proxy(recorder), ready), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def url(self, provider):
        return f"http://127.0.0.1:{self.port}/{provider}"

    def _run(self, proxy, ready):
        async def serve():
            self._serving = asyncio.ensure_future(proxy.serve(self.socket))
            self._loop.call_soon(ready.set)
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving

        self._loop.run_until_complete(serve())
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join(10)
        self.recorder.close(5)
        super().close()


@pytest.fixture
def proxied(tmp_path, emulator):
    """A proxy in front of the emulated vendors."""
    home = tmp_path / ".mintmark"
    made = Served(Recorder(home, in_memory=1 << 16, patience_s=0.3, retry_s=0.05), home)
    yield made
    made.close()


class Upstream:
    """A provider of our own: each connection goes to ``answer(reader, writer)``, a coroutine; what arrives is kept."""

    def __init__(self):
        self.answer, self.heads, self._up = None, [], threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._up.wait(10)

    def _run(self):
        async def serve():
            self.server = await asyncio.start_server(self._one, sock=self._listening)
            self._up.set()
            with contextlib.suppress(asyncio.CancelledError):
                await self.server.serve_forever()

        self._loop.run_until_complete(serve())

    async def _one(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.answer(reader, writer)
        writer.close()

    async def head(self, reader):
        """The next head: start line and pairs; None at the end."""
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        lines = raw.decode("latin-1").split("\r\n")[:-2]
        head = lines[0], [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.heads.append(head)
        return head

    def stop(self):
        self._loop.call_soon_threadsafe(self.server.close)
        self._thread.join(5)


@pytest.fixture
def upstream():
    """A provider of our own that a test gives its answers."""
    made = Upstream()
    yield made
    made.stop()


@pytest.fixture
def fronted(tmp_path, upstream):
    """A proxy in front of our own provider, which it takes for openai and wavespeed."""
    home = tmp_path / ".mintmark"
    address = f"http://127.0.0.1:{upstream.port}"
    environment = dict(os.environ) | {"MINTMARK_BASE_URL_OPENAI": address, "MINTMARK_BASE_URL_WAVESPEED": address}
    made = Served(
        Recorder(home, known=Known(environment=environment), in_memory=1 << 16, patience_s=0.3, retry_s=0.05), home
    )
    yield made
    made.close()
