"""AUTOMATIC1111's web UI: pictures in base64, facts as JSON within a text; from its published source."""

import base64
import json

from emulator import media
from emulator.server import Reply, Request, Vendor

LOADED, KNOWN = "9aba26abdf", {"9aba26abdf", "6ce0161689"}


class Automatic1111(Vendor):
    """Paints with the checkpoint that is asked for, if it has it; takes no key."""

    name = "automatic1111"
    routes = (
        ("POST", "/sdapi/v1/txt2img", "paint"),
        ("POST", "/sdapi/v1/img2img", "repaint"),
    )

    def repaint(self, request: Request) -> Reply:
        """From pictures in base64."""
        sources = request.json.get("init_images")
        if not sources:
            return Reply(404, {"detail": "Init image not found"})
        return self._painted(request.json, [base64.b64decode(source.rpartition(",")[2]) for source in sources])

    def paint(self, request: Request) -> Reply:
        """From words."""
        return self._painted(request.json, [])

    def _painted(self, asked: dict, sources: list[bytes]) -> Reply:
        wanted = (asked.get("override_settings") or {}).get("sd_model_checkpoint", LOADED)
        served = wanted.rpartition("[")[2].rstrip("]")
        served = served if served in KNOWN else LOADED  # without a word
        self.charge(model=served)
        seed = asked.get("seed", -1)
        seed = 1000 + len(self.runs) if seed == -1 else seed
        pictures = [
            media.png(served, asked.get("prompt", ""), seed + n, [len(source) for source in sources])
            for n in range(asked.get("batch_size", 1))
        ]
        if (fewer := self.says("fewer")) is not None:
            pictures = pictures[: fewer.get("left", 0)]
        info = {
            "prompt": asked.get("prompt", ""),
            "seed": seed,
            "all_seeds": [seed],
            "subseed": 77,
            "sd_model_hash": served,
        }
        coded = [base64.b64encode(picture).decode() for picture in pictures]
        return Reply(200, {"images": coded, "parameters": asked, "info": json.dumps(info)})
