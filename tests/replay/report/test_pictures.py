"""Pictures of what drifted: of every medium, few, small, and left out where there is nothing to draw."""

from dataclasses import replace

import pytest

from registry.drafting import Draft, Incoming
from registry.manifest import Model, Provider
from registry.record import record
from replay.generating import Ask, generate
from replay.preparing import Change
from replay.report import pictures
from replay.report.html import render
from replay.report.pictures import Shown
from replay.rerun import replay

ASK = Ask(provider="procedural", model="procedural-image@1", operation="image.generate", prompt="sea at dawn", seed="3",
          settings={}, inputs=[], workflow=None, subject=None, labels={}, parents=[])  # fmt: skip


def row_of(manifest, generation, kind):
    verdict = {"kind": "drifted", "reason": None, "sentence": "It drifted."}
    return {"id": manifest, "media": [kind], "replays": [{"generation": generation, "verdicts": [verdict]}]}


@pytest.fixture
def drifted(local_registry):
    """A generation and its replay by another version: ``drifted("image", width=64)``."""

    def make(kind, operation, **settings):
        ask = replace(ASK, model=f"procedural-{kind}@1", operation=operation, settings=settings)
        made = generate(local_registry, ask)
        answer = replay(local_registry, made.id, change=Change(model=f"procedural-{kind}@2"))
        return row_of(made.id, answer.replays[0].recorded.id, kind)

    return make


@pytest.mark.parametrize(
    ("kind", "operation", "settings", "caption"),
    [
        ("image", "image.generate", {"width": 96, "height": 64}, "replay"),
        ("video", "video.generate", {"width": 96, "height": 64, "frames": 6}, "replay, first frame"),
        ("audio", "speech.generate", {}, "replay, loudness of each tone over time"),
    ],
)
def test_the_recorded_output_stands_beside_its_replay(local_registry, drifted, kind, operation, settings, caption):
    shown = Shown(local_registry)(drifted(kind, operation, **settings))

    assert [one.caption for one in shown][1] == caption
    assert all(one.uri.startswith("data:image/webp;base64,") and len(one.uri) < 100_000 for one in shown)
    assert shown[0].uri != shown[1].uri


def test_the_original_is_what_the_replay_was_held_against(local_registry, drifted):
    """After an approval that is no longer the manifest that the suite names."""
    row = drifted("image", "image.generate", width=96, height=64)
    other = generate(local_registry, replace(ASK, prompt="forest", settings={"width": 96, "height": 64})).id

    assert Shown(local_registry)(row | {"id": other}) == Shown(local_registry)(row)


def test_transcripts_are_shown_as_words(local_registry, tmp_path):
    ids = []
    for name, words in (("a.txt", "the cat sat on the mat"), ("b.txt", "the cat lay on the mat")):
        (tmp_path / name).write_text(words * 3)
        draft = Draft(provider=Provider(name="whisper"), model=Model(requested="m"), outputs=[Incoming(file=name)])
        ids.append(record(local_registry, draft, {name: tmp_path / name}).id)

    (shown,) = Shown(local_registry)(row_of(*ids, "transcript"))

    assert ("gone", "sat") in shown.words and ("new", "lay") in shown.words


def test_pictures_are_few_and_small(local_registry, drifted, monkeypatch):
    row = drifted("image", "image.generate", width=96, height=64)
    monkeypatch.setattr(pictures, "MOST_MANIFESTS", 2)
    few = Shown(local_registry)
    assert [len(few(row)) for _ in range(3)] == [2, 2, 0]

    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    assert Shown(local_registry)(row) == ()


def test_what_was_erased_or_never_made_has_no_pictures(local_registry, drifted):
    row = drifted("image", "image.generate", width=96, height=64)
    digest = local_registry.catalog.manifest(row["id"]).outputs[0].digest["blake3"]
    shown = Shown(local_registry)
    local_registry.assets.remove(digest)

    assert shown(row) == () and shown(row | {"replays": []}) == ()


def test_a_page_takes_them(local_registry, drifted, results_by_name):
    row = drifted("image", "image.generate", width=96, height=64)
    result = results_by_name["drifted"]
    result["manifests"][1] |= row | {"replays": [result["manifests"][1]["replays"][0] | row["replays"][0]]}

    page = render(result, Shown(local_registry))

    assert page.count("data:image/webp;base64,") == 2
