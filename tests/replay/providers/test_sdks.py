"""The vendors' own SDKs drive the emulator: what they accept, and what they read from it, is what a vendor answers.

What they sent is then read into a draft, recorded, and sent again by mintmark: the same request.
"""

import base64
import json
import re

import openai
import pytest
import replicate
import requests
import wavespeed
from PIL import Image
from sdk_calls import closes, exchanges, recorded, response_schema

from registry.capture.description import shipped
from registry.capture.exchange import read

KEY = "sk-canary-8f2d1c77e0b94a"
"""The emulator's key, spelt out: these tests look for it where it must not be."""


@pytest.fixture
def openai_client(emulator):
    return openai.OpenAI(api_key=KEY, base_url=f"{emulator.url('openai')}/v1", max_retries=0)


@pytest.fixture
def wavespeed_client(emulator):
    return wavespeed.Client(api_key=KEY, base_url=emulator.url("wavespeed"))


@pytest.fixture
def replicate_client(emulator):
    return replicate.Client(api_token=KEY, base_url=emulator.url("replicate"))


def test_openai_generations(emulator, openai_client, local_registry, tmp_path):
    answer = openai_client.images.generate(
        model="gpt-image-2-2026-04-21", prompt="a stone bridge", n=2, size="1536x1024", quality="low"
    )

    assert len(answer.data) == 2 and answer.usage.total_tokens == 556
    response_schema("ImagesResponse").validate(emulator.exchanges[0][1].body)
    made, _ = closes(emulator, local_registry, "openai-images", tmp_path)
    assert (made.manifest.model.requested, made.manifest.model.pin) == ("gpt-image-2-2026-04-21", "snapshot")
    assert made.manifest.settings == {"n": 2, "size": "1536x1024", "quality": "low"}
    assert made.manifest.outputs_requested == 2 and len(made.manifest.outputs) == 2
    assert made.manifest.outcome.latency_ms.run == 41


def test_openai_edits_send_a_form_whose_files_become_inputs(emulator, openai_client, local_registry, tmp_path, picture):
    image, mask = picture("image.png"), picture("mask.png", seed=2)

    openai_client.images.edit(
        model="gpt-image-2-2026-04-21", prompt="more fog", image=image.open("rb"), mask=mask.open("rb")
    )

    response_schema("ImagesResponse").validate(emulator.exchanges[0][1].body)
    made, _ = closes(emulator, local_registry, "openai-image-edits", tmp_path)
    assert made.manifest.operation == "image.edit"
    assert {one.role: one.bytes for one in made.manifest.inputs} == {
        "image": image.stat().st_size,
        "mask": mask.stat().st_size,
    }
    first, second = [request.form() for request, _ in emulator.exchanges]
    assert [part for part in first] == [part for part in second], "the replay sent the same parts, names and bytes"


def test_openai_errors_are_the_sdks_own(emulator, openai_client):
    emulator.misbehave("blocked")
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.images.generate(model="gpt-image-2", prompt="x")
    assert caught.value.code == "moderation_blocked"
    with pytest.raises(openai.AuthenticationError):
        openai_client.with_options(api_key="sk-wrong").images.generate(model="gpt-image-2", prompt="x")
    emulator.misbehave("429", retry_after=1)
    with pytest.raises(openai.RateLimitError):
        openai_client.images.generate(model="gpt-image-2", prompt="x")


def test_a_blocked_call_is_recorded_as_blocked(emulator, openai_client, local_registry, tmp_path):
    emulator.misbehave("blocked")
    with pytest.raises(openai.BadRequestError):
        openai_client.images.generate(model="gpt-image-2-2026-04-21", prompt="something grim")

    made, _ = recorded(emulator, local_registry, "openai-images", tmp_path)

    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")
    assert made.manifest.outputs == []


def test_wavespeed_predictions(emulator, wavespeed_client, local_registry, tmp_path):
    answer = wavespeed_client.run(
        "wavespeed-ai/flux-dev", {"prompt": "a stone bridge", "seed": 7, "size": "1024*1024"}, poll_interval=0.001
    )

    assert len(answer["outputs"]) == 1
    made, replayed = closes(emulator, local_registry, "wavespeed-predictions", tmp_path)
    assert (made.manifest.seed.requested, made.manifest.model.served) == ("7", "wavespeed-ai/flux-dev")
    assert made.manifest.request.path == "/api/v3/wavespeed-ai/flux-dev"
    assert replayed.replays[0].verdicts[0].kind in ("reproduced", "undecided"), "the same seed makes the same bytes"
    first, again = made.manifest.outputs[0], replayed.replays[0].recorded.manifest.outputs[0]
    assert first.digest == again.digest


def test_wavespeed_films(emulator, wavespeed_client, local_registry, tmp_path):
    wavespeed_client.run("kwaivgi/kling-v2", {"prompt": "waves", "seed": 7}, poll_interval=0.001)

    made, _ = closes(emulator, local_registry, "wavespeed-predictions", tmp_path)

    assert made.manifest.operation == "video.generate" and made.manifest.outputs[0].media["kind"] == "video"


def test_wavespeed_uploads(emulator, wavespeed_client, picture):
    source = picture()

    url = wavespeed_client.upload(str(source))

    assert requests.get(url, timeout=10).content == source.read_bytes()


