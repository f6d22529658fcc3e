"""Black Forest Labs: tasks that are polled at the address of their region; moderation is a state of the task."""

from emulator import media
from emulator.server import Reply, Request, Vendor


class BlackForestLabs(Vendor):
    """FLUX; the seed that was used stands in the result."""

    name = "bfl"
    routes = (("POST", "/v1/{model}", "submit"), ("GET", "/v1/get_result", "result"))

    def unauthorized(self) -> Reply:
        """As it says it: with 403."""
        return Reply(403, {"detail": "Not authenticated - Invalid Authentication"})

    def submit(self, request: Request) -> Reply:
        """Take a task, and say what it costs and where to ask."""
        asked = request.json
        if "prompt" not in asked:
            missing = {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": asked}
            return Reply(422, {"detail": [missing]})
        self.charge(model=request.groups["model"])
        words = {word: self.says(word) for word in ("blocked", "filtered", "failed")}
        job = self.new_job(model=request.groups["model"], number=len(self.runs), asked_for=asked, **words)
        url = f"{self.emulator.url('bfl')}/v1/get_result?id={job}"
        return Reply(200, {"id": job, "polling_url": url, "cost": 3.0, "input_mp": 0.0, "output_mp": 1.0})

    def result(self, request: Request) -> Reply:
        """Where a task stands."""
        job = request.query["id"][0]
        step = self.step(job)
        told = {"id": job, "result": None, "progress": None, "details": None, "preview": None}
        if step is None:
            return Reply(404, {**told, "status": "Task not found"})
        state = self.jobs[job]
        if step != "done":
            return Reply(200, {**told, "status": "Pending", "progress": 0.5})
        if state["blocked"] is not None:
            details = {"Moderation Reasons": ["Derivative Works Filter"]}
            return Reply(200, {**told, "status": "Request Moderated", "details": details})
        if state["filtered"] is not None:
            return Reply(200, {**told, "status": "Content Moderated"})
        if state["failed"] is not None:
            return Reply(200, {**told, "status": "Error", "details": {"error": "x"}, "error": "worker out of memory"})
        return Reply(200, {**told, "status": "Ready", "result": self._made(state)})

    def _made(self, state: dict) -> dict:
        asked = state["asked_for"]
        seed = asked.get("seed") or 90000 + state["number"]
        if "url" not in state:
            parts = (state["model"], asked["prompt"], seed, len(asked.get("input_image", "")))
            if "video" in state["model"]:
                state["url"] = self.emulator.put(media.mp4(*parts), "video/mp4")
            elif asked.get("output_format") == "png":
                state["url"] = self.emulator.put(media.png(*parts), "image/png")
            else:
                state["url"] = self.emulator.put(media.jpeg(*parts), "image/jpeg")
        return {"sample": state["url"], "prompt": asked["prompt"], "seed": seed, "duration": 2.5}
