"""SDKs of Google, fal and ElevenLabs drive the emulator, as in test_sdks; Black Forest Labs publishes none."""

import json
import warnings

import elevenlabs
import elevenlabs.core.api_error
import fal_client
import pytest
import requests
from emulator import media
from emulator.server import KEY
from google import genai
from google.genai import errors, types
from sdk_calls import closes, exchanges, recorded

from drift.media.transcript import read_transcript
from registry.capture.description import shipped
from registry.capture.exchange import description_of
from registry.fetch import digests_of_asset
from replay.rerun import replay

PICTURE = types.GenerateContentConfig(
    response_modalities=["IMAGE"], seed=7, image_config=types.ImageConfig(aspect_ratio="16:9", image_size="1K")
)


@pytest.fixture
def gemini(emulator):
    return genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=emulator.url("google")))


@pytest.fixture
def imagen(emulator):
    """The SDK speaks to Imagen on the enterprise platform alone, or on a server that is named in full."""
    place = types.HttpOptions(
        base_url=f"{emulator.url('google')}/v1beta",
        base_url_resource_scope="COLLECTION",
        headers={"x-goog-api-key": KEY},
    )
    return genai.Client(vertexai=True, http_options=place)


@pytest.fixture
def fal(emulator, monkeypatch):
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{emulator.url('fal')}/")
    return fal_client.SyncClient(key=KEY)


@pytest.fixture
def voices(emulator):
    return elevenlabs.ElevenLabs(api_key=KEY, base_url=emulator.url("elevenlabs"))


ONCE = {"max_retries": 0}


def fitting(emulator, provider, number=0):
    """The description that a captured exchange is one of."""
    ours = [one for one in shipped() if one.provider == provider]
    return description_of(ours, exchanges(emulator)[number], base_url=emulator.url(provider)).id


def test_gemini_pictures(emulator, gemini, local_registry, tmp_path):
    answer = gemini.models.generate_content(model="gemini-3-pro-image", contents="a stone bridge", config=PICTURE)

    assert answer.parts[-1].as_image().image_bytes.startswith(b"\x89PNG")
    assert fitting(emulator, "google") == "google-gemini-images"
    made, replayed = closes(emulator, local_registry, "google-gemini-images", tmp_path)
    assert (made.manifest.operation, made.manifest.model.pin) == ("image.generate", "alias")
    assert made.manifest.model.served == "gemini-3-pro-image" and made.manifest.seed.requested == "7"
    assert made.manifest.settings == {"api_version": "v1", "aspect_ratio": "16:9", "image_size": "1K"}
    assert len(made.manifest.outputs) == 1, "the draft is none"
    assert made.manifest.outputs[0].digest == replayed.replays[0].recorded.manifest.outputs[0].digest


def test_gemini_pictures_from_pictures_come_back_character_for_character(
    emulator, gemini, local_registry, tmp_path, picture
):
    source = picture().read_bytes()
    gemini.models.generate_content(
        model="gemini-3-pro-image", contents=["more fog", types.Part.from_bytes(data=source, mime_type="image/png")]
    )

    assert fitting(emulator, "google") == "google-gemini-edits"
    made, _ = closes(emulator, local_registry, "google-gemini-edits", tmp_path)
    assert made.manifest.operation == "image.edit"
    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("image", len(source))]
    first, again = [json.loads(request.body)["contents"] for request, _ in emulator.exchanges]
    assert first == again


def test_words_of_gemini_are_no_pictures(emulator, gemini):
    gemini.models.generate_content(model="gemini-3-pro-image", contents="a stone bridge")
    words = exchanges(emulator)[0]
    object.__setattr__(words, "url", words.url.replace("gemini-3-pro-image", "gemini-3.5-flash"))

    ours = [one for one in shipped() if one.provider == "google"]

    assert description_of(ours, words, base_url=emulator.url("google")) is None


def test_a_refusal_of_gemini_is_an_answer_like_any_other_to_its_sdk(emulator, gemini, local_registry, tmp_path):
    emulator.misbehave("blocked")
    answer = gemini.models.generate_content(model="gemini-3-pro-image", contents="something grim", config=PICTURE)

    assert answer.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT
    made, _ = recorded(emulator, local_registry, "google-gemini-images", tmp_path)
    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")
    assert made.manifest.outcome.http_status == 200
    emulator.misbehave("filtered")
    answer = gemini.models.generate_content(model="gemini-3-pro-image", contents="something grim", config=PICTURE)
    assert answer.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY


