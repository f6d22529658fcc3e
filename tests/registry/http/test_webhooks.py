"""Deliveries through the door: signed ones wake what waits, everything else is told what is wrong with it."""

import json
import os
import time

import pytest
from emulator.callbacks import SECRETS, delivery, jwks, signed

from registry.capture.webhooks import BODY_BYTES
from registry.http.published_keys import PAUSE_S, PublishedKeys

PROVIDERS = ["replicate", "wavespeed", "fal", "assemblyai", "deepgram"]


@pytest.fixture
def door(standing, emulator, monkeypatch):
    """The client, and what was woken: ``door.woken``; it knows each delivery once."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    app = standing.app
    woken = []

    def wake(*delivered):
        if delivered in woken:
            return False
        woken.append(delivered)
        return True

    before = app.state.wake
    app.state.wake, app.state.published_keys, standing.woken = wake, PublishedKeys(), woken
    yield standing
    app.state.wake = before


def job_of(emulator, provider):
    made = emulator.vendors[provider]
    if provider == "assemblyai":
        return made.new_job(asked_for={})
    asked = {"input": {"prompt": "x"}, "asked_for": {"prompt": "x"}, "model": "a/b", "number": 1, "kind": "image"}
    words = {"blocked": None, "failed": None, "filtered": None}
    return made.new_job(version="hidden", fewer=None, words=words, **asked, **{"blocked": None, "failed": None})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_signed_delivery_wakes_its_job_once_and_is_never_sent_again(door, emulator, provider):
    job = job_of(emulator, provider)
    if provider == "fal":
        emulator.vendors["fal"].jobs[job]["input"] = {"prompt": "x"}
    headers, body = delivery(emulator, provider, job, at=time.time())

    first, again = (door.client.post(f"/v1/webhooks/{provider}", content=body, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code, again.content) == (202, 204, b"")
    assert first.json()["job"] == job
    assert [(name, woken) for name, woken, _ in door.woken] == [(provider, job)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_forged_one_wakes_nothing(door, provider):
    body = json.dumps({"id": "job-1"}).encode()
    forged = {name: value[:-8] + "AAAAAAAA" for name, value in SECRETS.items()}
    headers = signed(provider, body, at=time.time(), secrets=forged)
    if provider == "fal":
        body += b" "

    refused = door.client.post(f"/v1/webhooks/{provider}", content=body, headers=headers)

    assert (refused.status_code, refused.json()["type"]) == (401, "urn:mintmark:problem:delivery-forged")
    assert door.woken == []


def test_one_that_is_late_cut_too_long_or_for_nobody_is_told_so(door):
    body = json.dumps({"id": "job-1", "status": "succeeded"}).encode()
    headers = signed("replicate", body, at=time.time())
    late = signed("replicate", body, at=time.time() - 1000)
    kinds = {}
    for name, (provider, sent, content) in {
        "late": ("replicate", late, body),
        "cut": ("replicate", headers, body[:-3]),
        "bare": ("replicate", {}, body),
        "long": ("replicate", headers, b" " * (BODY_BYTES + 1)),
        "nobody": ("nobody", headers, body),
        "silent": ("stability", headers, body),
    }.items():
        refused = door.client.post(f"/v1/webhooks/{provider}", content=content, headers=sent)
        kinds[name] = (refused.status_code, refused.json()["type"].rpartition(":")[2])

    assert kinds == {
        "late": (401, "delivery-late"), "cut": (401, "delivery-forged"), "bare": (400, "delivery-malformed"),
        "long": (413, "delivery-too-large"), "nobody": (404, "no-webhook"), "silent": (404, "no-webhook"),
    }  # fmt: skip
    assert door.woken == []


def test_without_a_secret_nothing_is_taken_and_the_variable_is_named(door, monkeypatch, tmp_path):
    monkeypatch.delenv("REPLICATE_WEBHOOK_SECRET")
    monkeypatch.setenv("MINTMARK_ENV", "staging")
    body = json.dumps({"id": "job-1"}).encode()
    headers = signed("replicate", body, at=time.time())

    refused = door.client.post("/v1/webhooks/replicate", content=body, headers=headers)
    file = tmp_path / "secrets"
    file.write_text(f"whsec_b3RoZXI=\n{SECRETS['REPLICATE_WEBHOOK_SECRET']}\n")
    monkeypatch.setenv("MINTMARK_SECRET_STAGING_REPLICATE_WEBHOOK_SECRET_FILE", str(file))
    taken = door.client.post("/v1/webhooks/replicate", content=body, headers=headers)
    file.write_text("")
    empty = door.client.post("/v1/webhooks/replicate", content=body, headers=headers)

    assert refused.status_code == empty.status_code == 503
    assert "MINTMARK_SECRET_STAGING_REPLICATE_WEBHOOK_SECRET_FILE" in refused.json()["detail"]
    assert str(tmp_path) not in empty.text
    assert taken.status_code == 202


def test_where_nothing_is_told_to_wait_a_delivery_is_taken_all_the_same(standing, monkeypatch):
    monkeypatch.setenv("REPLICATE_WEBHOOK_SECRET", SECRETS["REPLICATE_WEBHOOK_SECRET"])
    body = json.dumps({"id": "job-1"}).encode()

    headers = signed("replicate", body, at=time.time())
    taken = standing.client.post("/v1/webhooks/replicate", content=body, headers=headers)

    assert taken.status_code == 204


def test_fals_keys_may_come_from_the_environment_and_are_then_not_read(door, emulator, monkeypatch):
    monkeypatch.setenv("FAL_WEBHOOK_KEYS", " ".join(key["x"] for key in jwks()["keys"]))
    monkeypatch.setenv("MINTMARK_BASE_URL_FAL", "http://127.0.0.1:1")
    body = json.dumps({"request_id": "job-1"}).encode()

    taken = door.client.post("/v1/webhooks/fal", content=body, headers=signed("fal", body, at=time.time()))

    assert taken.status_code == 202 and emulator.seen == []


def test_published_keys_are_read_once_and_again_only_after_a_while():
    clock, sets, asked = [0.0], [jwks(), ValueError("down"), {"keys": []}, jwks()], []

    def read(url):
        asked.append(url)
        found = sets[len(asked) - 1]
        if isinstance(found, Exception):
            raise found
        return json.dumps(found).encode()

    keys = PublishedKeys(read, lambda: clock[0])
    first = keys.at("u")
    assert len(first) == 2 and keys.at("u") == first and keys.at("u", anew=True) == first and len(asked) == 1
    for _ in range(2):  # trouble, and an empty set: what is kept still holds
        clock[0] += PAUSE_S
        assert keys.at("u", anew=True) == first
    assert len(asked) == 3
    clock[0] += 24 * 3600
    assert keys.at("u") == first and len(asked) == 4
    assert PublishedKeys(lambda url: b"[" * 100_000, lambda: 0.0).at("u") == []


def test_the_secrets_are_nowhere_in_what_is_told(door, capfd):
    body = json.dumps({"id": "job-1"}).encode()
    for provider in PROVIDERS:
        told = door.client.post(f"/v1/webhooks/{provider}", content=body, headers=signed(provider, body, at=1)).text
        assert not any(secret in told for secret in SECRETS.values())
    output = "".join(capfd.readouterr())
    assert not any(secret in output for secret in SECRETS.values()) and os.environ["REPLICATE_WEBHOOK_SECRET"]
