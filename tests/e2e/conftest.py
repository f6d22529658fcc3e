"""A real Chromium by Playwright, and a served registry with something in it."""

import os
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from registry.annotate import review, tag
from registry.drafting import read_draft
from registry.home import create_at
from registry.http.serving import listen, server, warm
from registry.indexing import catch_up
from registry.record import record
from replay.generating import Ask, generate

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.fixture
def page(browser, site):
    """A page of its own; an error on its console fails the test."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


class Site:
    """A served registry: a hero picture, a film, a sound, a text, and a copy that a customer sent."""

    def __init__(self, folder):
        self.folder = folder
        self.registry, _ = create_at(folder / ".mintmark")
        self.hero = self._make("image.generate", "image", "a lighthouse above a stormy sea at dusk", seed="11")
        for seed, prompt in (("5", "rolling hills under a summer sky"), ("23", "a mountain lake at first light")):
            self._make("image.generate", "image", prompt, seed=seed)
        self.film = self._make("video.generate", "video", "waves rolling ashore", seed="4")
        self.sound = self._make("speech.generate", "audio", "Thank you for calling.", seed="2")
        self.text = self._record_text()
        tag(self.registry, self.hero, {"campaign": "winter"})
        review(self.registry, self.hero, usable=True, reason="as ordered, no retouching", minutes="3")
        catch_up(self.registry)
        self.registry.sign_checkpoint()
        self.asset = self.registry.catalog.manifest(self.hero).outputs[0].digests
        self.copy = self._copy()

    def _make(self, operation, kind, prompt, seed):
        ask = Ask(
            provider="procedural",
            model=f"procedural-{kind}@1",
            operation=operation,
            prompt=prompt,
            seed=seed,
            settings={"width": 768, "height": 512} if kind == "image" else {},
            inputs=[],
            workflow="storefront-hero",
            subject=None,
            labels={"app": "storefront"},
            parents=[],
        )
        return generate(self.registry, ask).id

    def _record_text(self):
        path = self.folder / "call.txt"
        path.write_text("Agent: good morning. Customer: I would like to know where this picture came from. " * 20)
        said = {
            "provider": {"name": "whisper"},
            "model": {"requested": "whisper-large-v3"},
            "outputs": [{"file": "call.txt"}],
        }
        return record(self.registry, read_draft(said), {"call.txt": path}).id

    def _copy(self):
        picture = Image.open(self.registry.assets.file(self.asset.blake3)).convert("RGB")
        path = self.folder / "from-a-customer.jpg"
        picture.resize((640, 427)).save(path, quality=55)
        return path

    def original(self):
        """The hero's bytes as a file with a name of its own."""
        path = self.folder / "delivered.png"
        path.write_bytes(self.registry.assets.file(self.asset.blake3).read_bytes())
        return path

    def stranger(self):
        """A picture that was never recorded."""
        path = self.folder / "stranger.png"
        noise = np.random.default_rng(99).integers(0, 256, (60, 80, 3), np.uint8)
        Image.fromarray(noise).save(path)
        return path


def _serve(registry):
    listener = listen("127.0.0.1", 0)
    warm(registry)
    running = server(registry)
    thread = threading.Thread(target=lambda: running.run(sockets=[listener.socket]), daemon=True)
    thread.start()
    httpx.get(f"{listener.url}healthz", trust_env=False).raise_for_status()

    def stop():
        running.should_exit = True
        thread.join(20)
        registry.close()

    return listener.url.rstrip("/"), stop


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The served registry; one for all browser tests."""
    found = Site(tmp_path_factory.mktemp("site"))
    found.url, stop = _serve(found.registry)
    yield found
    stop()


@pytest.fixture
def empty_url(tmp_path):
    """Where a registry with nothing in it answers."""
    registry, _ = create_at(tmp_path / ".mintmark")
    url, stop = _serve(registry)
    yield url
    stop()


@pytest.fixture
def picture_of():
    """Keep a screenshot for the manual, where MINTMARK_UPDATE_PICTURES=1 asks for it."""

    def take(page, name):
        if os.environ.get("MINTMARK_UPDATE_PICTURES") == "1":
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    return take
