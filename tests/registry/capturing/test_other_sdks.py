"""SDKs of voices, words, films and queues, direct and captured: one result, one record, one replay."""

import base64
import io

import assemblyai
import deepgram
import elevenlabs
import fal_client
import openai
import pytest
import requests
from capture_flows import KEY
from deepgram.environment import DeepgramClientEnvironment
from emulator import media
from google import genai
from google.genai import types
from sdk_calls import opened

from registry.capture.request import request_digest
from replay.rerun import replay


def gemini(url, patch):
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=url("google")))
    how = types.GenerateContentConfig(response_modalities=["IMAGE"], seed=7)
    answer = client.models.generate_content(model="gemini-3-pro-image", contents="a stone bridge", config=how)
    return answer.parts[-1].as_image().image_bytes


def fal(url, patch):
    patch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{url('fal')}/")
    answer = fal_client.SyncClient(key=KEY).subscribe("fal-ai/flux/dev", {"prompt": "a stone bridge", "seed": 7})
    return requests.get(answer["images"][0]["url"], timeout=10).content


def voice(url, patch):
    client = elevenlabs.ElevenLabs(api_key=KEY, base_url=url("elevenlabs"))
    return b"".join(client.text_to_speech.convert("JBFqnCBsd6", text="good day", model_id="eleven_multilingual_v2"))


def words_of_deepgram(url, patch):
    base = url("deepgram")
    place = DeepgramClientEnvironment(base=base, production=base, agent=base, agent_rest=base)
    client = deepgram.DeepgramClient(api_key=KEY, environment=place, max_retries=0)
    answer = client.listen.v1.media.transcribe_file(request=media.wav("speech"), model="nova-3")
    return answer.results.channels[0].alternatives[0].transcript


def words_of_assemblyai(url, patch):
    settings = assemblyai.Settings(api_key=KEY, base_url=url("assemblyai"), polling_interval=0.01)
    config = assemblyai.TranscriptionConfig(speech_models=["universal-2"])
    config.set_webhook("https://example.com/hook?token=" + KEY, "X-Secret", KEY)
    transcriber = assemblyai.Transcriber(client=assemblyai.Client(settings=settings))
    return transcriber.transcribe(io.BytesIO(media.wav("speech")), config).text


def words_of_openai(url, patch):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    sound = ("speech.wav", media.wav("speech"), "audio/wav")
    return client.audio.transcriptions.create(model="gpt-transcribe", file=sound, response_format="srt")


def picture_in_a_conversation(url, patch):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    tools = [{"type": "image_generation", "size": "1024x1024", "quality": "low"}]
    answer = client.responses.create(model="gpt-5.5-2026-04-23", input="a stone bridge", tools=tools)
    return base64.b64decode(next(item for item in answer.output if item.type == "image_generation_call").result)


def film(url, patch):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    made = client.videos.create_and_poll(model="film-1", prompt="waves", seconds="4", poll_interval_ms=1)
    return client.videos.download_content(made.id).read()


CALLS = [gemini, fal, voice, words_of_deepgram, words_of_assemblyai, words_of_openai, picture_in_a_conversation, film]


@pytest.mark.parametrize("way", ["hook", "proxy"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_a_call_gives_the_same_and_is_recorded_once(call, way, request, emulator, monkeypatch):
    direct = call(emulator.url, monkeypatch)
    emulator.reset()
    capturing = request.getfixturevalue("hooked" if way == "hook" else "proxied")

    captured = call(emulator.url if way == "hook" else capturing.url, monkeypatch)

    assert captured == direct
    [made] = capturing.recorded()
    assert (made.outcome.class_, made.recorder.capture, len(made.outputs)) == ("succeeded", way, 1)
    if isinstance(captured, bytes):
        assert made.outputs[0].bytes == len(captured)
    assert not [path for path in capturing.home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert emulator.leaks == []
    charges = emulator.charges(made.provider.name)
    again = replay(capturing.registry, capturing.ids[0]).replays[0].recorded
    assert again.manifest.outcome.class_ == "succeeded"
    assert emulator.charges(made.provider.name) == charges + 1
    sent, resent = (request_digest(opened(capturing.registry, name)) for name in (capturing.ids[0], again.id))
    assert sent == resent
