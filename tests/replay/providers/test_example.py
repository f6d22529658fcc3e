"""The provider of docs/providers.md works as it stands there: description and emulated vendor."""

import re
from pathlib import Path

import httpx
import pytest

from registry.capture.description import load
from registry.capture.request import template_request
from replay.outcome import OutcomeClass, Safety
from replay.provider import Call, run
from replay.providers.http.engine import HttpProvider

PAGE = (Path(__file__).parents[3] / "docs" / "providers.md").read_text("utf-8")
KEY = "sk-canary-8f2d1c77e0b94a"


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def painter(tmp_path):
    path = tmp_path / "painter-images.toml"
    path.write_text(block("toml"), encoding="utf-8")
    return load(path)


def test_twenty_lines_are_a_provider(painter, emulator, tmp_path):
    names = {}
    exec(compile(block("python"), "docs/providers.md", "exec"), names)
    emulator.vendors["painter"] = names["Painter"](emulator)
    values = {"model": "painter-2026-04-21", "prompt": "a stone bridge", "seed": "7"}
    asked = Call(painter, {}, (), tmp_path, "key-1", template_request(painter, values), lambda digest: tmp_path)
    environment = {"MINTMARK_BASE_URL_PAINTER": emulator.url("painter"), "PAINTER_API_KEY": KEY}

    outcome = run(HttpProvider(painter, environment), asked, pause=lambda seconds: None)

    charged = emulator.charges("painter")
    del emulator.vendors["painter"]
    assert len(block("toml").splitlines()) <= 20
    assert (outcome.class_, outcome.safety) == (OutcomeClass.SUCCEEDED, Safety.NONE), outcome.error
    assert (outcome.actual_seed, charged, len(outcome.outputs)) == ("7", 1, 1)
    assert outcome.request_id == "r-1", "the id that came with the first answer"
    assert painter.pin("painter-2026-04-21") == "snapshot"


@pytest.mark.parametrize(
    ("vendor", "header", "status"),
    [
        ("google", {"x-goog-api-key": KEY}, 404),
        ("google", {"authorization": f"Bearer {KEY}"}, 400),
        ("deepgram", {"authorization": f"Token {KEY}"}, 404),
        ("deepgram", {"authorization": f"Bearer {KEY}"}, 401),
        ("comfyui", {}, 404),
    ],
)
def test_an_emulated_vendor_takes_the_key_as_its_description_says(emulator, vendor, header, status):
    assert httpx.get(f"{emulator.url(vendor)}/no/such/route", headers=header).status_code == status
