"""OpenAI's image endpoints: generations (JSON) and edits (form), answers with base64."""

import base64
import time

from emulator import media
from emulator.server import Reply, Request, Vendor

SIZES = {"1024x1024": (64, 64), "1536x1024": (96, 64), "1024x1536": (64, 96), "auto": (64, 64)}


class OpenAI(Vendor):
    """Pictures by prompt; no seed, so that every run makes another one."""

    name = "openai"
    routes = (
        ("POST", "/v1/images/generations", "generations"),
        ("POST", "/v1/images/edits", "edits"),
    )

    def generations(self, request: Request) -> Reply:
        """``prompt``, ``model``, ``n``, ``size`` in JSON."""
        return self._images(request.json, [])

    def edits(self, request: Request) -> Reply:
        """The same in a form, with one or more parts ``image`` and one ``mask``."""
        files = [content for name, filename, _, content in request.form() if filename and name in ("image", "image[]")]
        fields = request.fields()
        if not files:
            return _error(400, "Missing required parameter: 'image'.", "missing_required_parameter")
        return self._images({**fields, "n": int(fields.get("n", 1))}, files)

    def _images(self, asked: dict, files: list[bytes]) -> Reply:
        if not asked.get("prompt"):
            return _error(400, "Missing required parameter: 'prompt'.", "missing_required_parameter")
        if not str(asked.get("model", "")).startswith("gpt-image"):
            return _error(400, f"The model '{asked.get('model')}' does not exist.", "model_not_found")
        if self.says("blocked") is not None:
            return _error(400, "Your request was rejected by the safety system.", "moderation_blocked")
        if self.says("quota") is not None:
            return _error(429, "You exceeded your current quota.", "insufficient_quota", kind="insufficient_quota")
        count = int(asked.get("n") or 1)
        self.charge(model=asked["model"], n=count)
        width, height = SIZES[asked.get("size") or "auto"]
        number = len(self.runs)
        pictures = [
            media.png(asked["prompt"], number, n, [len(file) for file in files], width=width, height=height)
            for n in range(count)
        ]
        if (fewer := self.says("fewer")) is not None:
            pictures = pictures[: fewer.get("left", 1)]
        coded = [base64.b64encode(data).decode() for data in pictures]
        if self.says("malformed") is not None:
            coded = [text[:-7] + "%%%" for text in coded]
        body = {
            "created": int(time.time()),
            "background": "opaque",
            "output_format": "png",
            "quality": "low",
            "size": "1024x1024" if asked.get("size") in (None, "auto") else asked["size"],
            "data": [{"b64_json": text} for text in coded],
            "usage": {
                "input_tokens": 12,
                "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
                "output_tokens": 272 * count,
                "total_tokens": 12 + 272 * count,
            },
        }
        return Reply(200, body, {"x-request-id": f"req_{number:08x}", "openai-processing-ms": "41"})


def _error(status: int, message: str, code: str, kind: str = "invalid_request_error") -> Reply:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Reply(status, body, {"x-request-id": "req_error"})
