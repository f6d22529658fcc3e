"""SDKs of OpenAI (films, words, conversations), Deepgram and AssemblyAI drive the emulator, as in test_sdks."""

import base64
import hashlib

import assemblyai
import deepgram
import openai
import pytest
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from emulator import media
from emulator.server import KEY
from sdk_calls import closes, deepgram_schema, recorded, response_schema

from drift.media.transcript import read_transcript
from registry.capture.description import shipped
from registry.capture.exchange import Exchange, description_of
from registry.fetch import digests_of_asset
from replay.outcome import OutcomeClass
from replay.rerun import replay

PICTURE = [{"type": "image_generation", "size": "1024x1024", "quality": "low"}]


@pytest.fixture(autouse=True)
def done_when_asked(emulator, monkeypatch):
    """Jobs are done by the first poll: replays wait for as long as vendors want them to."""
    for name in ("openai", "assemblyai"):
        monkeypatch.setattr(emulator.vendors[name], "patience", 1)


@pytest.fixture
def openai_client(emulator):
    return openai.OpenAI(api_key=KEY, base_url=f"{emulator.url('openai')}/v1", max_retries=0)


@pytest.fixture
def deepgram_client(emulator):
    base = emulator.url("deepgram")
    place = DeepgramClientEnvironment(base=base, production=base, agent=base, agent_rest=base)
    return deepgram.DeepgramClient(api_key=KEY, environment=place, max_retries=0)


@pytest.fixture
def transcriber(emulator):
    settings = assemblyai.Settings(api_key=KEY, base_url=emulator.url("assemblyai"), polling_interval=0.01)
    return assemblyai.Transcriber(client=assemblyai.Client(settings=settings))


@pytest.fixture
def speech(tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(media.wav("speech"))
    return path


def stored_output(registry, made):
    """The first output of a recorded manifest, as a file."""
    return registry.assets.file(digests_of_asset(registry, made.id, "output", 0, made.manifest.outputs[0]).blake3)


def test_a_picture_in_a_conversation(emulator, openai_client, local_registry, tmp_path):
    answer = openai_client.responses.create(model="gpt-5.5-2026-04-23", input="a stone bridge", tools=PICTURE)

    (call,) = [item for item in answer.output if item.type == "image_generation_call"]
    response_schema("Response").validate(emulator.exchanges[0][1].body)
    made, _ = closes(emulator, local_registry, "openai-responses", tmp_path)
    # The request leaves open who paints: no exact version.
    assert (made.manifest.model.requested, made.manifest.model.pin) == ("gpt-5.5-2026-04-23", "alias")
    assert made.manifest.model.served == "gpt-5.5-2026-04-23"
    assert made.manifest.settings == {"size": "1024x1024", "quality": "low"}
    assert stored_output(local_registry, made).read_bytes() == base64.b64decode(call.result)
    told = {one.pointer: one.value for one in local_registry.vault.get(made.id)}
    assert told["/prompt/effective"] == "a stone bridge, in morning light"


def test_a_picture_made_in_the_background(emulator, openai_client, local_registry, tmp_path):
    answer = openai_client.responses.create(model="gpt-5.5", input="a stone bridge", tools=PICTURE, background=True)
    assert answer.status == "queued"
    while answer.status in ("queued", "in_progress"):
        answer = openai_client.responses.retrieve(answer.id)

    made, _ = closes(emulator, local_registry, "openai-responses", tmp_path)

    assert answer.status == "completed" and made.manifest.settings["background"] is True
    assert openai_client.responses.cancel(answer.id).status == "cancelled"


def test_a_conversation_about_a_picture_keeps_the_picture_as_an_input(
    emulator, openai_client, local_registry, tmp_path, picture
):
    coded = "data:image/png;base64," + base64.b64encode(picture().read_bytes()).decode()
    content = [
        {"type": "input_text", "text": "more fog"},
        {"type": "input_image", "image_url": coded, "detail": "auto"},
    ]
    openai_client.responses.create(model="gpt-5.5", input=[{"role": "user", "content": content}], tools=PICTURE)

    made, _ = closes(emulator, local_registry, "openai-responses", tmp_path)

    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("image", picture().stat().st_size)]


@pytest.mark.parametrize(("how", "said"), [("blocked", "I cannot paint that."), ("filtered", "content_filter")])
def test_a_refusal_in_words_is_blocked(emulator, openai_client, local_registry, tmp_path, how, said):
    emulator.misbehave(how)
    openai_client.responses.create(model="gpt-5.5", input="something grim", tools=PICTURE)

    made, _ = recorded(emulator, local_registry, "openai-responses", tmp_path)

    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")
    assert made.manifest.outputs == []
    assert said in [one.value for one in local_registry.vault.get(made.id) if one.pointer == "/outcome/error"]


def test_responses_without_the_tool_are_none_of_ours():
    body = b'{"model": "gpt-5.5", "input": "hello", "tools": [{"type": "web_search"}]}'
    asked = Exchange("POST", "https://api.openai.com/v1/responses", [("content-type", "application/json")], body, None)

    assert description_of([one for one in shipped() if one.provider == "openai"], asked) is None


