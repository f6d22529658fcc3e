"""The worked suite of docs/drift.md, run as it is printed there, on real pictures of the embedded provider."""

import re
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from replay.providers.body import Body
from replay.providers.procedural import request
from replay.providers.procedural.image import make_image

PAGE = Path(__file__).parents[2] / "docs" / "drift.md"
PROMPTS = ["a lighthouse at dusk", "a red bicycle", "mountains in fog", "a bowl of lemons", "waves on a beach", "dunes"]


def pictures(folder, prompt, version, number):
    for n in range(number):
        (folder / str(n)).mkdir(parents=True)
        body = Body({"model": version, "prompt": prompt, "noise": "free", "width": 256, "height": 256})
        made = make_image(body, folder / str(n)).outputs[0].path
        made.rename(folder / f"{n}.png")
        (folder / str(n)).rmdir()


@pytest.fixture
def suite(tmp_path, monkeypatch):
    drawn = count(1)  # an answer with an error rate must not make a test that has one
    monkeypatch.setattr(request, "draw_seed", lambda: str(next(drawn)))

    def make(version):
        for n, prompt in enumerate(PROMPTS):
            pictures(tmp_path / "suite" / f"{n:02}" / "baseline", prompt, "procedural-image@1", 5)
            pictures(tmp_path / "suite" / f"{n:02}" / "replays", prompt, version, 2)
        return tmp_path

    return make


def test_the_printed_code_finds_the_changed_build(suite):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=suite("procedural-image@2"), capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Changed: 6 prompts"), done.stdout
    assert re.search(r"^glob\.coherent +p = 0\.00", done.stdout, re.MULTILINE)
