"""Deliveries of webhooks: genuine ones are read, forged, copied, cut and late ones are refused by what is wrong."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from elevenlabs.webhooks_custom import WebhooksClient
from emulator.callbacks import SECRETS, jwks, signed
from hypothesis import given, settings
from hypothesis import strategies as st
from replicate.webhook import Webhooks, WebhookSigningSecret
from standardwebhooks import Webhook as Standard

from registry.capture.description import shipped
from registry.capture.errors import DeliveryForged, DeliveryLate, DeliveryMalformed, DeliveryRefused, NoWebhook
from registry.capture.expressions import compile_expression
from registry.capture.protocol import Webhook
from registry.capture.webhooks import keys_of, verified, webhook_of

NOW = 1_790_000_000
BODIES = {
    "replicate": {"id": "job-1", "status": "succeeded", "output": ["https://x/1.png"]},
    "wavespeed": {"id": "job-1", "status": "completed", "outputs": ["https://x/1.png"]},
    "fal": {"request_id": "job-1", "status": "ERROR", "payload": None},
    "assemblyai": {"transcript_id": "job-1", "status": "error"},
    "deepgram": {"metadata": {"request_id": "job-1"}, "results": {}},
}
STATES = {"replicate": "succeeded", "wavespeed": "succeeded", "fal": "failed", "assemblyai": "failed", "deepgram": None}
every_provider = pytest.mark.parametrize("provider", BODIES)
timed = pytest.mark.parametrize("provider", ["replicate", "wavespeed", "fal"])


def secrets_of(provider):
    if provider == "fal":
        return keys_of(jwks())
    return [SECRETS[webhook_of(shipped(), provider)[1].secret]]


def taken(provider, *, headers=None, body=None, now=NOW, secrets=None, **how):
    body = json.dumps(BODIES[provider]).encode() if body is None else body
    headers = signed(provider, body, at=NOW, **how) if headers is None else headers
    secrets = secrets_of(provider) if secrets is None else secrets
    return verified(webhook_of(shipped(), provider)[0], list(headers.items()), body, secrets, now)


@every_provider
def test_a_genuine_delivery_says_which_job_and_where_it_stands(provider):
    delivery = taken(provider)

    assert (delivery.provider, delivery.job, delivery.state) == (provider, "job-1", STATES[provider])
    assert delivery.id == (delivery.id if provider in ("assemblyai", "deepgram") else "msg_1")


@every_provider
def test_the_same_delivery_has_the_same_id_and_another_has_another(provider):
    once, twice = taken(provider), taken(provider)
    other = taken(provider, body=json.dumps({**BODIES[provider], "more": 1}).encode(), name="msg_2")

    assert once == twice and other.id != once.id


@every_provider
def test_the_operations_of_a_provider_sign_alike(provider):
    found = [one.protocol.webhook for one in shipped() if one.provider == provider and one.protocol]

    assert len({(one.scheme, one.secret, one.header, one.keys, one.job) for one in found if one}) == 1


@every_provider
def test_a_delivery_that_somebody_else_signed_is_forged(provider):
    other = {name: value[:-6] + "AAAAAA" for name, value in SECRETS.items()}
    secrets = [base64.urlsafe_b64encode(bytes(range(32))).decode()] if provider == "fal" else list(other.values())

    with pytest.raises(DeliveryForged) as refused:
        taken(provider, secrets=secrets)
    with pytest.raises(DeliveryForged):
        taken(provider, secrets=[])

    assert not any(secret in str(refused.value) for secret in (*secrets, *SECRETS.values()))


@timed
@given(at=st.integers(0), changed=st.binary(min_size=1, max_size=1))
@settings(deadline=None, max_examples=60)
def test_a_byte_changed_or_cut_anywhere_is_forged(provider, at, changed):
    body = json.dumps(BODIES[provider]).encode()
    headers = signed(provider, body, at=NOW)
    place = at % len(body)
    bent = body[:place] + changed + body[place + 1 :]

    for other in (bent, body[:place], body + b" "):
        if other != body:
            with pytest.raises(DeliveryRefused):
                taken(provider, headers=headers, body=other)


@timed
@pytest.mark.parametrize("part", ["id", "timestamp"])
def test_id_and_time_are_signed_too(provider, part):
    headers = signed(provider, json.dumps(BODIES[provider]).encode(), at=NOW)
    name = next(name for name in headers if name.endswith(part) or (name.endswith("request-id") and part == "id"))

    with pytest.raises(DeliveryForged):
        taken(provider, headers=headers | {name: str(NOW + 1)})


@timed
@pytest.mark.parametrize(("late", "said"), [(301, "301 s old"), (-301, "301 s in the future")])
def test_a_copy_sent_at_another_time_is_late(provider, late, said):
    assert taken(provider, now=NOW + 300).job == taken(provider, now=NOW - 300).job == "job-1"

    with pytest.raises(DeliveryLate, match=said):
        taken(provider, now=NOW + late)


@every_provider
def test_a_header_that_is_missing_or_there_twice_is_malformed(provider):
    body = json.dumps(BODIES[provider]).encode()
    description, secrets = webhook_of(shipped(), provider)[0], secrets_of(provider)
    headers = list(signed(provider, body, at=NOW).items())
    for number, (name, _) in enumerate(headers):
        if name in ("content-type", "user-agent"):
            continue
        for bent in ([*headers[:number], *headers[number + 1 :]], [*headers, (name.upper(), "x")]):
            with pytest.raises(DeliveryMalformed, match=name.lower()):
                verified(description, bent, body, secrets, NOW)


@every_provider
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"[" * 100_000, b'{"id": true}', b'{"id": " x"}', b"\xff"])
def test_a_body_that_names_no_job_is_malformed(provider, body):
    with pytest.raises(DeliveryMalformed):
        taken(provider, body=body)


@timed
@pytest.mark.parametrize("text", ["", "soon", "-1", "1e9", "nan", "17000000001.5", "9" * 40, "\uff11" * 10])
def test_a_time_that_is_none_is_malformed(provider, text):
    headers = signed(provider, json.dumps(BODIES[provider]).encode(), at=NOW)
    name = next(name for name in headers if name.endswith("timestamp"))

    with pytest.raises(DeliveryRefused):
        taken(provider, headers=headers | {name: text})


@every_provider
@given(text=st.text(max_size=80))
@settings(deadline=None, max_examples=40)
def test_no_signature_whatsoever_ends_in_a_traceback(provider, text):
    headers = signed(provider, json.dumps(BODIES[provider]).encode(), at=NOW)
    name = next(name for name in headers if name.lower().endswith(("signature", "secret", "token")))

    with pytest.raises(DeliveryRefused):
        taken(provider, headers=headers | {name: text})


@pytest.mark.parametrize("provider", ["replicate", "wavespeed"])
def test_while_a_secret_is_replaced_both_are_good_and_so_are_several_signatures(provider):
    name = webhook_of(shipped(), provider)[1].secret
    new = {**SECRETS, name: "whsec_" + base64.b64encode(b"the one that comes next").decode()}
    body = json.dumps(BODIES[provider]).encode()
    headers, later = (signed(provider, body, at=NOW, secrets=each) for each in (SECRETS, new))
    both = headers | {"webhook-signature": f"v1a,x {headers['webhook-signature']} {later['webhook-signature']}"}

    for sent in (headers, later, both):
        assert taken(provider, headers=sent, secrets=["whsec_!", new[name], SECRETS[name]]).job == "job-1"
    with pytest.raises(DeliveryForged):
        taken(provider, headers=later)


def test_what_the_standard_library_signs_is_taken_and_what_it_refuses_is_refused():
    """The Standard Webhooks library, and the SDK of a provider that uses the scheme."""
    secret, body, now = SECRETS["REPLICATE_WEBHOOK_SECRET"], json.dumps(BODIES["replicate"]), int(time.time())
    made = Standard(secret).sign("msg_9", datetime.fromtimestamp(now, UTC), body)
    headers = {"webhook-id": "msg_9", "webhook-timestamp": str(now), "webhook-signature": made}

    assert taken("replicate", headers=headers, body=body.encode(), now=now).id == "msg_9"
    Webhooks.validate(headers=headers, body=body, secret=WebhookSigningSecret(key=secret), tolerance=300)
    Standard(secret).verify(body, signed("replicate", body.encode(), at=now))


def test_the_raw_scheme_is_the_standard_one_with_another_key_and_notation():
    secret, body = SECRETS["WAVESPEED_WEBHOOK_SECRET"], json.dumps(BODIES["wavespeed"])
    made = Standard(secret.removeprefix("whsec_").encode()).sign("m", datetime.fromtimestamp(NOW, UTC), body)
    coded = base64.b64decode(made.partition(",")[2]).hex()
    headers = {"webhook-id": "m", "webhook-timestamp": str(NOW), "webhook-signature": f"v3,{coded}"}

    assert taken("wavespeed", headers=headers, body=body.encode()).job == "job-1"


def described(scheme, header):
    """A description with another scheme: these two are shipped with none yet."""
    one = webhook_of(shipped(), "replicate")[0]
    webhook = Webhook(scheme, "SOME_SECRET", header, None, compile_expression("body.id"), None, {})
    return replace(one, protocol=replace(one.protocol, webhook=webhook))


def test_a_hex_signature_in_a_header_with_and_without_its_prefix():
    """Vector: GitHub's documents on validating webhook deliveries publish secret, content and signature."""
    vector = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    description, body = described("hex-header", "X-Hub-Signature-256"), b"Hello, World!"
    for given_signature in (vector, f"sha256={vector}", f"sha256={vector.upper()}"):
        with pytest.raises(DeliveryMalformed, match="job"):  # it is genuine, and says nothing
            verified(description, [("x-hub-signature-256", given_signature)], body, ["It's a Secret to Everybody"], NOW)
    with pytest.raises(DeliveryForged):
        verified(description, [("x-hub-signature-256", vector[:-1])], body, ["It's a Secret to Everybody"], NOW)


