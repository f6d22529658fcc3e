"""Signed deliveries, as the vendors send them to whom waits for a job: written from their documents, not from ours.

headers, body = delivery(emulator, "replicate", job, at=time.time())
"""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRETS = {
    "REPLICATE_WEBHOOK_SECRET": "whsec_" + base64.b64encode(b"replicate-canary-5c1e9f27").decode(),
    "WAVESPEED_WEBHOOK_SECRET": "whsec_wavespeed-canary-77ab01d4",
    "ASSEMBLYAI_WEBHOOK_SECRET": "assemblyai-canary-10be44f2",
    "DEEPGRAM_WEBHOOK_TOKEN": "deepgram-canary-9d03aa51",
}
"""What to put into the environment to verify them; fal's keys are published by the emulator."""

FAL_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"fal of the emulator").digest())


def jwks():
    """The key set that fal publishes: an old key, and the one that signs."""
    old = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"an old one").digest())
    return {
        "keys": [{"kty": "OKP", "crv": "Ed25519", "x": _x(key), "kid": str(n)} for n, key in enumerate((old, FAL_KEY))]
    }


def _x(key):
    return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()


def told_of(emulator, vendor, job):
    """What a vendor says of a job that has ended."""
    made = emulator.vendors[vendor]
    if vendor == "replicate":
        return made._told(job, "done")
    if vendor == "wavespeed":
        return made._told(job, "completed", made._outputs(made.jobs[job]))
    if vendor == "fal":
        return {"request_id": job, "gateway_request_id": job, "status": "OK", "payload": made._made(made.jobs[job])}
    if vendor == "assemblyai":
        return {"transcript_id": job, "status": "completed"}
    return {"metadata": {"request_id": job}, "results": {"channels": []}}


def signed(vendor, body, *, at, name="msg_1", secrets=SECRETS):
    """The headers of a delivery.

    Args:
        vendor: who sends it.
        body: its bytes.
        at: seconds since 1970.
        name: the delivery's id, where the vendor gives one.
        secrets: by variable.
    """
    at = str(int(at))
    headers = {"content-type": "application/json", "user-agent": f"{vendor}-webhooks/1"}
    if vendor == "replicate":
        key = base64.b64decode(secrets["REPLICATE_WEBHOOK_SECRET"].partition("_")[2])
        made = hmac.digest(key, b".".join((name.encode(), at.encode(), body)), "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(made).decode()}"
    elif vendor == "wavespeed":
        key = secrets["WAVESPEED_WEBHOOK_SECRET"][len("whsec_") :].encode()
        made = hmac.new(key, b".".join((name.encode(), at.encode(), body)), "sha256").hexdigest()
        headers["webhook-signature"] = f"v3,{made}"
    elif vendor == "fal":
        content = f"{name}\nuser-7\n{at}\n{hashlib.sha256(body).hexdigest()}"
        about = {"request-id": name, "user-id": "user-7", "timestamp": at}
        about["signature"] = FAL_KEY.sign(content.encode()).hex()
        return headers | {f"x-fal-webhook-{part}": value for part, value in about.items()}
    elif vendor == "assemblyai":
        return headers | {"X-Webhook-Secret": secrets["ASSEMBLYAI_WEBHOOK_SECRET"]}
    else:
        return headers | {"dg-token": secrets["DEEPGRAM_WEBHOOK_TOKEN"]}
    return headers | {"webhook-id": name, "webhook-timestamp": at}


def delivery(emulator, vendor, job, **how):
    """Headers and body of what a vendor sends about a job that has ended; ``how`` as ``signed`` takes it."""
    body = json.dumps(told_of(emulator, vendor, job)).encode()
    return signed(vendor, body, **how), body
