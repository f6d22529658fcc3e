"""Remote providers against emulated vendors: every way a call can end, and no POST sent twice on a guess."""

import email.utils
import socket
import threading
from dataclasses import replace

import av
import pytest
from PIL import Image

from drift.media.transcript import read_transcript
from registry.capture.description import shipped
from replay.errors import BadAddress, SecretMissing, SecretUnreadable
from replay.outcome import EndState, JobState, OutcomeClass, Safety
from replay.provider import run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.secrets import key_of, place_of

ASKS = {
    "assemblyai-transcripts": {"model": "universal-2", "audio_url": "https://example.com/speech.wav"},
    "automatic1111-img2img": {"model": "6ce0161689", "prompt": "a stone bridge", "seed": "7"},
    "automatic1111-txt2img": {"model": "6ce0161689", "prompt": "a stone bridge", "seed": "7"},
    "comfyui-prompt": {"model": "dreams.safetensors", "prompt": "a stone bridge", "seed": "7"},
    "deepgram-listen": {"model": "nova-3", "version": "2025-04-17.21547"},
    "openai-responses": {"model": "gpt-5.5-2026-04-23", "prompt": "a stone bridge"},
    "openai-transcriptions": {"model": "gpt-transcribe", "prompt": "harbour"},
    "openai-videos": {"model": "film-1", "prompt": "waves"},
    "bfl-generate": {"model": "flux-2-pro", "prompt": "a stone bridge", "seed": "7"},
    "bfl-edits": {"model": "flux-kontext-pro", "prompt": "more fog", "seed": "7"},
    "elevenlabs-speech": {"model": "eleven_multilingual_v2", "voice": "JBFqnCBsd6", "prompt": "good day", "seed": "7"},
    "elevenlabs-music": {"model": "music_v1", "prompt": "a slow song"},
    "elevenlabs-sounds": {"model": "eleven_text_to_sound_v2", "prompt": "rain on a tin roof"},
    "elevenlabs-transcribe": {"model": "scribe_v2", "seed": "7"},
    "fal-queue": {"model": "fal-ai/flux/dev", "prompt": "a stone bridge", "seed": "7"},
    "google-gemini-images": {"api_version": "v1", "model": "gemini-3-pro-image", "prompt": "a bridge", "seed": "7"},
    "google-gemini-edits": {"api_version": "v1", "model": "gemini-3-pro-image", "prompt": "more fog", "seed": "7"},
    "google-imagen": {"api_version": "v1", "model": "imagen-4.0-generate-001", "prompt": "a bridge", "seed": "7"},
    "openai-images": {"model": "gpt-image-2-2026-04-21", "prompt": "a stone bridge"},
    "wavespeed-predictions": {"model": "wavespeed-ai/flux-dev", "prompt": "a stone bridge", "seed": "7"},
    "stability-generate": {"model": "core", "prompt": "a stone bridge", "seed": "7"},
    "replicate-models": {"model": "black-forest-labs/flux-schnell", "prompt": "a stone bridge", "seed": "7"},
    "replicate-predictions": {"model": "ab" * 32, "prompt": "a stone bridge", "seed": "7"},
}
VENDOR = {name: name.partition("-")[0] for name in ASKS}
every_vendor = pytest.mark.parametrize("name", ASKS)
# Whoever takes no key is an engine of one's own, whose files lie where it answers.
BY_ADDRESS = [one for one in ASKS if shipped().by_id(one).protocol.outputs.kind == "url" and shipped().by_id(one).auth]
with_addresses = pytest.mark.parametrize("name", BY_ADDRESS)


def look_at(path, operation):
    """Whether a file is what the operation makes, for readers that know nothing of it."""
    making = operation.partition(".")[0]
    if making == "image":
        with Image.open(path) as picture:
            picture.load()
    elif operation == "audio.transcribe":
        assert read_transcript(path).segments
    else:
        with av.open(str(path)) as container:
            assert next(container.decode(video=0) if making == "video" else container.decode(audio=0))