def test_a_time_and_a_signature_in_one_header_as_an_sdk_reads_them():
    description, now = described("stripe-like", "ElevenLabs-Signature"), int(time.time())
    secret, body = "wsec_canary", '{"id": "job-1"}'

    def header(at):
        return f"t={at},v0={hmac.new(secret.encode(), f'{at}.{body}'.encode(), hashlib.sha256).hexdigest()}"

    genuine = header(now)
    assert WebhooksClient.construct_event(None, body, genuine, secret) == json.loads(body)
    assert verified(description, [("elevenlabs-signature", genuine)], body.encode(), [secret], now).job == "job-1"
    with pytest.raises(DeliveryLate):
        verified(description, [("elevenlabs-signature", header(now - 301))], body.encode(), [secret], now)
    for bad, why in (
        (genuine.replace("v0=", "v0=0"), DeliveryForged),
        ("v0=1", DeliveryMalformed),
        (f"t={now},{genuine}", DeliveryMalformed),
        (f"t=x,{genuine[2:]}", DeliveryMalformed),
    ):
        with pytest.raises(why):
            verified(description, [("elevenlabs-signature", bad)], body.encode(), [secret], now)


def test_who_calls_nobody_back_is_named():
    for provider in ("stability", "procedural", "nobody"):
        with pytest.raises(NoWebhook, match=provider):
            webhook_of(shipped(), provider)


def test_a_key_set_of_another_kind_holds_no_keys():
    others = [1, {"kty": "RSA", "x": "y"}, {"kty": "OKP", "crv": "X25519", "x": "y"}]
    for bad in (None, [], {}, {"keys": 1}, {"keys": others}):
        assert keys_of(bad) == []
    assert len(keys_of(jwks())) == 2
