"""Vendors that know a repeated request by its key: the header is sent, a cut request is sent again, as one call."""

from dataclasses import replace

import pytest

from registry.capture.description import load, shipped
from registry.capture.errors import BadDescription
from replay.outcome import OutcomeClass
from replay.provider import run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.pace import Pace

HEADER = "Idempotency-Key"


@pytest.fixture
def knowing(bench):
    """Sends to Replicate as if it knew requests by their key, which it does not say of itself."""
    told = shipped().by_id("replicate-models")
    description = replace(told, protocol=replace(told.protocol, idempotency=HEADER))
    pace = Pace(tries=3, pause=bench.pauses.append, draw=lambda: 0.5)
    provider = HttpProvider(description, bench.environment, pace)

    def send():
        call = bench.request("replicate-models", model="a/painter", prompt="a red sea")
        return run(provider, call, pause=lambda seconds: None)

    return send


def test_a_request_that_was_cut_is_sent_again_under_its_key_and_run_once(knowing, emulator):
    emulator.misbehave("cut-after", method="POST", times=2)

    outcome = knowing()

    assert (outcome.class_, outcome.attempts) == (OutcomeClass.SUCCEEDED, 3)
    posts = [request for request in emulator.seen if request.method == "POST"]
    assert {request.headers["idempotency-key"] for request in posts} == {"key-1"} and len(posts) == 3
    assert emulator.charges("replicate") == 1


@pytest.mark.parametrize("then", ["401", "500", "cut-before"])
def test_a_refusal_says_nothing_of_the_try_that_was_cut(knowing, emulator, then):
    emulator.misbehave("cut-after", method="POST")
    real = emulator.answer

    def refuse_from_now_on(request):
        del emulator.answer
        reply = real(request)
        emulator.misbehave(then, method="POST", times=9)
        return reply

    emulator.answer = refuse_from_now_on

    outcome = knowing()

    assert outcome.class_ is OutcomeClass.AMBIGUOUS and emulator.charges("replicate") == 1


def test_nobody_else_is_sent_a_key(bench, emulator):
    bench.call("replicate-models", model="a/painter", prompt="a red sea")

    assert all("idempotency-key" not in request.headers for request in emulator.seen)


@pytest.mark.parametrize(("cap", "header"), [("true", ""), ("false", f'idempotency = "{HEADER}"')])
def test_a_description_names_the_header_if_and_only_if_the_vendor_knows_keys(tmp_path, cap, header):
    text = f"""
id = "painter"
provider = "painter"
base_url = "https://api.painter.example"
hosts = ["api.painter.example"]
operation = "image.generate"
pin = []
caps = {{ seed = true, idempotency = {cap}, webhook = false, echoes_model = true }}
public = []
template = {{ body = {{}} }}
output = {{ kind = "url", expr = "body.pictures[].url" }}

[submit]
match = "POST /v1/{{model}}"
slots = {{ model = "path.model" }}
{header}
"""
    (tmp_path / "painter.toml").write_text(text)

    with pytest.raises(BadDescription, match=r"caps\.idempotency.*submit\.idempotency"):
        load(tmp_path / "painter.toml")
