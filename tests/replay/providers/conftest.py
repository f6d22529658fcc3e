"""A provider that speaks to the emulated vendors without waiting."""

import os

import pytest
from emulator import media

from registry.capture.description import shipped
from registry.capture.request import Placed, template_request
from registry.digest import digests_of_file
from replay.provider import Call, run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.pace import Pace


class Bench:
    """Calls to emulated vendors: ``bench.call("openai-images", model=…, prompt=…)``."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.pauses, self.count = folder, environment, [], 0

    def provider(self, name, **more):
        pace = Pace(tries=3, pause=self.pauses.append, draw=lambda: 0.5, clock=lambda: 1_800_000_000.0)
        return HttpProvider(shipped().by_id(name), self.environment, pace, **more)

    def request(self, name, inputs=(), **values):
        description = shipped().by_id(name)
        inputs = inputs or self._needed(description)
        files = {digests_of_file(path)[0].sha256: path for _, path, _ in inputs}
        placed = [
            Placed(role, digests_of_file(path)[0].to_json(), path.stat().st_size, kind) for role, path, kind in inputs
        ]
        self.count += 1
        workdir = self.folder / f"work-{self.count}"
        workdir.mkdir()
        request = template_request(description, values, placed)
        return Call(description, {}, (), workdir, "key-1", request, lambda digest: files[digest["sha256"]])

    def _needed(self, description):
        """A sound for what listens, a picture for what repaints, where none was given and none can be left out."""
        needed = {role: place.form for role, place in description.protocol.inputs.items()}
        if needed.get("audio") in ("file", "bytes"):
            sound = self.folder / "speech.wav"
            sound.write_bytes(media.wav("speech"))
            return [("audio", sound, "audio/wav")]
        if needed.get("image") == "base64":
            picture = self.folder / "source.png"
            picture.write_bytes(media.png("source"))
            return [("image", picture, "image/png")]
        return ()

    def call(self, name, inputs=(), limit_s=60, most=1 << 30, **values):
        asked = self.request(name, inputs, **values)
        return run(self.provider(name, most=most), asked, limit_s=limit_s, pause=lambda seconds: None)


@pytest.fixture
def bench(emulator, tmp_path):
    """Calls without waiting; ``bench.pauses`` holds what would have been waited, in seconds."""
    return Bench(tmp_path, dict(os.environ))
