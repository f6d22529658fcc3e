"""OpenAI: images (JSON and form), responses with the image tool, videos, transcriptions, moderations."""

import base64
import io
import time
import wave

from emulator import media
from emulator.server import Reply, Request, Vendor, events

SIZES = {"1024x1024": (64, 64), "1536x1024": (96, 64), "1024x1536": (64, 96), "auto": (64, 64)}


FRAMES = {"720x1280": (36, 64), "1280x720": (64, 36), "1024x1792": (36, 64), "1792x1024": (64, 36)}
WORDS = {"queued": "queued", "processing": "in_progress", "done": "completed"}
MODELS = {"gpt-image-1": "2026-12-01", "gpt-image-1.5": "2027-06-30", "gpt-image-2-2026-04-21": None}
HARMS = [
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
]  # fmt: skip


class OpenAI(Vendor):
    """No seed anywhere, so that every run makes another picture or film."""

    name = "openai"
    routes = (
        ("POST", "/v1/images/generations", "generations"),
        ("POST", "/v1/images/edits", "edits"),
        ("POST", "/v1/responses", "respond"),
        ("POST", "/v1/responses/{job}/cancel", "cancel"),
        ("GET", "/v1/responses/{job}", "response"),
        ("POST", "/v1/videos", "film"),
        ("GET", "/v1/videos/{job}/content", "content"),
        ("GET", "/v1/videos/{job}", "video"),
        ("POST", "/v1/audio/transcriptions", "transcribe"),
        ("POST", "/v1/moderations", "moderate"),
        ("GET", "/v1/models/{model}", "model"),
    )

    def model(self, request: Request) -> Reply:
        """A model, and the day of its shut-down where one is announced."""
        name = request.groups["model"]
        if name not in MODELS:
            return _error(404, f"The model '{name}' does not exist.", "model_not_found")
        told = {"id": name, "object": "model", "created": 1776729600, "owned_by": "system"}
        return Reply(200, {**told, "shutdown_date": MODELS[name]})

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
        if asked.get("stream") in (True, "true"):
            return self._streamed(
                body, int(asked.get("partial_images") or 0), "image_edit" if files else "image_generation"
            )
        return Reply(200, body, {"x-request-id": f"req_{number:08x}", "openai-processing-ms": "41"})

    def _streamed(self, body: dict, parts: int, kind: str) -> Reply:
        """The same pictures as events, each after a few drafts of it."""
        about = {name: body[name] for name in ("size", "quality", "background", "output_format")}
        about["created_at"] = body["created"]
        told = []
        for picture in body["data"]:
            for number in range(parts):
                draft = base64.b64encode(media.png("draft", number)).decode()
                shown = {"type": f"{kind}.partial_image", "b64_json": draft, "partial_image_index": number}
                told.append({**shown, **about})
            told.append({"type": f"{kind}.completed", **picture, **about, "usage": body["usage"]})
        if self.says("broken-stream") is not None:
            broken = {"type": "server_error", "message": "The worker ran out of memory.", "code": "server_error"}
            told[-1] = {"type": "error", "error": broken}
        return _events(*told)

    def respond(self, request: Request) -> Reply:
        """A language model that calls the image tool once, at once or in the background."""
        asked = request.json
        tools = [tool for tool in asked.get("tools", []) if tool["type"] == "image_generation"]
        if not asked.get("model") or not asked.get("input"):
            return _error(400, "Missing required parameter: 'model'.", "missing_required_parameter")
        if not tools:
            return _error(400, "This emulator only paints.", "invalid_value")
        self.charge(model=asked["model"])
        kind = next((kind for kind in ("blocked", "filtered") if self.says(kind) is not None), None)
        job = self.new_job(asked_for=asked, tool=tools[0], kind=kind, number=len(self.runs), canceled=False)
        if asked.get("stream"):
            return self._responding(job, tools[0])
        return _ok(self._response(job, "queued" if asked.get("background") else "completed"), len(self.runs))

    def _responding(self, job: str, tool: dict) -> Reply:
        """The same as events, with drafts of the picture."""
        draft = base64.b64encode(media.png("draft")).decode()
        part = {"type": "response.image_generation_call.partial_image", "output_index": 0, "item_id": "ig_1"}
        whole = self._response(job, "completed")
        told = [{"type": "response.created", "response": self._response(job, "in_progress")}]
        told += [
            {**part, "partial_image_index": n, "partial_image_b64": draft} for n in range(tool.get("partial_images", 0))
        ]
        told.append({"type": f"response.{whole['status']}", "response": whole})
        return _events(*({**one, "sequence_number": n} for n, one in enumerate(told)))

    def response(self, request: Request) -> Reply:
        """Where a response made in the background stands."""
        job = request.groups["job"]
        step = self.step(job)
        return _lost(job) if step is None else _ok(self._response(job, WORDS[step]), 0)

    def cancel(self, request: Request) -> Reply:
        """Stop one."""
        job = request.groups["job"]
        return _ok(self._response(job, "cancelled"), 0) if job in self.jobs else _lost(job)

    def _response(self, job: str, status: str) -> dict:
        state = self.jobs[job]
        asked, tool, done = state["asked_for"], dict(state["tool"]), status == "completed"
        output: list[dict] = []
        if done and state["kind"] == "blocked":
            refusal = [{"type": "refusal", "refusal": "I cannot paint that."}]
            output = [{"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": refusal}]
        elif done and state["kind"] == "filtered":
            status = "incomplete"
        elif done:
            picture = base64.b64encode(media.png(str(asked["input"]), state["number"])).decode()
            told = f"{asked['input']}, in morning light" if isinstance(asked["input"], str) else "a picture"
            output = [{"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": picture,
                       "revised_prompt": told, "size": tool.get("size", "1024x1024")}]  # fmt: skip
        used = {"input_tokens": 30, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}}
        used |= {"output_tokens": 60, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 90}
        return {
            "id": job, "object": "response", "created_at": int(time.time()), "status": status, "error": None,
            "incomplete_details": {"reason": "content_filter"} if status == "incomplete" else None,
            "instructions": asked.get("instructions"), "metadata": {}, "model": asked["model"], "output": output,
            "parallel_tool_calls": True, "temperature": 1.0, "top_p": 1.0, "tools": [tool], "tool_choice": "auto",
            "background": bool(asked.get("background")), "usage": used if done else None,
        }  # fmt: skip

    def film(self, request: Request) -> Reply:
        """``prompt``, ``model``, ``seconds``, ``size`` in a form, and a picture to begin with."""
        asked = request.fields()
        if not asked.get("prompt"):
            return _error(400, "Missing required parameter: 'prompt'.", "missing_required_parameter")
        self.charge(model=asked.get("model", "sora-2"))
        kind = next((kind for kind in ("blocked", "failed") if self.says(kind) is not None), None)
        job = self.new_job(asked_for=asked, kind=kind, number=len(self.runs))
        return _ok(self._video(job, "queued"), len(self.runs))

    def video(self, request: Request) -> Reply:
        """Where a film stands."""
        job = request.groups["job"]
        step = self.step(job)
        return _lost(job) if step is None else _ok(self._video(job, WORDS[step]), 0)

    def content(self, request: Request) -> Reply:
        """The film itself."""
        state = self.jobs.get(request.groups["job"])
        if state is None or self.emulator.planned("expired", "/content", "GET"):
            return _lost(request.groups["job"])
        width, height = FRAMES[state["asked_for"].get("size", "720x1280")]
        film = media.mp4(state["asked_for"]["prompt"], state["number"], width=width, height=height)
        return Reply(200, film, {"content-type": "video/mp4"})

    def _video(self, job: str, status: str) -> dict:
        state, error = self.jobs[job], None
        if status == "completed" and state["kind"] == "blocked":
            error = {"code": "moderation_blocked", "message": "Your request was blocked by our moderation system."}
        elif status == "completed" and state["kind"] == "failed":
            error = {"code": "video_generation_failed", "message": "The worker ran out of memory."}
        asked, done = state["asked_for"], status == "completed"
        now = int(time.time())
        return {
            "id": job, "object": "video", "created_at": now, "model": asked.get("model", "sora-2"),
            "status": "failed" if error else status, "progress": 100 if done else 10,
            "seconds": asked.get("seconds", "4"), "size": asked.get("size", "720x1280"), "prompt": asked["prompt"],
            "remixed_from_video_id": None,
            "completed_at": now if done else None, "expires_at": now + 3600 if done else None, "error": error,
        }  # fmt: skip

    def transcribe(self, request: Request) -> Reply:
        """A sound in a form, words in each of the formats."""
        asked = request.fields()
        sounds = [content for name, filename, _, content in request.form() if filename and name == "file"]
        if not sounds or not asked.get("model"):
            return _error(400, "Missing required parameter: 'file'.", "missing_required_parameter")
        with wave.open(io.BytesIO(sounds[0])) as sound:
            length = sound.getnframes() / sound.getframerate()
        self.charge(model=asked["model"])
        words = media.transcript(len(sounds[0]))["text"]
        used = {"type": "duration", "seconds": length}
        form = asked.get("response_format", "json")
        if form == "srt":
            return _text(f"1\n00:00:00,000 --> 00:00:02,000\n{words}\n\n")
        if form == "vtt":
            return _text(f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{words}\n\n")
        if form == "text":
            return _text(words + "\n")
        if asked.get("stream") == "true":
            return _events(*_spoken(words, form))
        body = {"text": words, "usage": used}
        segment = {"start": 0.0, "end": 2.0, "text": words}
        if form == "verbose_json":
            numbers = {"seek": 0, "tokens": [50364, 440], "temperature": 0.0, "avg_logprob": -0.25}
            told = {"id": 0, **segment, **numbers, "compression_ratio": 1.25, "no_speech_prob": 0.01}
            body |= {"task": "transcribe", "language": "english", "duration": length, "segments": [told]}
        elif form == "diarized_json":
            told = {"type": "transcript.text.segment", "id": "seg_001", "speaker": "A", **segment}
            body |= {"task": "transcribe", "duration": length, "segments": [told]}
        return _ok(body, len(self.runs))

    def moderate(self, request: Request) -> Reply:
        """Text, or a list of texts and pictures: one verdict. Free: nothing is charged."""
        asked = request.json
        parts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        flagged = any("grim" in str(part) for part in parts)
        kinds = sorted(
            {"image" if isinstance(part, dict) and part["type"] == "image_url" else "text" for part in parts}
        )
        verdict = {
            "flagged": flagged,
            "categories": {harm: flagged and harm == "violence" for harm in HARMS},
            "category_scores": {harm: 0.97 if flagged and harm == "violence" else 0.001 for harm in HARMS},
            "category_applied_input_types": {harm: kinds if harm == "violence" else ["text"] for harm in HARMS},
        }
        return _ok({"id": "modr-1", "model": "omni-moderation-2024-09-26", "results": [verdict]}, 0)


def _spoken(words: str, form: str) -> list[dict]:
    """Words as they come; with who said them where that was asked for."""
    told = [{"type": "transcript.text.delta", "delta": f"{word} "} for word in words.split()]
    if form == "diarized_json":
        said = {"type": "transcript.text.segment", "id": "seg_001", "speaker": "A", "text": words}
        told.append({**said, "start": 0.0, "end": 2.0})
    tokens = {"type": "tokens", "input_tokens": 14, "output_tokens": 8, "total_tokens": 22}
    return [*told, {"type": "transcript.text.done", "text": words, "usage": tokens}]


def _events(*told: dict) -> Reply:
    headers = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_events"}
    return Reply(200, events(*told), headers)


def _ok(body: dict, number: int) -> Reply:
    return Reply(200, body, {"x-request-id": f"req_{number:08x}", "openai-processing-ms": "41"})


def _text(words: str) -> Reply:
    headers = {"content-type": "text/plain; charset=utf-8", "x-request-id": "req_text", "openai-processing-ms": "41"}
    return Reply(200, words.encode(), headers)


def _lost(job: str) -> Reply:
    return _error(404, f"No such job: {job}", "not_found")


def _error(status: int, message: str, code: str, kind: str = "invalid_request_error") -> Reply:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Reply(status, body, {"x-request-id": "req_error"})
