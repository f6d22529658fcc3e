"""Replays: recorded, scored, and judged by what is known of the provider, never by more."""

import datetime
from dataclasses import replace

import pytest

from drift.floor import Regime
from registry.canonical import parse
from registry.capture.description import Descriptions, shipped
from registry.erase import erase, plan_erasure
from registry.manifest import Outcome
from registry.record import ErasedMeanwhile, record
from registry.sealing import seals_in
from registry.verbatim import plain
from replay import generating, judging
from replay.generating import Ask, generate
from replay.preparing import Change
from replay.rerun import replay

SMALL = {"width": 96, "height": 96}


@pytest.fixture
def made_picture(local_registry):
    def make(noise="none", **more):
        settings = {**SMALL, "noise": noise}
        ask = Ask("procedural", "procedural-image@1", prompt="forest at dawn", seed="5", settings=settings, **more)
        return generate(local_registry, ask).id

    return make


def kinds(answer):
    return [verdict.kind for one in answer.replays for verdict in one.verdicts]


def test_three_replays_are_recorded_scored_and_reproduced(registry):
    ask = Ask("procedural", "procedural-image@1", prompt="forest at dawn", seed="5", settings=SMALL, labels={"a": "b"})
    original = generate(registry, ask).id

    answer = replay(registry, original, times=3)

    assert (kinds(answer), answer.exit_code, answer.regime) == (["reproduced"] * 3, 0, Regime.DETERMINISTIC)
    assert registry.catalog.replays(original) == [one.recorded.id for one in answer.replays]
    manifest = answer.replays[0].recorded.manifest
    assert (manifest.replay_of, manifest.recorder.capture, manifest.labels) == (original, "replay", {"a": "b"})
    drift = parse(registry.catalog.about(original, "drift")[0].body)
    assert (drift["baseline"], drift["verdict"]["kind"]) == (original, "reproduced")
    with registry.catalog.database.reading() as connection:
        assert registry.log.size(connection) == 1 + 1 + 3 + 3


def test_a_replay_seals_under_fresh_salts(local_registry, made_picture):
    original = made_picture()
    answer = replay(local_registry, original)

    before = seals_in(local_registry.catalog.manifest(original).to_json())
    after = seals_in(answer.replays[0].recorded.manifest.to_json())

    assert set(before) == set(after)
    assert not set(before.values()) & set(after.values())


@pytest.mark.parametrize("noise", ["seeded", "free"])
def test_noise_without_calibration_is_undecided_however_often(local_registry, made_picture, noise):
    answer = replay(local_registry, made_picture(noise), times=3)

    assert kinds(answer) == ["undecided"] * 3
    assert {verdict.reason_code for one in answer.replays for verdict in one.verdicts} == {"uncalibrated"}
    assert (answer.exit_code, answer.regime) == (4, Regime.UNKNOWN)


def test_one_replay_of_a_changed_build_is_undecided_until_somebody_repeats_itself(local_registry, made_picture):
    original = made_picture()

    first = replay(local_registry, original, change=Change(model="procedural-image@2"))
    second = replay(local_registry, original, change=Change(model="procedural-image@2"))

    assert (kinds(first), first.exit_code) == (["undecided"], 4)
    assert (kinds(second), second.exit_code) == (["drifted"], 1), "two runs of @2 agree and differ from @1"


def test_after_one_reproduction_a_changed_build_is_told_by_a_single_replay(local_registry, made_picture):
    original = made_picture()
    replay(local_registry, original)

    answer = replay(local_registry, original, change=Change(model="procedural-image@2"))

    assert kinds(answer) == ["drifted"]


def test_a_provider_that_changed_under_the_same_name_is_caught(local_registry, made_picture, monkeypatch):
    original = made_picture()
    monkeypatch.setattr("replay.generating.plain", lambda body: {**plain(body), "model": "procedural-image@2"})

    answer = replay(local_registry, original, times=2)

    assert kinds(answer) == ["drifted", "drifted"]


def test_what_is_lost_is_missing_and_never_erased(local_registry, made_picture):
    sealed, stored = made_picture(), made_picture(labels={"n": "2"})
    opened = [(sealed, found.pointer) for found in local_registry.vault.get(sealed)]
    local_registry.vault.erase(opened)
    closed = replay(local_registry, sealed).refused
    output = local_registry.catalog.manifest(stored).outputs[0]
    local_registry.assets.remove(output.digests.blake3)

    lost = replay(local_registry, stored).refused

    assert (closed.kind, closed.reason_code) == ("not-replayable", "missing")
    assert "/request/body/prompt" in closed.sentence and "restore the vault" in closed.sentence
    assert (lost.reason_code, lost.sentence.startswith(f"output 0 of {stored[7:19]}: ")) == ("missing", True)
    assert "restore the assets" in lost.sentence


