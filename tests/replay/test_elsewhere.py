"""Replays by another provider: only where the prompt may be shown to it, and only what it can be asked for."""

import base64
import dataclasses
import json

import pytest

from registry.sealing import disclose
from registry.sending import SendingRules
from replay.elsewhere import Change, MayNotSend, check_may_send
from replay.generating import Ask, generate
from replay.preparing import prepare, run_again

FLUX = "black-forest-labs/flux-schnell"


@pytest.fixture
def made(local_registry, emulator, monkeypatch):
    """A picture of Replicate's, with a seed and a setting that others do not have."""
    for vendor in emulator.vendors.values():
        monkeypatch.setattr(vendor, "patience", 1)
    settings = {"guidance_scale": 3.5, "width": 64, "height": 64}
    asked = Ask("replicate", FLUX, prompt="a stone bridge", seed="7", settings=settings)
    return generate(local_registry, asked).id


def test_the_same_is_asked_of_another_provider_in_its_own_words(local_registry, made, emulator):
    ready = prepare(local_registry, made, Change("gpt-image-2-2026-04-21", provider="openai"))

    again = run_again(local_registry, ready)

    manifest, sent = again.manifest, emulator.seen[-1]
    assert (sent.path, sent.json["prompt"]) == ("/openai/v1/images/generations", "a stone bridge")
    assert set(sent.json) == {"model", "prompt"}, "it has no seed and no guidance"
    assert (manifest.provider.name, manifest.provider.description.id) == ("openai", "openai-images")
    assert (manifest.replay_of, manifest.seed.requested, manifest.request.origin) == (made, None, "templated")
    assert manifest.model.pin == "snapshot" and manifest.settings == {}
    opened = disclose(manifest.to_json(), local_registry.vault.get(again.id))
    assert opened["prompt"]["submitted"] == "a stone bridge"
    assert "a stone bridge" not in json.dumps(manifest.to_json())


def test_slots_that_both_have_go_along(local_registry, made, emulator):
    ready = prepare(local_registry, made, Change("procedural-image@1", provider="procedural"))

    again = run_again(local_registry, ready)

    assert again.manifest.outcome.class_ == "succeeded" and again.manifest.seed.requested == "7"
    assert (again.manifest.settings["width"], again.manifest.outputs[0].media["width"]) == (64, 64)
    assert prepare(local_registry, made, Change(FLUX, "9", "replicate")).draft.seed.requested == "9"


def test_files_go_where_the_other_provider_wants_them(local_registry, emulator, picture):
    path = picture("mine.png")
    asked = Ask("openai", "gpt-image-2-2026-04-21", "image.edit", prompt="more fog", inputs=[("image", path)])
    first = generate(local_registry, asked).id

    again = run_again(local_registry, prepare(local_registry, first, Change("gemini-3-pro-image", provider="google")))

    parts = [part for content in emulator.seen[-1].json["contents"] for part in content["parts"]]
    assert base64.b64encode(path.read_bytes()).decode() in json.dumps(parts) and "more fog" in json.dumps(parts)
    assert again.manifest.outcome.class_ == "succeeded" and again.manifest.inputs[0].role == "image"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change("nova-3", provider="deepgram"), "no image.generate of deepgram"),
        (Change(None, provider="openai"), "none of openai is named"),
        (Change("m", provider="nobody"), "no image.generate of nobody"),
    ],
)
def test_what_it_cannot_be_asked_for_is_said(local_registry, made, change, why):
    refused = prepare(local_registry, made, change)

    assert (refused.kind, refused.reason_code) == ("not-replayable", "unsupported") and why in refused.sentence


def test_a_prompt_is_shown_to_nobody_it_was_not_meant_for(local_registry):
    settings = local_registry.settings

    with pytest.raises(MayNotSend, match=r'may_send_to = \["openai"\] in mintmark.toml'):
        check_may_send(settings, "replicate", "openai")
    check_may_send(settings, "replicate", "replicate")
    check_may_send(settings, "replicate", "procedural")
    check_may_send(dataclasses.replace(settings, sending=SendingRules({}, ("openai",))), "replicate", "openai")