@every_vendor
def test_a_call_makes_a_file_and_is_charged_once(bench, emulator, name):
    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.state is EndState.SUCCEEDED and outcome.attempts == 1 and outcome.error is None
    assert outcome.request_id or "request_id" not in shipped().by_id(name).protocol.facts
    look_at(outcome.outputs[0].path, shipped().by_id(name).operation_of(ASKS[name]["model"]))
    assert emulator.charges(VENDOR[name]) == 1
    assert emulator.leaks == []


@pytest.mark.parametrize(
    ("name", "seed"), [("stability-generate", "7"), ("replicate-models", "7"), ("openai-images", None)]
)
def test_the_seed_used_is_read_where_the_vendor_hides_it(bench, name, seed):
    assert bench.call(name, **ASKS[name]).actual_seed == seed


def test_a_seed_that_the_vendor_drew_is_known_too(bench):
    drawn = bench.call("stability-generate", model="core", prompt="x")

    assert drawn.actual_seed.isdigit() and drawn.actual_seed != "0"


@every_vendor
def test_a_connection_that_is_closed_before_sending_was_read_is_ambiguous(bench, emulator, name):
    emulator.misbehave("cut-before", method="POST")

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.state) == (OutcomeClass.AMBIGUOUS, EndState.UNKNOWN)
    assert emulator.charges(VENDOR[name]) == 0 and bench.pauses == []


@every_vendor
@pytest.mark.parametrize("how", ["cut-after", "cut-body", "length"])
def test_a_post_cut_after_sending_is_ambiguous_and_never_sent_again(bench, emulator, name, how):
    emulator.misbehave(how, method="POST")

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.state) == (OutcomeClass.AMBIGUOUS, EndState.UNKNOWN)
    assert "may have been carried out and billed" in outcome.error
    assert emulator.charges(VENDOR[name]) == 1
    assert len([seen for seen in emulator.seen if seen.method == "POST"]) == 1


@every_vendor
def test_without_a_connection_the_request_is_tried_again_and_counted(bench, emulator, name):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    bench.environment[f"MINTMARK_BASE_URL_{VENDOR[name].upper()}"] = address

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.RETRYABLE and outcome.attempts == 3
    assert bench.pauses == [0.25, 0.5], "full jitter, half drawn, doubling"
    assert emulator.charges(VENDOR[name]) == 0


def test_a_server_that_comes_up_meanwhile_gets_the_request_once(bench, emulator):
    """A real socket refuses twice, then a relay to the emulator listens there."""
    relay = _Relay(emulator.port)
    bench.environment["MINTMARK_BASE_URL_OPENAI"] = f"http://127.0.0.1:{relay.port}/openai"
    provider = bench.provider("openai-images")
    object.__setattr__(provider._pace, "pause", lambda seconds: relay.listen())

    outcome = run(provider, bench.request("openai-images", **ASKS["openai-images"]))

    relay.close()
    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.attempts == 2 and emulator.charges("openai") == 1


class _Relay:
    """A port that refuses until ``listen``, then passes bytes on."""

    def __init__(self, target):
        self.target, self.socket = target, socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def listen(self):
        self.socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        near, _ = self.socket.accept()
        far = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        self._pump(far, near)

    def _pump(self, source, target):
        while data := source.recv(65536):
            target.sendall(data)

    def close(self):
        self.socket.close()


@pytest.mark.parametrize(
    ("wish", "waited"),
    [
        ({"retry_after": 7}, 7.0),
        ({"retry_after_date": 1_800_000_009}, 9.0),
        ({"retry_after_ms": 2500}, 2.5),
        ({"retry_after": "soon"}, 0.25),
        ({}, 0.25),
    ],
)
def test_where_the_vendor_says_that_nothing_ran_its_wish_is_the_least_wait(bench, emulator, wish, waited):
    emulator.misbehave("429", method="POST", **wish)

    outcome = bench.call("openai-images", **ASKS["openai-images"])

    assert outcome.class_ is OutcomeClass.SUCCEEDED and outcome.attempts == 2
    assert bench.pauses == [waited]


