"""Remote providers against emulated vendors: every way a request can end, and no POST sent twice on a guess."""

import email.utils
import socket
import threading
from dataclasses import replace

import pytest
from vendor_asks import ASKS, VENDOR, every_vendor, look_at

from registry.capture.description import shipped
from replay.outcome import EndState, OutcomeClass, Safety
from replay.provider import run
from replay.providers.http.engine import HttpProvider


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


@pytest.mark.parametrize("value", ["a\r\nb: c", "späß", " a", "\ud800", "a\x00"])
def test_a_header_that_cannot_be_sent_is_told_and_nothing_is_sent(bench, emulator, value):
    provider = bench.provider("openai-images")
    provider._channel._headers = {"X-V": value}

    outcome = run(provider, bench.request("openai-images", **ASKS["openai-images"]))

    assert (outcome.class_, outcome.attempts, bench.pauses) == (OutcomeClass.UNSUPPORTED, 1, [])
    assert outcome.error.startswith("not sent, as the request cannot be written: header 'x-v' holds something else")
    assert not emulator.seen


@pytest.mark.parametrize("name", ["späß", "x v", ""])
def test_what_the_client_finds_wrong_before_it_writes_was_not_sent(bench, emulator, name):
    provider = bench.provider("openai-images")
    provider._channel._headers = {name: "1"}

    outcome = run(provider, bench.request("openai-images", **ASKS["openai-images"]))

    assert (outcome.class_, outcome.attempts) == (OutcomeClass.UNSUPPORTED, 1)
    assert outcome.error.startswith("not sent, as the request cannot be written: ")
    assert not emulator.seen


def test_a_local_description_is_no_remote_one():
    with pytest.raises(TypeError):
        HttpProvider(shipped().by_id("procedural-image"), {})
