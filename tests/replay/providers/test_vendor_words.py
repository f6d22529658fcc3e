"""What single vendors say in ways of their own, read by their descriptions."""

import pytest

from registry.capture.description import shipped
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


def test_the_hosts_of_flux_are_those_of_its_interface_and_none_where_files_lie():
    hosts = shipped().by_id("bfl-generate").hosts

    assert all(host.startswith("api.") and host.endswith("bfl.ai") for host in hosts)


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
