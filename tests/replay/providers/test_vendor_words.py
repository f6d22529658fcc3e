"""What single vendors say in ways of their own, read by their descriptions."""

import json
from dataclasses import replace

import pytest

from registry.capture.answers import Answer, document_of
from registry.capture.description import shipped
from registry.capture.hosts import host_allowed
from replay.outcome import EndState, OutcomeClass, Safety
from replay.provider import run

GEMINI = {"api_version": "v1", "model": "gemini-3-pro-image", "prompt": "a bridge"}
IMAGEN = {"api_version": "v1", "model": "imagen-4.0-generate-001", "prompt": "a bridge"}
FAL = {"model": "fal-ai/flux/dev", "prompt": "a bridge"}
FLUX = {"model": "flux-2-pro", "prompt": "a bridge"}


def test_a_picture_that_gemini_filters_after_making_it_is_blocked(bench, emulator):
    emulator.misbehave("filtered")

    outcome = bench.call("google-gemini-images", **GEMINI)

    assert (outcome.class_, outcome.safety, outcome.http_status) == (OutcomeClass.BLOCKED, Safety.REFUSED, 200)
    assert "filtered out" in outcome.error


def test_words_where_a_picture_was_asked_for_are_a_failure_and_no_refusal(bench, emulator):
    emulator.misbehave("words")

    outcome = bench.call("google-gemini-images", **GEMINI)

    assert (outcome.class_, outcome.safety) == (OutcomeClass.FAILED, Safety.UNKNOWN)


def test_a_draft_on_the_way_is_no_output(bench):
    outcome = bench.call("google-gemini-images", **GEMINI, n="2")

    assert len(outcome.outputs) == 2 and outcome.served_model == "gemini-3-pro-image"


def test_imagen_that_keeps_silent_about_filtered_pictures_has_blocked_them(bench, emulator):
    emulator.misbehave("blocked")
    asked = bench.request("google-imagen", **IMAGEN)
    asked.request.body["parameters"] = {}

    outcome = run(bench.provider("google-imagen"), asked, pause=lambda seconds: None)

    assert (outcome.class_, outcome.http_status) == (OutcomeClass.BLOCKED, 200)


def test_flux_that_is_moderated_after_making_it_is_blocked(bench, emulator):
    emulator.misbehave("filtered")

    outcome = bench.call("bfl-generate", **FLUX)

    assert (outcome.class_, outcome.error) == (OutcomeClass.BLOCKED, "Content Moderated")


def test_flux_says_which_seed_it_drew_and_what_it_cost(bench):
    outcome = bench.call("bfl-generate", **FLUX)

    assert outcome.actual_seed.isdigit()
    assert (outcome.cost.amount, outcome.cost.currency) == ("3", "bfl-credits")


def test_flux_makes_films_too(bench):
    outcome = bench.call("bfl-generate", model="flux-3-video", prompt="waves", duration="5")

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.outputs[0].media_type == "video/mp4"


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("api.bfl.ai", True), ("api.eu7.bfl.ai", True), ("API.US.bfl.ai", True), ("delivery-eu1.bfl.ai", False),
        ("api.a.b.bfl.ai", False), ("api..bfl.ai", False), ("api.eu.bfl.ai.example.com", False),
        ("api.eu.bfl.ai:8443", False), ("xapi.eu.bfl.ai", False), ("api.eu_bfl.ai", False), ("api.x@bfl.ai", False),
    ],
)  # fmt: skip
def test_the_key_goes_to_every_region_of_flux_and_never_to_where_files_lie(host, may):
    assert host_allowed(host, shipped().by_id("bfl-generate").hosts) is may


def test_gemini_has_a_version_of_its_interface_where_none_is_given(bench, emulator):
    asked = {name: value for name, value in GEMINI.items() if name != "api_version"}

    assert bench.call("google-gemini-images", **asked).class_ is OutcomeClass.SUCCEEDED
    assert bench.call("google-gemini-images", **GEMINI).class_ is OutcomeClass.SUCCEEDED
    assert [seen.path.split("/")[2] for seen in emulator.seen] == ["v1beta", "v1"]


def test_what_a_description_redacts_of_the_answer_is_not_in_its_document():
    description = shipped().by_id("deepgram-listen")
    description = replace(description, redact=("response.metadata.sha256", "response.results.channels[].secret"))
    body = {"metadata": {"sha256": "x", "models": []}, "results": {"channels": [{"secret": "y", "a": 1.50}]}}

    document = json.loads(document_of(description, Answer(200, {}, body)))

    assert document == {"metadata": {"models": []}, "results": {"channels": [{"a": 1.5}]}}


def test_times_of_assemblyai_are_seconds_wherever_they_stand():
    word = {"text": "the", "start": 250, "end": 1234}
    body = {"text": "the", "words": [word, word], "utterances": [{**word, "words": [word]}], "chapters": None,
            "entities": [{"text": "the", "start": 0, "end": None}], "audio_url": "https://x/?sig=1"}  # fmt: skip

    document = json.loads(document_of(shipped().by_id("assemblyai-transcripts"), Answer(200, {}, body)))

    heard = {"text": "the", "start": 0.25, "end": 1.234}
    assert document["words"] == [heard, heard] and document["segments"] == [{**heard, "words": [heard]}]
    assert document["entities"] == [{"text": "the", "start": 0.0, "end": None}] and "audio_url" not in document


def test_what_is_wrong_with_a_request_is_told_where_fals_result_would_be(bench):
    outcome = bench.call("fal-queue", model="fal-ai/flux/dev", seed="7")

    assert (outcome.class_, outcome.error) == (OutcomeClass.REJECTED, "field required")


def test_a_request_that_fals_queue_gave_up_has_failed(bench, emulator):
    emulator.misbehave("given-up")

    outcome = bench.call("fal-queue", **FAL)

    assert (outcome.class_, outcome.error) == (OutcomeClass.FAILED, "Runner disconnected")


@pytest.mark.parametrize(
    ("fault", "class_"), [("403", OutcomeClass.EXPIRED), ("404", OutcomeClass.EXPIRED), ("503", OutcomeClass.MALFORMED)]
)
def test_a_result_that_is_out_of_reach_is_no_word_of_the_model(bench, emulator, fault, class_):
    emulator.misbehave(fault, at="/requests/[0-9a-f]+$", method="GET", times=9)

    outcome = bench.call("fal-queue", **FAL)

    assert (outcome.class_, outcome.state) == (class_, EndState.SUCCEEDED)
    assert "the result is gone" in outcome.error


@pytest.mark.parametrize(
    ("model", "words", "media_type"),
    [
        ("fal-ai/kling-video/v2/text-to-video", {"prompt": "waves"}, "video/mp4"),
        ("fal-ai/minimax/speech-02-hd", {"text": "good day"}, "audio/mpeg"),
        ("fal-ai/flux/dev", {"prompt": "waves"}, "image/png"),
    ],
)
def test_fal_makes_what_the_name_of_the_model_says(bench, model, words, media_type):
    outcome = bench.call("fal-queue", model=model, **words)

    assert [one.media_type for one in outcome.outputs] == [media_type], outcome.error


def test_a_voice_of_elevenlabs_sounds_in_the_form_that_was_asked_for(bench):
    words = {"model": "eleven_v3", "voice": "v-1", "prompt": "good day", "output_format": "wav_16000"}

    outcome = bench.call("elevenlabs-speech", **words)

    assert outcome.outputs[0].media_type == "audio/wav" and outcome.cost.units == {"characters": 14}
