"""Replicate: predictions by version or official model, ``Prefer: wait``, the seed only in the text of the logs."""

from emulator import media
from emulator.server import Reply, Request, Vendor

WORDS = {"queued": "starting", "processing": "processing", "done": "succeeded"}


class Replicate(Vendor):
    """Pictures; inputs and outputs of a lost prediction are gone."""

    name = "replicate"
    routes = (
        ("POST", "/v1/models/{model}/predictions", "by_model"),
        ("POST", "/v1/predictions", "by_version"),
        ("POST", "/v1/predictions/{job}/cancel", "cancel"),
        ("GET", "/v1/predictions/{job}", "get"),
    )

    def unauthorized(self) -> Reply:
        """As Replicate says it."""
        body = {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token", "status": 401}
        return Reply(401, body, {"content-type": "application/problem+json"})

    def by_model(self, request: Request) -> Reply:
        """An official model."""
        return self._create(request, request.groups["model"], "hidden")

    def by_version(self, request: Request) -> Reply:
        """A version by its hash."""
        return self._create(request, "someone/painter", request.json.get("version", "").rpartition(":")[2])

    def get(self, request: Request) -> Reply:
        """Where a prediction stands."""
        step = self.step(request.groups["job"])
        if step is None:
            return Reply(
                404, {"title": "Not found", "detail": "The requested resource could not be found.", "status": 404}
            )
        return Reply(200, self._told(request.groups["job"], step))

    def cancel(self, request: Request) -> Reply:
        """Stop one."""
        state = self.jobs[request.groups["job"]]
        state["canceled"] = True
        return Reply(200, self._told(request.groups["job"], "done"))

    def _create(self, request: Request, model: str, version: str) -> Reply:
        asked = request.json.get("input") or {}
        if "prompt" not in asked:
            detail = "- input: prompt is required\n"
            return Reply(422, {"title": "Input validation failed", "detail": detail, "status": 422})
        self.charge(model=model)
        state = {"model": model, "version": version, "input": asked, "number": len(self.runs)}
        job = self.new_job(**state, blocked=self.says("blocked"), failed=self.says("failed"))
        waits = request.headers.get("prefer", "").startswith("wait") and self.says("slow-job") is None
        if waits:
            self.jobs[job]["asked"] = 2
        return Reply(201, self._told(job, "done" if waits else "queued"))

    def _told(self, job: str, step: str) -> dict:
        state = self.jobs[job]
        status, error, output = WORDS[step], None, None
        seed = state["input"].get("seed") or 40000 + state["number"]
        if state.get("canceled"):
            status = "canceled"
        elif step == "done" and state["blocked"] is not None:
            status, error = "failed", "NSFW content detected. Try running it again, or try a different prompt."
        elif step == "done" and state["failed"] is not None:
            status, error = "failed", "CUDA out of memory"
        elif step == "done":
            count = int(state["input"].get("num_outputs", 1))
            if "output" not in state:
                parts = (state["model"], state["version"], state["input"]["prompt"], seed)
                state["output"] = [self.emulator.put(media.png(*parts, n), "image/png") for n in range(count)]
            output = state["output"]
        base = f"{self.emulator.url('replicate')}/v1/predictions/{job}"
        done = step == "done"
        return {
            "id": job,
            "model": state["model"],
            "version": state["version"],
            "input": state["input"],
            "logs": f"Using seed: {seed}\n  0%|          | 0/4 [00:00<?, ?it/s]\n100%|####| 4/4\n" if done else "",
            "output": output,
            "data_removed": False,
            "error": error,
            "status": status,
            "created_at": "2026-11-20T12:00:00.000Z",
            "started_at": "2026-11-20T12:00:01.000Z" if done else None,
            "completed_at": "2026-11-20T12:00:02.000Z" if done else None,
            "metrics": {"predict_time": 0.812} if done else {},
            "urls": {"get": base, "cancel": f"{base}/cancel"},
        }