def test_where_it_does_not_say_so_a_429_is_the_end(bench, emulator):
    emulator.misbehave("429", method="POST", retry_after=1)

    outcome = bench.call("wavespeed-predictions", **ASKS["wavespeed-predictions"])

    assert outcome.class_ is OutcomeClass.RETRYABLE and outcome.attempts == 1 and bench.pauses == []


def test_a_vendor_that_asks_for_minutes_is_left_alone(bench, emulator):
    emulator.misbehave("429", method="POST", retry_after=3600)

    outcome = bench.call("openai-images", **ASKS["openai-images"])

    assert outcome.class_ is OutcomeClass.RETRYABLE and bench.pauses == []


@every_vendor
@pytest.mark.parametrize(
    ("status", "class_"),
    [
        ("500", OutcomeClass.RETRYABLE),
        ("503", OutcomeClass.RETRYABLE),
        ("502", OutcomeClass.AMBIGUOUS),
        ("504", OutcomeClass.AMBIGUOUS),
        ("402", OutcomeClass.QUOTA),
        ("403", OutcomeClass.AUTH),
        ("422", OutcomeClass.REJECTED),
    ],
)
def test_a_status_without_a_rule_has_its_class_and_is_never_sent_again(bench, emulator, name, status, class_):
    emulator.misbehave(status, method="POST", times=5)

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is class_ and outcome.http_status == int(status)
    assert len(emulator.seen) == 1 and outcome.error


@pytest.mark.parametrize("name", [name for name in ASKS if shipped().by_id(name).auth])
def test_a_wrong_key_is_told_without_the_key(bench, name, monkeypatch):
    bench.environment[shipped().by_id(name).auth.secret] = "sk-wrong-0123456789"

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.AUTH
    assert "sk-wrong" not in str(outcome)


def test_a_vendor_that_repeats_the_key_in_its_error_does_not_get_it_recorded(bench, emulator):
    bench.environment["OPENAI_API_KEY"] = "sk-wrong-0123456789"
    emulator.misbehave("401", body={"error": {"message": "Incorrect API key provided: sk-wrong-0123456789."}})

    outcome = bench.call("openai-images", **ASKS["openai-images"])

    assert outcome.error == "Incorrect API key provided: [secret]."


MODERATED = (
    "openai-images", "wavespeed-predictions", "stability-generate", "replicate-models", "bfl-generate", "bfl-edits",
    "elevenlabs-speech", "elevenlabs-music", "elevenlabs-sounds", "elevenlabs-transcribe", "fal-queue",
    "google-gemini-images", "google-gemini-edits", "google-imagen",
)  # fmt: skip


@pytest.mark.parametrize("name", MODERATED)
def test_a_refusal_in_each_vendors_words_is_blocked(bench, emulator, name):
    emulator.misbehave("blocked")

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.safety) == (OutcomeClass.BLOCKED, Safety.REFUSED)
    assert outcome.outputs == () and outcome.error


@pytest.mark.parametrize("name", ["wavespeed-predictions", "replicate-models", "bfl-generate", "fal-queue"])
def test_a_job_that_failed_is_told_apart_from_a_refusal(bench, emulator, name):
    emulator.misbehave("failed")

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.state) == (OutcomeClass.FAILED, EndState.FAILED)
    assert "memory" in outcome.error


@pytest.mark.parametrize("name", ["stability-generate", "fal-queue"])
def test_a_blurred_picture_is_altered(bench, emulator, name):
    emulator.misbehave("filtered")

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.safety) == (OutcomeClass.SUCCEEDED, Safety.ALTERED)


@pytest.mark.parametrize("name", ["openai-images", "google-gemini-images", "elevenlabs-speech", "fal-queue"])
def test_quota_is_told_apart_from_a_rate_limit(bench, emulator, name):
    emulator.misbehave("quota")

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.QUOTA and bench.pauses == []