def test_what_cannot_be_replayed_says_why(local_registry, picture, made, made_picture, monkeypatch):
    path = picture()
    foreign = record(local_registry, made(path), {str(path): path}).id
    failed = record(
        local_registry, made(operation="image.generate", outcome=Outcome(class_="failed", state="failed")), {}
    ).id
    blocked = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="forbidden-motif")).id
    erased = made_picture()
    plan = plan_erasure(local_registry, erased, fields=["prompt"], reason="asked", authority="test")
    erase(local_registry, plan)
    lost = made_picture(labels={"n": "2"})
    erase(local_registry, plan_erasure(local_registry, lost, fields=[], asset=True, all_references=True,
                                       reason="asked", authority="test"))  # fmt: skip

    reasons = [replay(local_registry, one).refused for one in (foreign, failed, blocked, erased, lost)]

    assert [found.reason_code for found in reasons] == ["unsupported", "unsupported", "unsupported", "erased", "erased"]
    assert replay(local_registry, foreign).exit_code == 4


def test_a_retired_model_is_not_replayable(local_registry, made_picture, monkeypatch):
    original = made_picture()
    known = shipped().by_id("procedural-image")
    retired = replace(known, retires={"procedural-image@1": datetime.date(2026, 9, 24)})
    monkeypatch.setattr("replay.preparing.shipped", lambda: Descriptions([retired]))

    answer = replay(local_registry, original)

    assert answer.refused.reason_code == "retired"
    assert "2026-09-24" in answer.refused.sentence
    assert local_registry.catalog.replays(original) == []


def test_a_description_that_is_gone_is_named(local_registry, made_picture, monkeypatch):
    original = made_picture()
    monkeypatch.setattr("replay.preparing.shipped", lambda: Descriptions([]))

    refused = replay(local_registry, original).refused

    assert refused.reason_code == "unsupported" and "no description 'procedural-image'" in refused.sentence


def test_another_version_of_the_description_replays_and_is_the_one_on_record(local_registry, made_picture, monkeypatch):
    original = made_picture()
    today = replace(shipped().by_id("procedural-image"), sha256="a" * 64)
    for module in ("replay.preparing", "registry.record"):
        monkeypatch.setattr(f"{module}.shipped", lambda: Descriptions([today]))

    answer = replay(local_registry, original)

    assert kinds(answer) == ["reproduced"]
    assert answer.replays[0].recorded.manifest.provider.description.sha256 == "a" * 64


def test_a_failing_replay_is_no_drift(local_registry, made_picture):
    original = made_picture()

    answer = replay(local_registry, original, change=Change(model="procedural-image@99"))

    assert (kinds(answer), answer.exit_code) == ([], 3)
    assert answer.replays[0].recorded.manifest.outcome.class_ == "rejected"


def test_another_seed_is_another_request(local_registry, made_picture):
    original = made_picture()
    replay(local_registry, original)

    answer = replay(local_registry, original, change=Change(seed="6"))

    assert answer.replays[0].recorded.manifest.seed.requested == "6"
    assert [verdict.reason_code for verdict in answer.replays[0].verdicts] == ["other-seed"]


def test_a_replay_of_what_is_erased_meanwhile_is_not_recorded(local_registry, made_picture, monkeypatch):
    original = made_picture()
    real = generating.run

    def erase_first(provider, call, **more):
        erase(local_registry, plan_erasure(local_registry, original, fields=["prompt"], reason="r", authority="a"))
        return real(provider, call, **more)

    monkeypatch.setattr(generating, "run", erase_first)

    with pytest.raises(ErasedMeanwhile):
        replay(local_registry, original)

    assert local_registry.catalog.replays(original) == []
    assert local_registry.index.with_words("forest dawn") == []


def test_fewer_outputs_than_recorded_are_no_pass(local_registry, picture, made, made_picture, monkeypatch):
    original = made_picture()
    real = judging.output_files
    none_of_replays = lambda registry, run, manifest: [] if manifest.replay_of else real(registry, run, manifest)  # noqa: E731
    monkeypatch.setattr(judging, "output_files", none_of_replays)

    answer = replay(local_registry, original)

    assert [verdict.reason_code for verdict in answer.replays[0].verdicts] == ["missing-output"]
    assert answer.exit_code == 4


def test_two_inputs_of_one_role_both_reach_the_record(local_registry, picture):
    first, second = picture("a.png", seed=1, size=(80, 80)), picture("b.png", seed=2, size=(80, 80))
    inputs = [("reference", first), ("reference", second)]
    ask = Ask("procedural", "procedural-image@1", prompt="x", settings=SMALL, inputs=inputs)

    recorded = generate(local_registry, ask)

    assert [given.role for given in recorded.manifest.inputs] == ["reference", "reference"]
    assert len({given.digest["sha256"] for given in recorded.manifest.inputs}) == 2
