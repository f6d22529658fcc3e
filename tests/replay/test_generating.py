"""Generating: whatever comes of a call is recorded, with the request that made it."""

from pathlib import Path

import pytest

from registry.capture.errors import CaptureError
from registry.errors import InvalidValue
from registry.sealing import disclose, is_seal
from replay.generating import Ask, ProviderUnknown, generate
from replay.outcome import EndState, OutcomeClass, Safety
from replay.provider import Outcome, Output

SMALL = {"width": 64, "height": 64}


def test_a_generation_is_recorded_with_pin_request_and_engine(registry):
    recorded = generate(
        registry, Ask("procedural", "procedural-image@1", prompt="a red sea", seed="7", settings=SMALL, workflow="hero")
    )

    manifest = recorded.manifest
    assert (manifest.model.pin, manifest.model.served) == ("build", "procedural-image@1")
    assert (manifest.request.method, manifest.request.path, manifest.request.origin) == (
        "LOCAL",
        "/image.generate",
        "templated",
    )
    assert manifest.seed.requested == manifest.seed.actual == "7"
    assert manifest.settings["width"] == 64
    assert manifest.environment.engine["name"] == "procedural"
    assert manifest.recorder.confidence == "full"
    assert manifest.outputs[0].media["width"] == 64


def test_the_prompt_stands_nowhere_in_the_open(registry):
    recorded = generate(registry, Ask("procedural", "procedural-image@1", prompt="a red sea", settings=SMALL))

    value = recorded.manifest.to_json()
    assert is_seal(value["prompt"]["submitted"]) and is_seal(value["request"]["body"]["prompt"])
    assert value["request"]["body"]["model"] == "procedural-image@1", "declared public by the description"
    opened = disclose(value, registry.vault.get(recorded.id))
    assert opened["request"]["body"]["prompt"] == "a red sea"


def test_a_blocked_and_a_rejected_call_are_recorded_without_outputs(local_registry):
    blocked = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="a forbidden-motif"))
    rejected = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="x", settings={"width": 3}))

    assert (blocked.manifest.outcome.class_, blocked.manifest.outcome.safety) == ("blocked", "refused")
    assert rejected.manifest.outcome.class_ == "rejected"
    assert blocked.manifest.outputs == rejected.manifest.outputs == []
    assert is_seal(rejected.manifest.to_json()["outcome"]["error"])


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (Ask("nobody", "m"), ProviderUnknown),
        (Ask("procedural", "procedural-image@1", settings={"colour": "red"}), CaptureError),
        (Ask("procedural", "no-such-model"), CaptureError),
        (Ask("pocketsphinx", "en-us@5.0.4", inputs=[("audio", Path("no/such.wav"))]), InvalidValue),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(local_registry, ask, error):
    with pytest.raises(error):
        generate(local_registry, ask)

    assert local_registry.catalog.generations() == 0


def test_bytes_that_are_no_media_are_an_outcome_and_not_a_lost_call(local_registry, monkeypatch):
    class Broken:
        def submit(self, call):
            path = call.workdir / "out.png"
            path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
            self.outcome = Outcome(
                OutcomeClass.SUCCEEDED, EndState.SUCCEEDED, Safety.NONE, outputs=(Output("image", "image/png", path),)
            )
            return _Ended(call, self.outcome)

        def fetch(self, job):
            return self.outcome

    monkeypatch.setattr("replay.generating.provider_for", lambda description: Broken())

    recorded = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="x"))

    assert recorded.manifest.outcome.class_ == "malformed"
    errors = [found.value for found in local_registry.vault.get(recorded.id) if found.pointer == "/outcome/error"]
    assert "out.png" in errors[0]


class _Ended:
    """A job that has ended."""

    def __init__(self, call, outcome):
        self.call, self.outcome, self.id, self.poll_after_ms = call, outcome, None, None
        self.state = outcome.state.value
