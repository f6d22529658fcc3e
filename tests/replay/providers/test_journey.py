"""``mintmark generate`` and ``mintmark replay`` with remote providers, as a person types them; the key stays out."""

import json
from dataclasses import replace

import pytest
from emulator import media
from msgspec.structs import replace as replace_ref

from registry.capture.description import Descriptions, shipped
from registry.capture.request import request_digest
from registry.home import open_registry
from registry.manifest import Request
from registry.sealing import disclose

KEY = "sk-canary-8f2d1c77e0b94a"
CASES = {
    "assemblyai": ["--model", "universal-2", "--setting", "audio_url=https://example.com/speech.wav"],
    "automatic1111 paints": ["--operation", "image.generate", "--model", "6ce0161689", "--seed", "7"],
    "automatic1111 repaints": [
        "--operation",
        "image.edit",
        "--model",
        "6ce0161689",
        "--seed",
        "7",
        "--input",
        "image=mine.png",
    ],
    "comfyui": ["--model", "dreams.safetensors", "--seed", "7", "--setting", "steps=4"],
    "deepgram": ["--model", "nova-3", "--input", "audio=speech.wav", "--setting", "utterances=true"],
    "bfl": ["--operation", "image.generate", "--model", "flux-2-pro", "--seed", "7", "--setting", "output_format=png"],
    "elevenlabs": ["--operation", "speech.generate", "--model", "eleven_v3", "--seed", "7", "--setting", "voice=v-1"],
    "elevenlabs sings": ["--operation", "music.generate", "--model", "music_v1", "--setting", "instrumental=true"],
    "fal": ["--operation", "image.generate", "--model", "fal-ai/flux/dev", "--seed", "7"],
    "fal films": ["--operation", "video.generate", "--model", "fal-ai/kling-video/v2/text-to-video", "--seed", "7"],
    "google": [
        "--operation",
        "image.generate",
        "--model",
        "gemini-3-pro-image",
        "--seed",
        "7",
        "--setting",
        "api_version=v1",
    ],
    "openai films": ["--operation", "video.generate", "--model", "film-1", "--setting", "seconds=4"],
    "openai listens": ["--operation", "audio.transcribe", "--model", "gpt-transcribe", "--input", "audio=speech.wav"],
    "openai talks": ["--operation", "image.generate", "--model", "gpt-5.5-2026-04-23"],
    "openai": ["--operation", "image.generate", "--model", "gpt-image-2-2026-04-21", "--setting", "n=2"],
    "wavespeed": ["--model", "wavespeed-ai/flux-dev", "--seed", "7"],
    "stability": ["--model", "core", "--seed", "7", "--setting", "output_format=png"],
    "replicate": ["--model", "black-forest-labs/flux-schnell", "--seed", "7"],
}
AGREED = ("--yes", "--assume-cost", "0.04")
WITHOUT_KEY = ("automatic1111", "comfyui")
every_provider = pytest.mark.parametrize("provider", CASES)


@pytest.fixture
def mintmark(mintmark, tmp_path, monkeypatch, emulator):
    """The command line beside two files to send; it never says the key."""
    (tmp_path / "speech.wav").write_bytes(media.wav("speech"))
    (tmp_path / "mine.png").write_bytes(media.png("mine"))
    for vendor in emulator.vendors.values():
        monkeypatch.setattr(vendor, "patience", 1)

    def call(*words):
        status, out, err = mintmark(*words)
        assert KEY not in out + err
        return status, out, err

    return call


def ask(case, *more):
    """The words of a case; its name begins with the provider's. Deepgram takes no prompt."""
    prompt = [] if case == "deepgram" else ["--prompt", "a stone bridge"]
    return ["generate", "--provider", case.split()[0], *CASES[case], *prompt, "--json", *AGREED, *more]


@pytest.fixture
def opened(tmp_path):
    """The manifest of an id and its request with everything disclosed."""

    def look(manifest_id):
        registry = open_registry(tmp_path)
        manifest = registry.catalog.manifest(manifest_id)
        value = disclose(manifest.to_json(), registry.vault.get(manifest_id))
        registry.close()
        return manifest, Request(**value["request"])

    return look