def test_errors_of_gemini_are_the_sdks_own(emulator):
    stranger = genai.Client(api_key="wrong", http_options=types.HttpOptions(base_url=emulator.url("google")))

    with pytest.raises(errors.ClientError, match="API_KEY_INVALID"):
        stranger.models.generate_content(model="gemini-3-pro-image", contents="x")


def test_imagen_that_is_retired_is_recorded_and_not_sent_again(emulator, imagen, local_registry, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = imagen.models.generate_images(
            model="models/imagen-4.0-generate-001",
            prompt="a stone bridge",
            config=types.GenerateImagesConfig(number_of_images=2, seed=7, add_watermark=False, include_rai_reason=True),
        )

    assert len(answer.generated_images) == 2
    assert fitting(emulator, "google") == "google-imagen"
    made, _ = recorded(emulator, local_registry, "google-imagen", tmp_path)
    assert (made.manifest.model.requested, made.manifest.model.pin) == ("imagen-4.0-generate-001", "snapshot")
    assert made.manifest.settings == {"api_version": "v1beta", "n": 2, "add_watermark": False}
    assert len(made.manifest.outputs) == made.manifest.outputs_requested == 2
    refused = replay(local_registry, made.id).refused
    assert refused is not None and "retired" in str(refused) and emulator.charges("google") == 1


def test_imagen_that_filtered_everything_has_blocked_it(emulator, imagen, local_registry, tmp_path):
    emulator.misbehave("blocked")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = imagen.models.generate_images(
            model="models/imagen-4.0-generate-001",
            prompt="something grim",
            config=types.GenerateImagesConfig(include_rai_reason=True),
        )

    assert "violated" in answer.generated_images[0].rai_filtered_reason
    made, _ = recorded(emulator, local_registry, "google-imagen", tmp_path)
    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")


def test_fal_queue(emulator, fal, local_registry, tmp_path, monkeypatch):
    monkeypatch.setattr(emulator.vendors["fal"], "patience", 3)
    seen = []
    answer = fal.subscribe(
        "fal-ai/flux/dev",
        {"prompt": "a stone bridge", "seed": 7, "num_images": 2, "image_size": "square"},
        on_queue_update=lambda update: seen.append(type(update).__name__),
    )

    assert len(answer["images"]) == 2 and seen[0] == "Queued" and seen[-1] == "Completed"
    made, replayed = closes(emulator, local_registry, "fal-queue", tmp_path)
    assert made.manifest.request.path == "/fal-ai/flux/dev"
    assert (made.manifest.seed.requested, made.manifest.seed.actual) == ("7", "7")
    assert made.manifest.outcome.latency_ms.run == 812 and made.manifest.outputs_requested == 2
    assert made.manifest.outputs[1].digest == replayed.replays[0].recorded.manifest.outputs[1].digest


def test_fal_films(emulator, fal, local_registry, tmp_path):
    fal.subscribe("fal-ai/kling-video/v2/text-to-video", {"prompt": "waves", "duration": "5"})

    made, _ = closes(emulator, local_registry, "fal-queue", tmp_path)

    assert made.manifest.operation == "video.generate" and made.manifest.outputs[0].media["kind"] == "video"


def test_a_refusal_of_fal_comes_where_the_result_would_be(emulator, fal, local_registry, tmp_path):
    emulator.misbehave("blocked")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        fal.subscribe("fal-ai/flux/dev", {"prompt": "something grim"})

    assert caught.value.status_code == 422
    made, _ = recorded(emulator, local_registry, "fal-queue", tmp_path)
    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")
    assert made.manifest.outcome.http_status == 422 and made.manifest.outputs == []


def test_fal_callbacks_are_left_out_and_its_requests_can_be_canceled(emulator, fal, local_registry, tmp_path):
    handle = fal.submit("fal-ai/flux/dev", {"prompt": "x"}, webhook_url=f"https://example.com/?token={KEY}")
    handle.get()

    _, request = recorded(emulator, local_registry, "fal-queue", tmp_path)

    assert request.query == []
    fal.submit("fal-ai/flux/dev", {"prompt": "x"}).cancel()
    assert emulator.exchanges[-1][0].method == "PUT"


def test_a_voice_of_elevenlabs(emulator, voices, local_registry, tmp_path):
    settings = elevenlabs.VoiceSettings(stability=0.5, similarity_boost=0.75)
    sound = b"".join(
        voices.text_to_speech.convert(
            "JBFqnCBsd6", text="good day", model_id="eleven_multilingual_v2", seed=7, voice_settings=settings,
            output_format="mp3_44100_128", request_options=ONCE,
        )
    )  # fmt: skip

    assert sound == emulator.exchanges[0][1].body
    made, replayed = closes(emulator, local_registry, "elevenlabs-speech", tmp_path)
    assert (made.manifest.operation, made.manifest.outcome.request_id) == ("speech.generate", "el-1")
    told = made.manifest.settings
    assert (told["voice"], told["stability"], told["output_format"]) == ("JBFqnCBsd6", 0.5, "mp3_44100_128")
    assert made.manifest.outputs[0].media_type == "audio/mpeg" and made.manifest.cost.units == {"characters": 14}
    assert made.manifest.outputs[0].digest == replayed.replays[0].recorded.manifest.outputs[0].digest


def test_music_of_elevenlabs(emulator, voices, local_registry, tmp_path):
    b"".join(voices.music.compose(prompt="a slow song", music_length_ms=10000, model_id="music_v1"))

    made, _ = closes(emulator, local_registry, "elevenlabs-music", tmp_path)

    assert made.manifest.operation == "music.generate" and made.manifest.settings == {"duration_ms": 10000}
    emulator.misbehave("blocked")
    with pytest.raises(elevenlabs.core.api_error.ApiError) as caught:
        b"".join(voices.music.compose(prompt="in the manner of somebody", request_options=ONCE))
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (400, "bad_prompt")


def test_sounds_of_elevenlabs(emulator, voices, local_registry, tmp_path):
    b"".join(voices.text_to_sound_effects.convert(text="rain on a tin roof", duration_seconds=1.5, loop=True))

    made, _ = closes(emulator, local_registry, "elevenlabs-sounds", tmp_path)

    assert made.manifest.settings == {"duration": 1.5, "loop": True} and made.manifest.model.requested == "unspecified"


def test_elevenlabs_listens(emulator, voices, local_registry, tmp_path):
    local_sound = tmp_path / "said.wav"
    local_sound.write_bytes(media.wav("said"))
    heard = voices.speech_to_text.convert(model_id="scribe_v2", file=local_sound.open("rb"), seed=7, diarize=True)

    assert heard.text.startswith("the harbour") and heard.words[0].type == "word"
    made, _ = closes(emulator, local_registry, "elevenlabs-transcribe", tmp_path)
    assert made.manifest.operation == "audio.transcribe" and made.manifest.seed.requested == "7"
    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("audio", local_sound.stat().st_size)]
    asset = made.manifest.outputs[0]
    digests = digests_of_asset(local_registry, made.id, "output", 0, asset)
    assert read_transcript(local_registry.assets.file(digests.blake3)).text.startswith("the harbour")