@pytest.mark.parametrize("name", ["openai-images", "google-imagen"])
def test_fewer_outputs_than_asked_for_are_omitted(bench, emulator, name):
    emulator.misbehave("fewer", left=1)

    outcome = bench.call(name, **ASKS[name], n="3")

    assert (outcome.class_, outcome.safety, len(outcome.outputs)) == (OutcomeClass.SUCCEEDED, Safety.OMITTED, 1)


def test_no_output_at_all_is_malformed(bench, emulator):
    emulator.misbehave("fewer")

    outcome = bench.call("wavespeed-predictions", **ASKS["wavespeed-predictions"])

    assert (outcome.class_, outcome.state) == (OutcomeClass.MALFORMED, EndState.SUCCEEDED)


def test_base64_that_is_none_is_malformed(bench, emulator):
    emulator.misbehave("malformed")

    outcome = bench.call("openai-images", **ASKS["openai-images"])

    assert outcome.class_ is OutcomeClass.MALFORMED and "base64" in outcome.error


@every_vendor
def test_a_web_page_instead_of_an_answer_is_malformed(bench, emulator, name):
    emulator.misbehave("html", method="POST")

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.MALFORMED
    assert list(outcome.outputs) == []


@with_addresses
@pytest.mark.parametrize("how", ["cut-before", "cut-body", "length", "503", "429"])
def test_a_file_that_is_cut_on_its_way_is_taken_again(bench, emulator, name, how):
    emulator.misbehave(how, at="/cdn/", method="GET", times=2)

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.attempts == 3 and emulator.charges(VENDOR[name]) == 1
    with Image.open(outcome.outputs[0].path) as picture:
        picture.load()


@with_addresses
@pytest.mark.parametrize("how", ["cut-body", "length"])
def test_a_file_that_never_comes_whole_leaves_nothing_behind(bench, emulator, name, how):
    emulator.misbehave(how, at="/cdn/", method="GET", times=9)
    asked = bench.request(name, **ASKS[name])

    outcome = run(bench.provider(name), asked, pause=lambda seconds: None)

    assert (outcome.class_, outcome.state) == (OutcomeClass.MALFORMED, EndState.SUCCEEDED)
    assert list(asked.workdir.iterdir()) == []


@with_addresses
def test_an_address_that_has_run_out_is_expired_and_not_repeated_in_the_error(bench, emulator, name):
    emulator.misbehave("expired", times=9)

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.state) == (OutcomeClass.EXPIRED, EndState.SUCCEEDED)
    assert "Signature" not in outcome.error


@with_addresses
def test_a_file_that_is_too_long_or_no_picture_is_malformed(bench, emulator, name):
    long = bench.call(name, most=100, **ASKS[name])
    emulator.misbehave("html", at="/cdn/")
    page = bench.call(name, **ASKS[name])

    assert long.class_ is page.class_ is OutcomeClass.MALFORMED
    assert "longer than 100 bytes" in long.error and "text/html" in page.error


def test_a_redirect_to_another_host_never_carries_the_key(bench, emulator):
    elsewhere = emulator.put(b"{}", "application/json")
    emulator.misbehave("redirect", at="/result", method="GET", to=elsewhere, times=1)

    bench.call("wavespeed-predictions", **ASKS["wavespeed-predictions"])

    assert any(seen.path.startswith("/cdn/") for seen in emulator.seen)
    assert emulator.leaks == []


def test_a_redirect_to_nowhere_leaves_the_job_running(bench, emulator):
    emulator.misbehave("redirect", at="/result", method="GET", to="http://[::", times=1)
    emulator.misbehave("redirect", at="/result", method="GET", to="http://exa mple/", times=1)

    assert bench.call("wavespeed-predictions", **ASKS["wavespeed-predictions"]).class_ is OutcomeClass.SUCCEEDED