def test_a_film_on_a_compatible_server(emulator, openai_client, local_registry, tmp_path, picture):
    film = openai_client.videos.create_and_poll(
        model="film-1", prompt="waves", seconds="4", size="1280x720", input_reference=picture(), poll_interval_ms=1
    )
    content = openai_client.videos.download_content(film.id).read()

    schema = response_schema("VideoResource")
    for _, reply in emulator.exchanges[:-1]:
        schema.validate(reply.body)
    made, _ = closes(emulator, local_registry, "openai-videos", tmp_path)
    assert made.manifest.operation == "video.generate" and made.manifest.outputs[0].media["kind"] == "video"
    assert stored_output(local_registry, made).read_bytes() == content
    assert made.manifest.settings == {"seconds": "4", "size": "1280x720"}
    assert [one.role for one in made.manifest.inputs] == ["image"]


def test_a_film_of_a_model_that_was_shut_down_is_kept_and_not_replayed(
    emulator, openai_client, local_registry, tmp_path
):
    openai_client.videos.create_and_poll(model="sora-2", prompt="waves", poll_interval_ms=1)
    made, _ = recorded(emulator, local_registry, "openai-videos", tmp_path)

    answer = replay(local_registry, made.id)

    assert made.manifest.outputs and emulator.charges("openai") == 1
    assert answer.refused.reason_code == "retired" and "shut down on 2026-09-24" in answer.refused.sentence
    assert len(shipped().by_id("openai-videos").pins["sora-2"]) == 2


def test_a_film_that_is_refused_says_so_when_asked_about(emulator, openai_client, local_registry, tmp_path):
    emulator.misbehave("blocked")
    film = openai_client.videos.create_and_poll(model="film-1", prompt="something grim", poll_interval_ms=1)

    made, _ = recorded(emulator, local_registry, "openai-videos", tmp_path)

    assert film.error.code == "moderation_blocked"
    assert (made.manifest.outcome.class_, made.manifest.outcome.safety) == ("blocked", "refused")


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ("json", "CreateTranscriptionResponseJson"),
        ("verbose_json", "CreateTranscriptionResponseVerboseJson"),
        ("diarized_json", "CreateTranscriptionResponseDiarizedJson"),
        ("srt", None),
        ("vtt", None),
        ("text", None),
    ],
)
def test_words_in_every_form(emulator, openai_client, local_registry, tmp_path, speech, form, schema):
    with speech.open("rb") as sound:
        answer = openai_client.audio.transcriptions.create(
            model="gpt-transcribe", file=sound, response_format=form, language="en", prompt="harbour"
        )

    if schema:
        response_schema(schema).validate(emulator.exchanges[0][1].body)
    made, _ = closes(emulator, local_registry, "openai-transcriptions", tmp_path)
    words = read_transcript(stored_output(local_registry, made))
    said = answer if isinstance(answer, str) else answer.text
    assert words.segments[0].text in said and "harbour" in said
    assert made.manifest.operation == "audio.transcribe"
    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("audio", speech.stat().st_size)]
    assert made.manifest.settings == {"response_format": form, "language": "en"}


@pytest.mark.parametrize(
    "model", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"]
)
def test_models_of_speech_have_a_last_day(model):
    assert shipped().by_id("openai-transcriptions").retires[model].isoformat() == "2027-02-26"


