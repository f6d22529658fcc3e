"""Stability AI v2beta: a form in, the picture itself out; seed and finish reason in headers."""

from emulator import media
from emulator.server import Reply, Request, Vendor


class Stability(Vendor):
    """Stable Image core, ultra, sd3."""

    name = "stability"
    routes = (("POST", "/v2beta/stable-image/generate/{model}", "generate"),)

    def unauthorized(self) -> Reply:
        """As Stability says it."""
        return Reply(401, {"id": "x", "name": "unauthorized", "errors": ["authorization: invalid API key"]})

    def generate(self, request: Request) -> Reply:
        """``prompt``, ``seed``, ``output_format`` in a form; seed 0 draws one."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return Reply(
                400, {"id": "x", "name": "bad_request", "errors": ["content-type: must be multipart/form-data"]}
            )
        asked = request.fields()
        if not asked.get("prompt"):
            return Reply(400, {"id": "x", "name": "bad_request", "errors": ["prompt: is required"]})
        if self.says("blocked") is not None:
            return Reply(403, {"id": "x", "name": "content_moderation", "errors": ["Your request was flagged."]})
        self.charge(model=request.groups["model"])
        seed = int(asked.get("seed") or 0) or 1000 + len(self.runs)
        make = media.jpeg if asked.get("output_format") == "jpeg" else media.png
        data = make(request.groups["model"], asked["prompt"], seed)
        reason = "CONTENT_FILTERED" if self.says("filtered") is not None else "SUCCESS"
        kind = "jpeg" if make is media.jpeg else "png"
        headers = {"content-type": f"image/{kind}", "seed": str(seed), "finish-reason": reason, "x-request-id": "st-1"}
        return Reply(200, data, headers)