def test_a_redirected_request_is_not_sent_on(bench, emulator):
    emulator.misbehave("redirect", method="POST", to=f"{emulator.url('wavespeed')}/x", status=307)

    outcome = bench.call("openai-images", **ASKS["openai-images"])

    assert outcome.class_ is OutcomeClass.REJECTED and len(emulator.seen) == 1


@with_addresses
def test_trouble_with_asking_leaves_the_job_running(bench, emulator, name):
    vendor = VENDOR[name]
    emulator.misbehave("503", at=f"/{vendor}/", method="GET", times=4)
    emulator.misbehave("cut-body", at=f"/{vendor}/", method="GET", times=2)

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.attempts > 4 and emulator.charges(vendor) == 1


@with_addresses
def test_a_job_that_was_lost_is_expired(bench, emulator, name):
    emulator.misbehave("lost", times=9)

    outcome = bench.call(name, **ASKS[name])

    assert (outcome.class_, outcome.state) == (OutcomeClass.EXPIRED, EndState.EXPIRED)
    assert "no longer knows" in outcome.error


@pytest.mark.parametrize(
    ("name", "state"), [("replicate-models", EndState.CANCELED), ("wavespeed-predictions", EndState.UNKNOWN)]
)
def test_a_job_that_is_stuck_times_out_and_is_canceled_where_it_can_be(bench, emulator, name, state):
    emulator.misbehave("stuck", times=10_000)
    asked = bench.request(name, **ASKS[name])
    ticks = iter(range(1000))

    outcome = run(bench.provider(name), asked, limit_s=20, pause=lambda seconds: None, clock=lambda: float(next(ticks)))

    assert (outcome.class_, outcome.state) == (OutcomeClass.TIMEOUT, state)


def test_cancel_asks_the_vendor(bench):
    provider = bench.provider("replicate-models")
    job = provider.submit(bench.request("replicate-models", **ASKS["replicate-models"]))

    canceled = provider.cancel(job)

    assert canceled.state is JobState.CANCELED
    assert provider.fetch(canceled).class_ is OutcomeClass.CANCELED
    assert provider.cancel(canceled) == canceled


def test_an_edit_sends_the_very_bytes_of_its_files(bench, emulator, picture):
    first, second = picture("a.png", seed=1), picture("b.png", seed=2)
    inputs = [("image", first, "image/png"), ("image", second, "image/png"), ("mask", first, "image/png")]

    outcome = bench.call("openai-image-edits", inputs, **ASKS["openai-images"])

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    sent = emulator.seen[0].form()
    files = [(name, kind, content) for name, filename, kind, content in sent if filename]
    assert files == [
        ("image[]", "image/png", first.read_bytes()),
        ("image[]", "image/png", second.read_bytes()),
        ("mask", "image/png", first.read_bytes()),
    ]
    assert not any(name and "a.png" in name for _, name, _, _ in sent), "a file's own name is private"


def test_what_is_sent_ahead_stands_in_the_request_by_its_address(bench, emulator, picture):
    source = picture()

    outcome = bench.call(
        "wavespeed-predictions", [("image", source, "image/png")], model="wavespeed-ai/flux-kontext", prompt="x"
    )

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.latency_ms["upload"] is not None
    address = emulator.seen[2].json["image"]
    assert emulator.files[address.rpartition("/")[2]][0] == source.read_bytes()
    assert emulator.leaks == [], "the address of an upload is no place for the key"


def test_a_file_that_does_not_arrive_costs_nothing(bench, emulator, picture):
    emulator.misbehave("500", at="/cdn/", method="PUT")

    outcome = bench.call(
        "wavespeed-predictions", [("image", picture(), "image/png")], model="wavespeed-ai/flux-kontext", prompt="x"
    )

    assert outcome.class_ is OutcomeClass.FAILED and "could not be uploaded" in outcome.error
    assert emulator.charges("wavespeed") == 0


