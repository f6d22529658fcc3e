"""fal: a queue whose answers name every further address in full; a model's refusal stands where its result would."""

from emulator import callbacks, media
from emulator.server import Reply, Request, Vendor

WORDS = {"queued": "IN_QUEUE", "processing": "IN_PROGRESS", "done": "COMPLETED"}


class Fal(Vendor):
    """Pictures, films and speech, by the name of the model."""

    name = "fal"
    routes = (
        ("GET", "/{app}/requests/{job}/status", "status"),
        ("GET", "/{app}/requests/{job}", "result"),
        ("PUT", "/{app}/requests/{job}/cancel", "cancel"),
        ("POST", "/{model}", "submit"),
    )

    def unauthorized(self) -> Reply:
        """As fal says it."""
        return Reply(401, {"detail": "Authentication is required to access this application."})

    def answer(self, request: Request) -> Reply:
        """The keys are for everybody."""
        if request.path == "/.well-known/jwks.json":
            return Reply(200, callbacks.jwks())
        return super().answer(request)

    def submit(self, request: Request) -> Reply:
        """Take a request; what is wrong with it is told where the result would be."""
        if self.says("quota") is not None:
            return Reply(403, {"detail": "User is locked. Reason: Exhausted balance."})
        model = request.groups["model"]
        self.charge(model=model)
        words = {word: self.says(word) for word in ("blocked", "filtered", "failed", "given-up")}
        job = self.new_job(app="/".join(model.split("/")[:2]), model=model, input=request.json, words=words)
        self.jobs[job]["number"] = len(self.runs)
        return Reply(200, {"status": "IN_QUEUE", "request_id": job, **self._urls(job), "queue_position": 0})

    def status(self, request: Request) -> Reply:
        """Where a request stands: 202 as long as it is under way."""
        job = request.groups["job"]
        step = self.step(job)
        if step is None:
            return Reply(404, {"detail": "Request not found"})
        told = {"status": WORDS[step], "request_id": job, "logs": None, **self._urls(job)}
        if step == "queued":
            told["queue_position"] = 0
        if step == "done":
            told["metrics"] = {"inference_time": 0.812}
            if self.jobs[job]["words"]["given-up"] is not None:
                told |= {"error": "Runner disconnected", "error_type": "runner_disconnected"}
        return Reply(200 if step == "done" else 202, told)

    def result(self, request: Request) -> Reply:
        """What the model answered."""
        state = self.jobs[request.groups["job"]]
        asked, headers = state["input"], {"x-fal-request-id": state["id"]}
        if "prompt" not in asked and "text" not in asked:
            missing = {"loc": ["body", "prompt"], "msg": "field required", "type": "missing", "input": asked}
            return Reply(422, {"detail": [missing]}, headers)
        if state["words"]["blocked"] is not None:
            message = "The content could not be processed because it was flagged by a content checker."
            flagged = {"loc": ["body", "prompt"], "msg": message, "type": "content_policy_violation", "input": asked}
            return Reply(422, {"detail": [flagged]}, headers | {"x-fal-retryable": "false"})
        if state["words"]["failed"] is not None:
            failed = {"loc": ["body"], "msg": "CUDA out of memory", "type": "internal_server_error", "input": asked}
            return Reply(500, {"detail": [failed]}, headers)
        return Reply(200, self._made(state), headers)

    def cancel(self, request: Request) -> Reply:
        """Ask for an end."""
        return Reply(202, {"status": "CANCELLATION_REQUESTED"})

    def _made(self, state: dict) -> dict:
        asked = state["input"]
        seed = asked.get("seed") or 40000 + state["number"]
        if "made" not in state:
            parts = (state["model"], asked.get("prompt") or asked["text"], seed)
            if "video" in state["model"]:
                state["made"] = {"video": self._file(media.mp4(*parts), "video/mp4"), "seed": seed}
            elif "speech" in state["model"]:
                state["made"] = {"audio": self._file(media.mp3(*parts), "audio/mpeg")}
            else:
                flagged = state["words"]["filtered"] is not None
                count = asked.get("num_images", 1)
                pictures = [self._file(media.png(*parts, n), "image/png") for n in range(count)]
                state["made"] = {"images": pictures, "seed": seed, "has_nsfw_concepts": [flagged] * count,
                                 "prompt": asked["prompt"], "timings": {"inference": 0.812}}  # fmt: skip
        return state["made"]

    def _file(self, data: bytes, media_type: str) -> dict:
        return {"url": self.emulator.put(data, media_type), "content_type": media_type, "file_size": len(data)}

    def _urls(self, job: str) -> dict[str, str]:
        base = f"{self.emulator.url('fal')}/{self.jobs[job]['app']}/requests/{job}"
        return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
