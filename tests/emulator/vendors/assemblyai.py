"""AssemblyAI: sound is sent ahead, a transcript is ordered and asked about until it is there."""

from emulator import media
from emulator.server import Reply, Request, Vendor

WORDS = {"queued": "queued", "processing": "processing", "done": "completed"}


class AssemblyAI(Vendor):
    """Words for sound; the key stands bare in its header."""

    name = "assemblyai"
    routes = (
        ("POST", "/v2/upload", "upload"),
        ("POST", "/v2/transcript", "order"),
        ("GET", "/v2/transcript/{job}", "transcript"),
    )

    def unauthorized(self) -> Reply:
        """As AssemblyAI says it."""
        return Reply(401, {"error": "Authentication error, API token missing/invalid"})

    def upload(self, request: Request) -> Reply:
        """The bytes of a sound; only the vendor itself can read the address."""
        url = self.emulator.put(request.body, "application/octet-stream")
        return Reply(200, {"upload_url": url.partition("?")[0]})

    def order(self, request: Request) -> Reply:
        """Take an order."""
        asked = request.json
        if not asked.get("audio_url"):
            return Reply(400, {"error": '"audio_url" is required'})
        if not asked.get("speech_models") and not asked.get("speech_model"):
            return Reply(400, {"error": '"speech_models" must be a non-empty list'})
        self.charge(model=(asked.get("speech_models") or [asked.get("speech_model")])[0])
        job = self.new_job(asked_for=asked, failed=self.says("failed"))
        return Reply(200, self._told(job, "queued"))

    def transcript(self, request: Request) -> Reply:
        """Where it stands; with the words once they are there."""
        job = request.groups["job"]
        step = self.step(job)
        if step is None:
            return Reply(404, {"error": "Transcript lookup error, transcript id not found"})
        if step == "done" and self.jobs[job]["failed"] is not None:
            told = "Transcoding failed. File does not appear to contain audio, or memory ran out."
            return Reply(200, {**self._told(job, "error"), "error": told})
        return Reply(200, self._told(job, WORDS[step]))

    def _told(self, job: str, status: str) -> dict:
        asked, done = self.jobs[job]["asked_for"], status == "completed"
        text = media.transcript(job)["text"]
        words = [
            {"text": word, "start": 250 * n, "end": 250 * n + 200, "confidence": 0.99, "speaker": None}
            for n, word in enumerate(text.split())
        ]
        said = {"speaker": "A", "text": text, "start": 0, "end": words[-1]["end"], "confidence": 0.99, "words": words}
        models = asked.get("speech_models")
        return {
            "id": job,
            "status": status,
            "audio_url": asked["audio_url"],
            "speech_models": models,
            "speech_model_used": (models or [asked.get("speech_model")])[0] if done else None,
            "language_code": "en_us",
            "text": text if done else None,
            "words": words if done else None,
            "utterances": [said] if done and asked.get("speaker_labels") else None,
            "confidence": 0.99 if done else None,
            "audio_duration": 2 if done else None,
            "webhook_url": asked.get("webhook_url"),
            "error": None,
        }
