"""WaveSpeed: predictions that are submitted, polled and fetched by address; uploads by ticket."""

import re

from emulator import media
from emulator.server import Reply, Request, Vendor

WORDS = {"queued": "created", "processing": "processing", "done": "completed"}


class WaveSpeed(Vendor):
    """Pictures, and films for models of film families whose name does not say image."""

    name = "wavespeed"
    routes = (
        ("POST", "/api/v3/media/uploads", "ticket"),
        ("POST", "/api/v3/{model}", "submit"),
        ("GET", "/api/v3/predictions/{job}/result", "result"),
    )

    def unauthorized(self) -> Reply:
        """As WaveSpeed says it."""
        return Reply(401, {"code": 401, "message": "invalid api key", "data": None})

    def ticket(self, request: Request) -> Reply:
        """An address to PUT to, and the one to read from."""
        url = self.emulator.put(b"", "application/octet-stream")
        instruction = {"method": "PUT", "url": url, "headers": {"content-type": "application/octet-stream"}}
        return self._ok({"upload": instruction, "download_url": url.partition("?")[0]})

    def submit(self, request: Request) -> Reply:
        """Take a prediction."""
        asked = request.json
        if not asked.get("prompt"):
            return Reply(400, {"code": 400, "message": 'property "prompt" is missing', "data": None})
        self.charge(model=request.groups["model"])
        still = re.search("to-image|image-edit|kling-image", request.groups["model"])
        film = re.search("video|i2v|t2v|kling|/wan-|seedance|sora|veo", request.groups["model"])
        kind = "video" if film and not still else "image"
        state = {"model": request.groups["model"], "asked_for": asked, "kind": kind}
        for word in ("blocked", "failed", "fewer"):
            state[word] = self.says(word)
        job = self.new_job(**state)
        return self._ok(self._told(job, "created", []))

    def result(self, request: Request) -> Reply:
        """Where a prediction stands."""
        job = request.groups["job"]
        step = self.step(job)
        if step is None:
            return Reply(404, {"code": 404, "message": "prediction not found", "data": None})
        state = self.jobs[job]
        if step == "done" and state["blocked"] is not None:
            error = "content policy violation: the prompt or image was flagged as potentially sensitive"
            return self._ok({**self._told(job, "failed", []), "error": error, "has_nsfw_contents": [True]})
        if step == "done" and state["failed"] is not None:
            return self._ok({**self._told(job, "failed", []), "error": "worker ran out of memory"})
        outputs = self._outputs(state) if step == "done" else []
        return self._ok(self._told(job, WORDS[step], outputs))

    def _outputs(self, state: dict) -> list[str]:
        if "outputs" not in state:
            asked = state["asked_for"]
            count = 0 if state["fewer"] is not None else int(asked.get("num_images", 1))
            seed = asked.get("seed", -1)
            parts = (state["model"], asked["prompt"], len(self.runs) if seed == -1 else seed)
            if state["kind"] == "video":
                state["outputs"] = [self.emulator.put(media.mp4(*parts), "video/mp4")]
            else:
                state["outputs"] = [self.emulator.put(media.png(*parts, n), "image/png") for n in range(count)]
        return state["outputs"]

    def _told(self, job: str, status: str, outputs: list[str]) -> dict:
        return {
            "id": job,
            "model": self.jobs[job]["model"],
            "outputs": outputs,
            "urls": {"get": f"{self.emulator.url('wavespeed')}/api/v3/predictions/{job}/result"},
            "has_nsfw_contents": [False] * len(outputs),
            "status": status,
            "created_at": "2026-11-20T12:00:00.000Z",
            "error": "",
            "executionTime": 812 if outputs else 0,
            "timings": {"inference": 812 if outputs else 0},
        }

    def _ok(self, data: dict) -> Reply:
        return Reply(200, {"code": 200, "message": "success", "data": data})
