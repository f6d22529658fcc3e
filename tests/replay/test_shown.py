"""What ``show`` and the page of a generation say of its replays."""

from types import SimpleNamespace

import pytest

from registry.cli import run
from registry.show import view
from registry.web import pages, telling
from replay.calibrating import calibrate
from replay.generating import Ask, generate
from replay.preparing import Change
from replay.rerun import replay

pytestmark = pytest.mark.usefixtures("same_chance_every_time")
SMALL = {"width": 96, "height": 96}
OTHER = Change(model="procedural-image@2")


@pytest.fixture
def made_picture(local_registry):
    def make(noise="none"):
        settings = {**SMALL, "noise": noise}
        return generate(
            local_registry, Ask("procedural", "procedural-image@1", prompt="dawn", seed="5", settings=settings)
        ).id

    return make


@pytest.fixture
def shown(local_registry, monkeypatch, capsys):
    """``shown(id)``: the lines of ``mintmark show``."""
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.settings.home))

    def show(manifest):
        capsys.readouterr()
        assert run(["show", manifest]) == 0
        return [line.strip() for line in capsys.readouterr().out.splitlines()]

    return show


@pytest.fixture
def page(local_registry):
    """``page(id)``: the HTML of its page."""
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(registry=local_registry)))
    return lambda manifest: pages.generation(request, manifest).body.decode()


def test_drift_of_another_model_is_told_as_such(local_registry, made_picture, shown, page):
    original = made_picture()
    replay(local_registry, original)
    other = replay(local_registry, original, times=2, change=OTHER)

    lines, html = shown(original), page(original)

    told = [line.split(None, 1)[1] for line in lines if line.startswith("replayed ")]
    assert told[0].startswith("reproduced: ")
    assert told[1].startswith("with procedural-image@2: drifted (2 replays): ")
    groups = telling.page_of(view(local_registry, original)).replays
    assert [(asked, len(replays)) for asked, replays in groups] == [(None, 1), ("procedural-image@2", 2)]
    assert html.index("reproduced</span>") < html.index("Asked of procedural-image@2, not of procedural-image@1")
    assert html.rindex("Asked of") < html.index("drifted</span>")
    own = [line for line in shown(other.replays[0].recorded.id) if line.startswith("verdict ")]
    assert "held against procedural-image@1: drifted: " in own[0]


def test_the_reason_is_told_and_a_long_sentence_once(local_registry, made_picture, shown, page):
    original = made_picture("seeded")
    calibrate(local_registry, original, 3)
    calibrate(local_registry, original, 5)
    replay(local_registry, original, times=3)

    lines, html = shown(original), page(original)

    assert any("undecided (resolution, 3 replays): 5 calibration replays cannot decide" in line for line in lines)
    assert html.count("5 calibration replays cannot decide") == 1 and html.count(">the same<") == 2
    assert html.count("undecided (resolution)</span>") == 3
    assert html.count("made to calibrate") == 8 and "not judged yet" not in html


def test_a_page_says_which_reason_there_is_against_a_replay(local_registry, made_picture, page):
    original = made_picture()
    assert "Never replayed." in page(original)

    local_registry.vault.erase([(original, found.pointer) for found in local_registry.vault.get(original)])

    html = page(original)
    assert "the vault no longer opens its request, and no record says that it was erased; restore the vault" in html
    assert "Never replayed." not in html