def test_a_missing_key_is_named_with_every_place_it_could_be():
    description = shipped().by_id("openai-images")

    with pytest.raises(SecretMissing, match="MINTMARK_SECRET_STAGING_OPENAI_API_KEY") as caught:
        key_of(description, {"MINTMARK_ENV": "staging"})

    assert caught.value.exit_code == 3
    assert "OPENAI_API_KEY_FILE" in str(caught.value)


def test_the_key_of_an_environment_comes_before_the_plain_one_and_a_file_will_do(tmp_path):
    description = shipped().by_id("openai-images")
    file = tmp_path / "key"
    file.write_text("sk-file\n")

    both = {"MINTMARK_ENV": "staging", "MINTMARK_SECRET_STAGING_OPENAI_API_KEY": "sk-staging", "OPENAI_API_KEY": "sk"}
    assert key_of(description, both).value == "Bearer sk-staging"
    assert key_of(description, {"OPENAI_API_KEY_FILE": str(file)}).value == "Bearer sk-file"
    assert "sk-" not in repr(key_of(description, both))
    file.write_text("sk-file and more\n")
    with pytest.raises(SecretUnreadable) as caught:
        key_of(description, {"OPENAI_API_KEY_FILE": str(file)})
    assert "sk-file" not in str(caught.value)
    with pytest.raises(SecretUnreadable):
        key_of(description, {"OPENAI_API_KEY": "sk-ключ"})


def test_another_address_takes_the_key_with_it_and_nobody_else_gets_it():
    description = shipped().by_id("openai-images")

    place = place_of(description, {"MINTMARK_BASE_URL_OPENAI": "http://127.0.0.1:9000/v9/"})

    assert (place.base_url, place.hosts) == ("http://127.0.0.1:9000/v9", ("127.0.0.1:9000",))
    assert place_of(description, {}).hosts == ("api.openai.com",)
    for bad in ("ftp://x", "http://", "https://user:pw@host", "nonsense"):
        with pytest.raises(BadAddress) as caught:
            place_of(description, {"MINTMARK_BASE_URL_OPENAI": bad})
        assert "pw" not in str(caught.value)


def test_proxies_of_the_environment_are_not_looked_at(bench, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert bench.call("openai-images", **ASKS["openai-images"]).class_ is OutcomeClass.SUCCEEDED


def test_a_date_in_the_past_asks_for_no_wait(bench, emulator):
    emulator.misbehave("429", method="POST", retry_after=email.utils.formatdate(0, usegmt=True))

    bench.call("openai-images", **ASKS["openai-images"])

    assert bench.pauses == [0.25]


def test_an_answer_that_takes_too_long_is_ambiguous_too(bench, emulator):
    emulator.misbehave("slow", method="POST", seconds=0.5)
    provider = bench.provider("openai-images")
    provider._protocol = replace(provider._protocol, timeout_s=0.05)

    outcome = run(provider, bench.request("openai-images", **ASKS["openai-images"]))

    assert outcome.class_ is OutcomeClass.AMBIGUOUS and "ReadTimeout" in outcome.error
    assert len(emulator.seen) == 1


def test_an_address_from_a_hostile_vendor_is_an_outcome(bench, emulator, monkeypatch):
    for address in (
        "http://[::",
        "http://exa mple/x",
        "http://x:99999999/",
        "http://127.0.0.1:1/x",
        "https://nobody.invalid/x",
        "/" + "x" * 3000,
    ):
        monkeypatch.setattr(emulator, "put", lambda data, kind, address=address: address)

        outcome = bench.call("wavespeed-predictions", **ASKS["wavespeed-predictions"])

        assert outcome.class_ in (OutcomeClass.MALFORMED, OutcomeClass.EXPIRED, OutcomeClass.AUTH), address
        assert outcome.error


def test_a_local_description_is_no_remote_one():
    with pytest.raises(TypeError):
        HttpProvider(shipped().by_id("procedural-image"), {})
