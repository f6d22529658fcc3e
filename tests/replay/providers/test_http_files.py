"""Outputs of remote providers: cut, gone, too long, of another kind, or somewhere else than they should be."""

import pytest
from PIL import Image
from vendor_asks import ASKS, VENDOR, with_addresses

from replay.outcome import EndState, OutcomeClass
from replay.provider import run


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
