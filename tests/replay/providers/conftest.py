"""A server of emulated vendors, and a provider that speaks to it without waiting."""

import sys
from pathlib import Path

import pytest

from registry.capture.description import shipped
from registry.capture.request import Placed, template_request
from registry.digest import digests_of_file
from replay.provider import Call, run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.pace import Pace

sys.path.append(str(Path(__file__).parents[2]))  # the emulator is no test and no package of the product


@pytest.fixture(scope="session")
def running_emulator():
    """One server for the session."""
    from emulator.everybody import emulator  # noqa: PLC0415 - its folder is on the path only now

    with emulator() as running:
        yield running


@pytest.fixture
def emulator(running_emulator, monkeypatch):
    """The server with a clean memory; the environment points at it and holds its key."""
    from emulator.server import KEY  # noqa: PLC0415

    running_emulator.reset()
    for variable, url in running_emulator.environment().items():
        monkeypatch.setenv(variable, url)
    for description in shipped():
        if description.auth:
            monkeypatch.setenv(description.auth.secret, KEY)
    return running_emulator


class Bench:
    """Calls to emulated vendors: ``bench.call("openai-images", model=…, prompt=…)``."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.pauses, self.count = folder, environment, [], 0

    def provider(self, name, **more):
        pace = Pace(tries=3, pause=self.pauses.append, draw=lambda: 0.5, clock=lambda: 1_800_000_000.0)
        return HttpProvider(shipped().by_id(name), self.environment, pace, **more)

    def request(self, name, inputs=(), **values):
        description = shipped().by_id(name)
        files = {digests_of_file(path)[0].sha256: path for _, path, _ in inputs}
        placed = [
            Placed(role, digests_of_file(path)[0].to_json(), path.stat().st_size, kind) for role, path, kind in inputs
        ]
        self.count += 1
        workdir = self.folder / f"work-{self.count}"
        workdir.mkdir()
        request = template_request(description, values, placed)
        return Call(description, {}, (), workdir, "key-1", request, lambda digest: files[digest["sha256"]])

    def call(self, name, inputs=(), limit_s=60, most=1 << 30, **values):
        asked = self.request(name, inputs, **values)
        return run(self.provider(name, most=most), asked, limit_s=limit_s, pause=lambda seconds: None)


@pytest.fixture
def bench(emulator, tmp_path):
    """Calls without waiting; ``bench.pauses`` holds what would have been waited, in seconds."""
    import os  # noqa: PLC0415

    return Bench(tmp_path, dict(os.environ))
