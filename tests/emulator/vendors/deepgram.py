"""Deepgram: recorded speech, as the body or by address; echoes what it heard and which model heard it."""

import hashlib
import io
import uuid
import wave

from emulator import media
from emulator.server import Reply, Request, Vendor

LATEST = "2026-08-14.5120"


class Deepgram(Vendor):
    """Words for sound."""

    name = "deepgram"
    routes = (("POST", "/v1/listen", "listen"),)

    def unauthorized(self) -> Reply:
        """As Deepgram says it."""
        told = {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": str(uuid.uuid4())}
        return Reply(401, told)

    def listen(self, request: Request) -> Reply:
        """Sound as the body, or ``{"url": …}``; everything else stands in the query."""
        asked = {name: values[0] for name, values in request.query.items()}
        if "json" in request.headers.get("content-type", ""):
            sound, length = request.json["url"].encode(), 2.0  # the emulator fetches nothing
        else:
            sound = request.body
            try:
                with wave.open(io.BytesIO(sound)) as file:
                    length = file.getnframes() / file.getframerate()
            except (wave.Error, EOFError):
                return _error(400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data")
        if self.says("quota") is not None:
            return _error(402, "ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request.")
        self.charge(model=asked.get("model", "base"), version=asked.get("version"))
        text = media.transcript(len(sound))["text"]
        words = [
            {"word": word, "start": 0.25 * n, "end": 0.25 * n + 0.2, "confidence": 0.99}
            for n, word in enumerate(text.split())
        ]
        served, model = str(uuid.uuid5(uuid.NAMESPACE_DNS, asked.get("model", "base"))), asked.get("model", "base")
        version = LATEST if asked.get("version") in (None, "latest") else asked["version"]
        alternative = {"transcript": text, "confidence": 0.99, "words": words}
        results = {"channels": [{"alternatives": [alternative]}]}
        if asked.get("utterances") == "true":
            results["utterances"] = [
                {"start": 0.0, "end": 2.0, "confidence": 0.99, "channel": 0, "transcript": text, "words": words,
                 "speaker": 0, "id": str(uuid.uuid4())}
            ]  # fmt: skip
        metadata = {
            "transaction_key": "deprecated",
            "request_id": str(uuid.uuid4()),
            "sha256": hashlib.sha256(sound).hexdigest(),
            "created": "2026-11-20T12:00:00.000Z",
            "duration": length,
            "channels": 1,
            "models": [served],
            "model_info": {served: {"name": model, "version": version, "arch": model.rpartition("-")[0] or model}},
        }
        return Reply(200, {"metadata": metadata, "results": results}, {"dg-request-id": metadata["request_id"]})


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"err_code": code, "err_msg": message, "request_id": str(uuid.uuid4())})