def test_moderation_is_free_and_takes_pictures(emulator, openai_client):
    parts = [{"type": "text", "text": "something grim"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]

    verdict = openai_client.moderations.create(model="omni-moderation-latest", input=parts).results[0]

    assert verdict.flagged and verdict.categories.violence and not verdict.categories.hate
    assert verdict.category_applied_input_types.violence == ["image", "text"]
    response_schema("CreateModerationResponse").validate(emulator.exchanges[0][1].body)
    assert not openai_client.moderations.create(input="a stone bridge").results[0].flagged
    assert emulator.charges("openai") == 0


def test_deepgram_hears_bytes_and_echoes_what_it_heard(emulator, deepgram_client, local_registry, tmp_path, speech):
    answer = deepgram_client.listen.v1.media.transcribe_file(
        request=speech.read_bytes(), model="nova-3", version="2025-04-17.21547", smart_format=True, utterances=True
    )

    heard = hashlib.sha256(speech.read_bytes()).hexdigest()
    assert answer.metadata.sha256 == heard and answer.results.channels[0].alternatives[0].transcript
    deepgram_schema("ListenV1Response").validate(emulator.exchanges[0][1].body)
    made, _ = closes(emulator, local_registry, "deepgram-listen", tmp_path)
    assert (made.manifest.model.served, made.manifest.model.pin) == ("nova-3@2025-04-17.21547", "snapshot")
    assert made.manifest.settings == {"version": "2025-04-17.21547", "smart_format": "true", "utterances": "true"}
    assert [(one.role, one.digest["sha256"]) for one in made.manifest.inputs] == [("audio", heard)]
    assert made.manifest.cost.units == {"audio_ms": 500, "channels": 1}
    assert read_transcript(stored_output(local_registry, made)).words[0].text == "the"
    first, again = [request for request, _ in emulator.exchanges]
    assert first.body == again.body and first.query == again.query


def test_deepgram_hears_what_lies_elsewhere(emulator, deepgram_client, local_registry, tmp_path):
    deepgram_client.listen.v1.media.transcribe_url(url="https://example.com/speech.wav", model="nova-3")

    made, _ = closes(emulator, local_registry, "deepgram-listen", tmp_path)

    assert made.manifest.inputs == [] and made.manifest.settings == {} and made.manifest.model.pin == "alias"
    assert emulator.exchanges[1][0].json == {"url": "https://example.com/speech.wav"}


def test_deepgram_errors_are_the_sdks_own(emulator, deepgram_client, local_registry, tmp_path, speech):
    with pytest.raises(ApiError) as caught:
        deepgram_client.listen.v1.media.transcribe_file(request=b"no sound", model="nova-3")
    assert caught.value.status_code == 400
    emulator.reset()
    emulator.misbehave("quota")
    with pytest.raises(ApiError):
        deepgram_client.listen.v1.media.transcribe_file(request=speech.read_bytes(), model="nova-3")

    made, _ = recorded(emulator, local_registry, "deepgram-listen", tmp_path)

    assert made.manifest.outcome.class_ == "quota"


def test_assemblyai_takes_the_sound_ahead(emulator, transcriber, local_registry, tmp_path, speech):
    config = assemblyai.TranscriptionConfig(speech_models=["universal-2"], speaker_labels=True)
    config.set_webhook("https://example.com/hook?token=" + KEY, "X-Secret", KEY)

    answer = transcriber.transcribe(str(speech), config)

    assert answer.status == assemblyai.TranscriptStatus.completed and answer.words[0].text == "the"
    made, _ = closes(emulator, local_registry, "assemblyai-transcripts", tmp_path)
    assert (made.manifest.model.requested, made.manifest.model.served) == ("universal-2", "universal-2")
    assert made.manifest.settings["speaker_labels"] is True
    heard = read_transcript(stored_output(local_registry, made))
    assert " ".join(segment.text for segment in heard.segments) == answer.text
    assert heard.words[1].start_ms == answer.words[1].start
    assert (made.manifest.outputs[0].media["has_timestamps"], made.manifest.outputs[0].media["speakers"]) == (True, 1)
    orders = [request.json for request, _ in emulator.exchanges if request.path == "/assemblyai/v2/transcript"]
    assert "webhook_url" in orders[0] and not [name for name in orders[1] if name.startswith("webhook")]
    everything = b"".join(path.read_bytes() for path in local_registry.home.rglob("*") if path.is_file())
    assert KEY.encode() not in everything


def test_assemblyai_failures_are_the_sdks_own(emulator, transcriber, local_registry, tmp_path):
    emulator.misbehave("failed")
    config = assemblyai.TranscriptionConfig(speech_models=["universal-2"])

    answer = transcriber.transcribe("https://example.com/speech.wav", config)

    assert answer.status == assemblyai.TranscriptStatus.error and "memory" in answer.error
    made, _ = recorded(emulator, local_registry, "assemblyai-transcripts", tmp_path)
    assert (made.manifest.outcome.class_, made.manifest.outcome.state) == ("failed", "failed")


def test_a_sound_is_sent_ahead_once_and_stands_in_the_order_by_its_address(bench, emulator, speech):
    outcome = bench.call("assemblyai-transcripts", [("audio", speech, "audio/wav")], model="universal-2")

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert [seen.path.rpartition("/")[2] for seen in emulator.seen[:2]] == ["upload", "transcript"]
    assert emulator.seen[0].body == speech.read_bytes()
    address = emulator.seen[1].json["audio_url"]
    assert emulator.files[address.rpartition("/")[2]][0] == speech.read_bytes()
    assert emulator.leaks == [] and emulator.charges("assemblyai") == 1


@pytest.mark.parametrize(
    ("model", "operation", "wanted"),
    [
        ("gpt-image-2-2026-04-21", "image.generate", "openai-images"),
        ("gpt-image-2", "image.generate", "openai-images"),
        ("flux-on-my-server", "image.generate", "openai-images"),
        ("openai/whatever", "image.generate", "openai-images"),
        ("gpt-5.5-2026-04-23", "image.generate", "openai-responses"),
        ("gpt-9", "image.generate", "openai-responses"),
        ("o3", "image.generate", "openai-responses"),
        ("sora-2", None, "openai-videos"),
        ("whisper-1", None, "openai-transcriptions"),
        ("gpt-4o-mini-transcribe-2025-12-15", "audio.transcribe", "openai-transcriptions"),
    ],
)
def test_the_model_tells_which_of_openais_operations_is_meant(model, operation, wanted):
    assert shipped().find("openai", model=model, operation=operation).id == wanted
