"""ElevenLabs: text in, the sound itself out; a recording in a form, words out."""

from emulator import media
from emulator.server import Reply, Request, Vendor


class ElevenLabs(Vendor):
    """Speech, music, sounds and transcripts; the same seed sounds the same here, where the vendor only tries."""

    name = "elevenlabs"
    routes = (
        ("POST", "/v1/text-to-speech/{voice}", "speech"),
        ("POST", "/v1/music", "music"),
        ("POST", "/v1/sound-generation", "sounds"),
        ("POST", "/v1/speech-to-text", "transcribe"),
    )

    def unauthorized(self) -> Reply:
        """As ElevenLabs says it."""
        return _error(401, "invalid_api_key", "Invalid API key")

    def speech(self, request: Request) -> Reply:
        """``text`` in a voice."""
        if "/" in request.groups["voice"]:
            return Reply(404, {"detail": "Not Found"})
        said = request.json.get("text")
        return self._sound(request, said, request.groups["voice"], 403, "content_against_policy")

    def music(self, request: Request) -> Reply:
        """A ``prompt``, or a plan, which alone may have a seed."""
        asked = request.json
        if "prompt" in asked and "seed" in asked:
            return _error(422, "invalid_parameters", "seed cannot be used in conjunction with prompt")
        return self._sound(request, asked.get("prompt") or asked.get("composition_plan"), "song", 400, "bad_prompt")

    def sounds(self, request: Request) -> Reply:
        """``text`` that describes a noise; no seed."""
        return self._sound(request, request.json.get("text"), "noise", 403, "content_against_policy")

    def transcribe(self, request: Request) -> Reply:
        """A ``file`` of a form, or its address."""
        fields = request.fields()
        files = [content for name, filename, _, content in request.form() if name == "file" and filename]
        if "model_id" not in fields or not (files or fields.get("cloud_storage_url")):
            return _error(400, "invalid_parameters", "Must provide either file or cloud_storage_url.")
        if (refusal := self._refusal(403, "content_against_policy")) is not None:
            return refusal
        self.charge(model=fields["model_id"])
        made = media.transcript()
        words = [
            {"text": word, "start": n / 2, "end": n / 2 + 0.4, "type": "word", "logprob": 0.0}
            for n, word in enumerate(made["text"].split())
        ]
        body = {"language_code": "eng", "language_probability": 0.98, "text": made["text"], "words": words}
        return Reply(200, {**body, "transcription_id": f"tr-{len(self.runs)}"}, self._headers())

    def _sound(self, request: Request, said: object, what: str, status: int, code: str) -> Reply:
        asked = request.json
        if not said:
            missing = {"type": "missing", "loc": ["body", "text"], "msg": "Field required", "input": asked}
            return Reply(422, {"detail": [missing]})
        if (refusal := self._refusal(status, code)) is not None:
            return refusal
        self.charge(model=asked.get("model_id"))
        parts = (what, said, asked.get("model_id"), asked.get("seed", len(self.runs)))
        form = request.query.get("output_format", ["mp3_44100_128"])[0]
        data, kind = (media.wav(*parts), "audio/wav") if form.startswith("wav") else (media.mp3(*parts), "audio/mpeg")
        return Reply(200, data, {"content-type": kind, "character-cost": "14", **self._headers()})

    def _refusal(self, status: int, code: str) -> Reply | None:
        if self.says("blocked") is not None:
            return _error(status, code, "Your text may violate our Terms of Service and has been blocked.")
        if self.says("quota") is not None:
            return _error(401, "quota_exceeded", "This request exceeds your quota. You have 0 credits remaining.")
        return None

    def _headers(self) -> dict[str, str]:
        return {"request-id": f"el-{len(self.runs)}"}


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"detail": {"status": code, "message": message}}, {"request-id": "el-error"})
