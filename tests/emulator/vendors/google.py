"""Google's Gemini API: pictures by generateContent and predict; what is refused comes with HTTP 200."""

import base64

from emulator import media
from emulator.server import Reply, Request, Vendor


class Google(Vendor):
    """Nano Banana and Imagen; the same seed makes the same picture."""

    name = "google"
    routes = (
        ("POST", "/{version}/models/{model}:generateContent", "generate"),
        ("POST", "/{version}/models/{model}:predict", "predict"),
    )

    def unauthorized(self) -> Reply:
        """As Google says it: with 400."""
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return _error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", [reason])

    def generate(self, request: Request) -> Reply:
        """``contents`` of parts: text, and pictures as ``inlineData``."""
        asked = request.json
        parts = [part for content in asked["contents"] for part in content["parts"]]
        words = " ".join(part["text"] for part in parts if part.get("text"))
        files = [_plain(part["inlineData"]["data"]) for part in parts if "inlineData" in part]
        if not words:
            return _error(400, "* GenerateContentRequest.contents: contents is not specified", "INVALID_ARGUMENT")
        if self.says("quota") is not None:
            violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
            failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
            return _error(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", [failure])
        self.charge(model=request.groups["model"])
        told = {"modelVersion": request.groups["model"], "responseId": f"resp-{len(self.runs)}"}
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 1290, "totalTokenCount": 1297}
        if self.says("blocked") is not None:
            return Reply(200, {**told, "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage})
        if self.says("filtered") is not None:
            message = "Unable to show the generated image. The image was filtered out."
            stopped = {"finishReason": "IMAGE_SAFETY", "finishMessage": message, "index": 0}
            return Reply(200, {**told, "candidates": [stopped], "usageMetadata": usage})
        config = asked.get("generationConfig", {})
        made = [self._candidate(request, words, files, config, n) for n in range(config.get("candidateCount", 1))]
        return Reply(200, {**told, "candidates": made, "usageMetadata": usage})

    def _candidate(self, request: Request, words: str, files: list[bytes], config: dict, number: int) -> dict:
        seed = config.get("seed", len(self.runs))
        size = {"16:9": (96, 54), "9:16": (54, 96)}.get(config.get("imageConfig", {}).get("aspectRatio"), (64, 64))
        data = media.png(words, seed, number, [len(file) for file in files], width=size[0], height=size[1])
        draft = {"thought": True, "inlineData": {"mimeType": "image/png", "data": _coded(media.png(words, "draft"))}}
        picture = {"inlineData": {"mimeType": "image/png", "data": _coded(data)}}
        if self.says("malformed") is not None:
            picture["inlineData"]["data"] += "%%%"
        words_alone = self.says("words") is not None
        parts = [{"text": "Here it is."}] if words_alone else [draft, {"text": "Here it is."}, picture]
        return {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": number}

    def predict(self, request: Request) -> Reply:
        """``instances`` with a prompt, ``parameters`` for all."""
        asked = request.json
        prompt, wishes = asked["instances"][0].get("prompt"), asked.get("parameters", {})
        if not prompt:
            return _error(400, "Invalid prompt.", "INVALID_ARGUMENT")
        self.charge(model=request.groups["model"])
        if self.says("blocked") is not None:
            filtered = [{"raiFilteredReason": "Unable to show generated images: they violated our policies."}]
            return Reply(200, {"predictions": filtered} if wishes.get("includeRaiReason") else {})
        count = wishes.get("sampleCount", 1)
        seed = wishes.get("seed", len(self.runs))
        pictures = [_coded(media.png(prompt, seed, number)) for number in range(count)]
        if (fewer := self.says("fewer")) is not None:
            pictures = pictures[: fewer.get("left", 1)]
        made = [{"bytesBase64Encoded": text, "mimeType": "image/png"} for text in pictures]
        return Reply(200, {"predictions": made}, {"x-request-id": f"imagen-{len(self.runs)}"})


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _plain(text: str) -> bytes:
    """Both alphabets are taken."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _error(status: int, message: str, code: str, details: list | None = None) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "status": code, "details": details or []}})