def test_wavespeed_failures_are_the_sdks_own(emulator, wavespeed_client):
    emulator.misbehave("blocked")
    with pytest.raises(RuntimeError, match="content policy"):
        wavespeed_client.run("wavespeed-ai/flux-dev", {"prompt": "x"}, poll_interval=0.001)
    emulator.misbehave("cut-after", method="POST")
    with pytest.raises(RuntimeError, match="will not retry"):
        wavespeed_client.run("wavespeed-ai/flux-dev", {"prompt": "x"})


def test_a_job_under_way_is_read_as_unfinished(emulator, wavespeed_client, tmp_path):
    emulator.misbehave("stuck", times=99)
    with pytest.raises(TimeoutError):
        wavespeed_client.run("wavespeed-ai/flux-dev", {"prompt": "x"}, timeout=0.05, poll_interval=0.01)
    submit, *polls = exchanges(emulator)

    reading = read(
        shipped().by_id("wavespeed-predictions"), submit, tmp_path, last=polls[-1], base_url=emulator.url("wavespeed")
    )

    assert not reading.finished and reading.job in polls[0].url


def test_replicate_official_models_wait_and_hide_the_seed_in_the_log(
    emulator, replicate_client, local_registry, tmp_path
):
    prediction = replicate_client.models.predictions.create(
        "black-forest-labs/flux-schnell", input={"prompt": "a stone bridge", "num_outputs": 1}, wait=True
    )

    assert prediction.status == "succeeded" and prediction.output
    made, _ = closes(emulator, local_registry, "replicate-models", tmp_path)
    assert made.manifest.model.requested == "black-forest-labs/flux-schnell"
    assert made.manifest.seed.requested is None and made.manifest.seed.actual.isdigit()
    assert made.manifest.outcome.latency_ms.run == 812
    assert ["prefer", "wait"] in made.manifest.request.headers


def test_replicate_versions_are_pins(emulator, replicate_client, local_registry, tmp_path):
    version = "ab" * 32
    prediction = replicate_client.predictions.create(version=version, input={"prompt": "a stone bridge", "seed": 7})
    while prediction.status not in ("succeeded", "failed", "canceled"):
        prediction.reload()

    made, replayed = closes(emulator, local_registry, "replicate-predictions", tmp_path)

    assert (made.manifest.model.requested, made.manifest.model.pin) == (version, "hash")
    assert made.manifest.outputs[0].digest == replayed.replays[0].recorded.manifest.outputs[0].digest


def test_replicate_cancels(emulator, replicate_client):
    prediction = replicate_client.predictions.create(version="ab" * 32, input={"prompt": "x"})

    assert replicate_client.predictions.cancel(prediction.id).status == "canceled"


def test_stability_takes_a_form_and_answers_with_the_picture(emulator, local_registry, tmp_path):
    """Stability publishes no SDK for v2beta; its documentation shows this call of ``requests``."""
    answer = requests.post(
        f"{emulator.url('stability')}/v2beta/stable-image/generate/core",
        headers={"authorization": f"Bearer {KEY}", "accept": "image/*"},
        files={"none": ""},
        data={"prompt": "a stone bridge", "seed": 7, "output_format": "jpeg"},
        timeout=10,
    )

    assert answer.status_code == 200 and answer.headers["seed"] == "7"
    made, replayed = closes(emulator, local_registry, "stability-generate", tmp_path)
    assert (made.manifest.seed.actual, made.manifest.outputs[0].media_type) == ("7", "image/jpeg")
    assert made.manifest.settings == {"output_format": "jpeg"}
    assert made.manifest.outputs[0].digest == replayed.replays[0].recorded.manifest.outputs[0].digest


def test_a_base64_picture_in_json_becomes_an_input_and_comes_back_character_for_character(
    emulator, replicate_client, local_registry, tmp_path, picture
):
    source = picture()
    with Image.open(source) as image:
        image.load()
    coded = "data:image/png;base64," + base64.b64encode(source.read_bytes()).decode()
    replicate_client.predictions.create(version="ab" * 32, input={"prompt": "x", "image": coded}, wait=True)

    made, _ = closes(emulator, local_registry, "replicate-predictions", tmp_path)

    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("image", source.stat().st_size)]
    first, again = [
        json.loads(request.body)["input"]["image"] for request, _ in emulator.exchanges if request.method == "POST"
    ]
    assert first == again == coded


def test_callbacks_are_left_out_and_the_key_is_nowhere(emulator, replicate_client, local_registry, tmp_path):
    replicate_client.predictions.create(
        version="ab" * 32,
        input={"prompt": f"tell nobody {KEY}"},
        webhook=f"https://example.com/hook?token={KEY}",
        webhook_events_filter=["completed"],
        wait=True,
    )

    made, request = recorded(emulator, local_registry, "replicate-predictions", tmp_path)

    assert set(request.body) == {"version", "input"}
    everything = b"".join(path.read_bytes() for path in local_registry.home.rglob("*") if path.is_file())
    assert KEY.encode() not in everything
    assert not re.search(rb"X-Amz-Signature", everything)
    disclosed = [str(one.value) for one in local_registry.vault.get(made.id)]
    assert disclosed and KEY not in "".join(disclosed)