def test_other_addresses_of_elevenlabs_are_no_calls_of_ours(emulator, voices):
    with pytest.raises(elevenlabs.core.api_error.ApiError):
        voices.text_to_speech.convert_with_timestamps("JBFqnCBsd6", text="good day", request_options=ONCE)

    ours = [one for one in shipped() if one.provider == "elevenlabs"]

    assert description_of(ours, exchanges(emulator)[0], base_url=emulator.url("elevenlabs")) is None


def test_flux_as_its_documents_show_it(emulator, local_registry, tmp_path):
    headers = {"x-key": KEY, "accept": "application/json"}
    words = {"prompt": "a stone bridge", "seed": 7, "width": 1024, "webhook_url": "https://x", "webhook_secret": KEY}
    task = requests.post(f"{emulator.url('bfl')}/v1/flux-2-pro", headers=headers, json=words, timeout=10).json()
    answer = {"status": "Pending"}
    while answer["status"] == "Pending":
        answer = requests.get(task["polling_url"], headers=headers, timeout=10).json()

    assert answer["status"] == "Ready" and fitting(emulator, "bfl") == "bfl-generate"
    made, replayed = closes(emulator, local_registry, "bfl-generate", tmp_path)
    assert made.manifest.settings == {"width": 1024} and made.manifest.seed.actual == "7"
    assert (made.manifest.cost.amount, made.manifest.cost.kind) == ("3", "reported")
    assert made.manifest.outputs[0].digest == replayed.replays[0].recorded.manifest.outputs[0].digest


def test_flux_that_changes_a_picture_is_another_operation(emulator):
    words = {"prompt": "more fog", "input_image": "https://example.com/a.jpg"}
    requests.post(f"{emulator.url('bfl')}/v1/flux-2-pro", headers={"x-key": KEY}, json=words, timeout=10)

    assert fitting(emulator, "bfl") == "bfl-edits"
