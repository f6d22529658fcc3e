"""Addresses that a vendor names inside: the engine asks nothing there, and says so, once.

127.0.0.1, where the emulator answers, counts as the world here; 127.0.0.2 is this machine.
"""

from dataclasses import replace

import msgspec
import pytest

from registry.capture import outside
from replay.outcome import OutcomeClass
from replay.provider import run


@pytest.fixture
def world(monkeypatch, emulator):
    """Sends every address that the emulator names through ``world(old, new)`` of its text."""
    monkeypatch.setattr(outside, "lies_inside", lambda address: address == "127.0.0.2")
    put, url = emulator.put, emulator.url

    def within(**which):
        if which.get("files"):
            monkeypatch.setattr(emulator, "put", lambda *given: put(*given).replace("localhost", "127.0.0.2"))
        if which.get("jobs"):
            monkeypatch.setattr(emulator, "url", lambda name: url(name).replace("127.0.0.1", "127.0.0.2"))
        return emulator

    return within


WAVESPEED = {"model": "wavespeed-ai/flux-dev", "prompt": "a stone bridge", "seed": "7"}


def test_an_output_is_not_taken_from_inside(bench, world):
    emulator = world(files=True)

    outcome = bench.call("wavespeed-predictions", **WAVESPEED)

    assert outcome.class_ is OutcomeClass.MALFORMED and "private network" in outcome.error
    assert "127.0.0.2" not in outcome.error and bench.pauses == []
    assert not any(seen.path.startswith("/cdn/") for seen in emulator.seen)


def test_nor_through_a_redirect(bench, world):
    emulator = world()
    emulator.misbehave("redirect", at="/cdn/", method="GET", to=f"http://127.0.0.2:{emulator.port}/cdn/x")

    outcome = bench.call("wavespeed-predictions", **WAVESPEED)

    assert outcome.class_ is OutcomeClass.MALFORMED and "private network" in outcome.error
    assert not any(seen.headers["host"].startswith("127.0.0.2") for seen in emulator.seen)


def test_a_job_is_not_asked_about_inside(bench, world):
    emulator = world(jobs=True)

    outcome = bench.call("fal-queue", model="fal-ai/flux/dev", prompt="a stone bridge")

    assert outcome.class_ is OutcomeClass.MALFORMED and "private network" in outcome.error
    assert [seen.method for seen in emulator.seen] == ["POST"]


def test_an_upload_does_not_go_inside(bench, world, picture):
    emulator = world(files=True)

    asked = {"model": "wavespeed-ai/flux-kontext", "prompt": "x"}
    outcome = bench.call("wavespeed-predictions", [("image", picture(), "image/png")], **asked)

    assert outcome.class_ is OutcomeClass.MALFORMED and "private network" in outcome.error
    assert emulator.charges("wavespeed") == 0 and "PUT" not in [seen.method for seen in emulator.seen]


@pytest.mark.parametrize("path", ["@evil.example/v1/images/generations", ".evil.example/v1", ":1@evil.example/", ""])
def test_a_stored_path_cannot_name_another_host(bench, emulator, path):
    call = bench.request("openai-images", model="gpt-image-2", prompt="a stone bridge")
    asked = msgspec.structs.replace(call.request, path=path)

    outcome = run(bench.provider("openai-images"), replace(call, request=asked))

    assert outcome.class_ is OutcomeClass.UNSUPPORTED and "begin with a slash" in outcome.error
    assert emulator.seen == []
