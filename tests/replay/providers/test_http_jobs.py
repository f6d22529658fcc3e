"""Jobs at remote providers: asked about, lost, stuck, canceled; and files that are sent ahead of them."""

from dataclasses import replace

import pytest
from vendor_asks import ASKS, VENDOR, with_addresses

from registry.capture.description import shipped
from replay.outcome import EndState, JobState, OutcomeClass
from replay.provider import run
from replay.providers.http.engine import HttpProvider


@with_addresses
def test_trouble_with_asking_leaves_the_job_running(bench, emulator, name):
    vendor = VENDOR[name]
    emulator.misbehave("503", at=f"/{vendor}/", method="GET", times=4)
    emulator.misbehave("cut-body", at=f"/{vendor}/", method="GET", times=2)

    outcome = bench.call(name, **ASKS[name])

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.attempts > 4 and emulator.charges(vendor) == 1


@pytest.mark.parametrize(
    ("header", "value", "pause"),
    [("retry-after", "7", 7.0), ("retry-after-ms", "2500", 2.5), ("retry-after", "x", None)],
)
def test_a_job_is_asked_about_when_its_vendor_says(bench, emulator, monkeypatch, header, value, pause):
    vendor = emulator.vendors["wavespeed"]
    plain = vendor.answer

    def answer(request):
        reply = plain(request)
        reply.headers[header] = value
        return reply

    monkeypatch.setattr(vendor, "answer", answer)
    monkeypatch.setattr(vendor, "patience", 3)
    pauses = []

    name = "wavespeed-predictions"
    outcome = run(bench.provider(name), bench.request(name, **ASKS[name]), limit_s=600, pause=pauses.append)

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert len(pauses) >= 3
    assert set(pauses) == {pause} if pause else pauses == sorted(pauses) and len(set(pauses)) > 1


def test_a_state_that_the_description_does_not_know_is_told_by_name(bench, emulator):
    emulator.misbehave("stuck", times=10_000)
    described = shipped().by_id("wavespeed-predictions")
    known = {word: state for word, state in described.protocol.poll.states.items() if state == "succeeded"}
    poll = replace(described.protocol.poll, states=known)
    changed = replace(described, protocol=replace(described.protocol, poll=poll))
    asked = bench.request("wavespeed-predictions", **ASKS["wavespeed-predictions"])
    ticks = iter(range(1000))

    outcome = run(HttpProvider(changed, bench.environment), replace(asked, description=changed), limit_s=20,
                  pause=lambda seconds: None, clock=lambda: float(next(ticks)))  # fmt: skip

    assert outcome.class_ is OutcomeClass.TIMEOUT
    assert "last seen 'processing', which its description's poll.map lacks" in outcome.error


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
