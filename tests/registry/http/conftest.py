"""A real server on a free loopback port, and what tests send to it."""

import io
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from registry.home import Registry, create_at
from registry.http.serving import listen, warm
from registry.http.serving import server as server_of

DRAFT = {
    "provider": {"name": "openai"},
    "model": {"requested": "gpt-image-2-2026-04-21", "pin": "snapshot"},
    "prompt": {"submitted": "a lighthouse at dusk"},
    "outputs": [{"file": "out.png"}],
}


def png(seed=1, size=(64, 48)):
    """The bytes of a picture that no other seed gives."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", compress_level=1)
    return out.getvalue()


@dataclass
class Served:
    """A running server: where it answers, and the registry behind it."""

    url: str
    registry: Registry
    client: httpx.Client
    app: FastAPI

    def record(self, draft=None, files=None, **headers):
        """POST a generation; files by part name."""
        parts = [("draft", (None, draft if isinstance(draft, bytes) else json.dumps(draft or DRAFT)))]
        parts += [(name, (name, data)) for name, data in (files or {"out.png": png()}).items()]
        return self.client.post("/v1/generations", files=parts, headers=headers)


@contextmanager
def serving(home, registry=None, **settings):
    """Serve the registry in ``home``, or one that is open, for a while."""
    registry = registry or create_at(home)[0]
    for name, value in settings.items():
        object.__setattr__(registry.settings, name, value)
    listener = listen("127.0.0.1", 0)
    warm(registry)
    running = server_of(registry)
    thread = threading.Thread(target=lambda: running.run(sockets=[listener.socket]), daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=listener.url, timeout=30, trust_env=False) as client:
            client.get("/healthz").raise_for_status()
            yield Served(listener.url, registry, client, running.config.app)
    finally:
        running.should_exit = True
        thread.join(20)
        registry.close()


@pytest.fixture
def served(tmp_path, new_registry):
    """A server with an empty registry."""
    with serving(tmp_path / ".mintmark", new_registry()) as found:
        yield found


@pytest.fixture(scope="module")
def standing(tmp_path_factory, begin_at):
    """A server that the tests of one module share; they leave nothing in it that another would see."""
    home = tmp_path_factory.mktemp("standing") / ".mintmark"
    with serving(home, begin_at(home)) as found:
        yield found


@pytest.fixture
def make_png():
    return png


@pytest.fixture
def draft():
    return json.loads(json.dumps(DRAFT))


@pytest.fixture
def serve_at():
    return serving