@every_provider
def test_generate_then_replay_sends_the_same_request(mintmark, opened, emulator, tmp_path, provider):
    status, out, err = mintmark(*ask(provider))
    assert status == 0, err
    first = json.loads(out)["id"]

    status, out, err = mintmark("replay", first, "--json", *AGREED)

    assert status in (0, 1, 4), err
    again = json.loads(out)["replays"][0]
    assert again["outcome"] == "succeeded"
    assert request_digest(opened(first)[1]) == request_digest(opened(again["id"])[1])
    assert emulator.charges(provider.split()[0]) == 2
    bodies = [request.body for request, _ in emulator.exchanges if request.method == "POST"]
    assert bodies[0] == bodies[1], "not only the same to us: the same bytes"
    assert opened(first)[0].provider.host == f"127.0.0.1:{emulator.port}"
    if "--seed" in CASES[provider]:
        assert again["verdicts"][0]["kind"] in ("reproduced", "undecided"), again
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in everything and b"X-Amz-Signature" not in everything
    assert emulator.leaks == []


@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_a_description_that_changed_since_replays_and_is_the_one_on_record(
    mintmark, opened, emulator, monkeypatch, provider
):
    first = json.loads(mintmark(*ask(provider))[1])["id"]
    before = opened(first)[0].provider.description
    today = replace(shipped().by_id(before.id), sha256="a" * 64)
    for module in ("replay.preparing", "registry.record"):
        monkeypatch.setattr(f"{module}.shipped", lambda: Descriptions([today]))

    status, out, err = mintmark("replay", first, "--json", *AGREED)

    assert status in (0, 1, 4), err
    again = opened(json.loads(out)["replays"][0]["id"])[0]
    assert again.provider.description == replace_ref(before, sha256="a" * 64)
    assert emulator.charges(provider) == 2


@every_provider
def test_what_goes_wrong_is_recorded_and_said_and_holds_no_key(mintmark, emulator, tmp_path, provider):
    for fault in ("401", "500", "cut-after"):
        said = "none" if provider.split()[0] in WITHOUT_KEY else KEY
        emulator.misbehave(fault, method="POST", body={"error": {"message": f"bad key {said}"}, "errors": [said]})

        status, out, err = mintmark(*ask(provider))

        assert status == 1 and json.loads(out)["outcome"] in ("auth", "retryable", "ambiguous"), (out, err)
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in everything


def test_a_missing_key_is_said_before_anything_is_sent(mintmark, emulator, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")

    status, _, err = mintmark(*ask("openai"))

    assert status == 3 and "set OPENAI_API_KEY" in err
    assert emulator.seen == []


def test_two_operations_of_one_provider_have_to_be_told_apart(mintmark, emulator):
    status, _, err = mintmark("generate", "--provider", "openai", "--model", "gpt-image-2", "--prompt", "x", *AGREED)

    assert status == 2 and "image.edit, image.generate" in err
    assert emulator.seen == []


def test_an_edit_with_its_files_replays_with_the_same_bytes(mintmark, opened, emulator, picture):
    words = ["--operation", "image.edit", "--model", "gpt-image-2-2026-04-21", "--prompt", "more fog"]
    status, out, err = mintmark(
        "generate", "--provider", "openai", *words, "--input", f"image={picture('mine.png')}", "--json", *AGREED
    )
    assert status == 0, err

    mintmark("replay", json.loads(out)["id"], *AGREED)

    first, again = [request.form() for request, _ in emulator.exchanges]
    assert first == again and any(content == picture("mine.png").read_bytes() for *_, content in first)


def test_a_setting_the_operation_does_not_have_is_refused_before_anything_is_sent(mintmark, emulator):
    status, _, err = mintmark(*ask("openai", "--setting", "colour=red"))

    assert status == 2 and "no slot 'colour'" in err
    assert emulator.seen == []
