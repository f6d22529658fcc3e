"""Answers that come as events: what the SDK reads from them is recorded, and sent again it is the same request."""

import base64

import openai
import pytest
from emulator import media
from emulator.server import KEY, events
from sdk_calls import closes, recorded, response_schema

from registry.capture.description import shipped
from registry.capture.events import final_answer, first_part
from replay.outcome import OutcomeClass, Safety

MODEL = "gpt-image-2-2026-04-21"
TOLD = shipped().by_id("openai-images").protocol.events
PICTURE = {"model": MODEL, "prompt": "a stone bridge", "stream": "true", "partial_images": "2"}


@pytest.fixture
def client(emulator):
    return openai.OpenAI(api_key=KEY, base_url=f"{emulator.url('openai')}/v1", max_retries=0)


def units_of(made):
    return made.manifest.cost.units


def test_pictures_as_events(emulator, client, local_registry, tmp_path):
    asked = {"model": MODEL, "prompt": "a stone bridge", "n": 1, "partial_images": 2}
    told = list(client.images.generate(**asked, stream=True))

    assert [one.type.rpartition(".")[2] for one in told] == ["partial_image", "partial_image", "completed"]
    for one in told:
        response_schema("ImageGenStreamEvent").validate(one.to_dict())
    made, again = closes(emulator, local_registry, "openai-images", tmp_path)
    [output] = made.manifest.outputs
    assert local_registry.assets.open(output.digest["blake3"]).read() == base64.b64decode(told[-1].b64_json)
    assert units_of(made) == {"images": 1, "partial_images": 2, "input_tokens": 12, "output_tokens": 272}
    replayed = again.replays[0].recorded.manifest
    assert units_of(again.replays[0].recorded) == units_of(made)
    assert replayed.outcome.latency_ms.first_partial is not None
    assert replayed.outcome.latency_ms.first_partial <= replayed.outcome.latency_ms.total
    assert len(replayed.outputs) == 1


def test_edits_as_events(emulator, client, local_registry, tmp_path, picture):
    with picture().open("rb") as image:
        told = list(client.images.edit(model=MODEL, prompt="fog", image=image, stream=True, partial_images=1))

    for one in told:
        response_schema("ImageEditStreamEvent").validate(one.to_dict())
    made, _ = closes(emulator, local_registry, "openai-image-edits", tmp_path)
    assert units_of(made)["partial_images"] == 1 and made.manifest.operation == "image.edit"
    assert made.manifest.settings["stream"] == "true"


def test_a_conversation_as_events(emulator, client, local_registry, tmp_path):
    tool = {"type": "image_generation", "partial_images": 2}
    told = list(client.responses.create(model="gpt-5.5-2026-04-23", input="a stone bridge", tools=[tool], stream=True))

    assert told[-1].type == "response.completed" and told[-1].response.output[0].result
    made, _ = closes(emulator, local_registry, "openai-responses", tmp_path)
    assert made.manifest.prompt.effective is not None and len(made.manifest.outputs) == 1
    assert units_of(made)["partial_images"] == 2


@pytest.mark.parametrize(
    ("form", "model"), [("json", "gpt-4o-transcribe"), ("diarized_json", "gpt-4o-transcribe-diarize")]
)
def test_words_as_events(emulator, client, local_registry, tmp_path, form, model):
    sound = tmp_path / "speech.wav"
    sound.write_bytes(media.wav("speech"))
    with sound.open("rb") as file:
        told = list(client.audio.transcriptions.create(model=model, file=file, response_format=form, stream=True))

    for one in told:
        response_schema("CreateTranscriptionResponseStreamEvent").validate(one.to_dict())
    made, _ = closes(emulator, local_registry, "openai-transcriptions", tmp_path)
    [output] = made.manifest.outputs
    assert output.media["words"] == len(told[-1].text.split())
    assert output.media["speakers"] == (1 if form == "diarized_json" else None)


@pytest.mark.parametrize("how", ["cut-after", "cut-body", "length"])
def test_events_that_are_cut_are_ambiguous_and_never_asked_for_again(bench, emulator, how):
    emulator.misbehave(how, method="POST")

    outcome = bench.call("openai-images", **PICTURE)

    assert outcome.class_ is OutcomeClass.AMBIGUOUS
    assert emulator.charges("openai") == 1 and outcome.outputs == ()


def test_an_error_among_the_events_is_the_end_of_the_call(bench, emulator):
    emulator.misbehave("broken-stream")

    outcome = bench.call("openai-images", **PICTURE)

    assert (outcome.class_, outcome.error) == (OutcomeClass.FAILED, "The worker ran out of memory.")


def test_a_refusal_before_the_first_event_is_blocked(bench, emulator):
    emulator.misbehave("blocked")

    outcome = bench.call("openai-images", **PICTURE)

    assert (outcome.class_, outcome.safety) == (OutcomeClass.BLOCKED, Safety.REFUSED)


def test_fewer_pictures_than_asked_for_are_omitted_in_events_too(bench, emulator):
    emulator.misbehave("fewer", left=1)

    assert bench.call("openai-images", **PICTURE, n="2").safety is Safety.OMITTED


def test_events_without_a_last_word_hold_no_answer(bench, emulator, monkeypatch):
    vendor = emulator.vendors["openai"]
    whole = type(vendor).generations

    def unfinished(request):
        reply = whole(vendor, request)
        reply.body = reply.body.partition(b"event: image_generation.completed")[0]
        return reply

    monkeypatch.setattr(vendor, "generations", unfinished)

    outcome = bench.call("openai-images", **PICTURE)

    assert outcome.class_ is OutcomeClass.MALFORMED and "event-stream" in outcome.error


def test_a_blocked_stream_is_recorded_as_it_ended(emulator, client, local_registry, tmp_path):
    emulator.misbehave("broken-stream")
    with pytest.raises(openai.APIError):
        list(client.images.generate(model=MODEL, prompt="x", stream=True))

    made, _ = recorded(emulator, local_registry, "openai-images", tmp_path)

    assert made.manifest.outcome.class_ == "failed" and made.manifest.outputs == []


LAST = {"type": "image_generation.completed", "b64_json": "AAAA"}
PART = {"type": "image_generation.partial_image", "b64_json": "BBBB"}


@pytest.mark.parametrize(
    "data",
    [
        events(PART, LAST),
        events(PART, LAST, end="[DONE]"),
        events(PART, LAST).replace(b"\n", b"\r\n"),
        events(PART, LAST).replace(b"\n", b"\r"),
        b": a comment\n\nretry: 10\n\n" + events(PART, LAST),
        b"\xef\xbb\xbf: a mark of the order of bytes\n\n" + events(PART, LAST),
        events(PART, LAST).rstrip(b"\n"),
        b'event: image_generation.partial_image\ndata: {"b64_json":\ndata: "BBBB"}\n\n' + events(LAST),
        events(PART, {"type": "keepalive"}, LAST),
    ],
)
def test_events_in_every_way_that_the_format_allows(data):
    told = final_answer(TOLD, data)

    assert b'"data": [{"b64_json": "AAAA"}]' in told and b'"partial_images": 1' in told
    place = first_part(TOLD, data)
    assert b"BBBB" in data[:place] and b"AAAA" not in data[:place]


@pytest.mark.parametrize(
    "data", [b"", b"data: {\n\n", b"data: [1]\n\n", b"\xff\xfe", b"data: " + b"[" * 100_000 + b"\n\n"]
)
def test_what_holds_no_last_event_stays_as_it_is(data):
    assert final_answer(TOLD, data) == data and final_answer(None, events(LAST)) == events(LAST)
    assert first_part(TOLD, data) is None
