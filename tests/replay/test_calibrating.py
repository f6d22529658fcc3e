"""Calibration: the regime is learned from replays, recorded, and decides what later replays mean."""

import re

import pytest

from drift.assertions import Finding
from drift.floor import Regime
from drift.significance.sequential import BASELINE
from drift.verdict import Verdict
from registry.canonical import parse
from registry.schema import validate
from registry.show import view
from registry.web.telling import page_of
from replay import generating
from replay.calibrating import CalibrationFailed, calibrate, calibration_of
from replay.generating import Ask, generate
from replay.preparing import Change
from replay.rerun import replay

SMALL = {"width": 96, "height": 96}


pytestmark = pytest.mark.usefixtures("same_chance_every_time")


@pytest.fixture
def made_picture(local_registry):
    def make(noise, seed="5", **more):
        ask = Ask(
            "procedural",
            "procedural-image@1",
            prompt="forest at dawn",
            seed=seed,
            settings={**SMALL, "noise": noise},
            **more,
        )
        return generate(local_registry, ask).id

    return make


def judged(answer):
    return [verdict.reason_code or verdict.kind for one in answer.replays for verdict in one.verdicts]


def drift_records(registry, manifest_id):
    return [parse(found.body) for found in registry.catalog.about(manifest_id, "drift")]


def test_a_version_that_repeats_itself_is_known_after_three_replays(local_registry, made_picture):
    original = made_picture("none")

    found = calibrate(local_registry, original, 13)

    assert (found.regime, len(found.runs)) == (Regime.DETERMINISTIC, 3)
    answer = replay(local_registry, original, change=Change(model="procedural-image@2"))
    assert judged(answer) == ["drifted"]
    (record,) = drift_records(local_registry, original)
    assert (record["calibration"], record["test"], record["level"]) == (found.record, None, "decoded")


def test_numeric_noise_is_topped_up_and_a_change_is_told_from_it_by_two_replays(local_registry, made_picture):
    original = made_picture("seeded")

    found = calibrate(local_registry, original, 30)
    same = replay(local_registry, original, alpha=0.05)
    other = replay(local_registry, original, change=Change(model="procedural-image@2"))

    assert (found.regime, len(found.runs)) == (Regime.SEEDED, 13), "no more than 1 % takes"
    assert judged(other) == ["drifted", "drifted"], "the one that was asked for, and its confirmation"
    assert "twice in a row, p = 0.0095" in other.replays[0].verdicts[0].sentence
    assert set(judged(same)) == {"within-noise"}
    record = drift_records(local_registry, original)[-1]
    assert (record["regime"], record["level"], record["test"]["rule"]) == ("seeded", "perceptual", "seeded/1")
    assert record["test"]["baseline_runs"] == [original, *found.runs]
    assert record["test"]["replay_runs"] == [one.recorded.id for one in other.replays]


def test_five_replays_are_enough_for_five_percent_and_not_for_one(local_registry, made_picture):
    original = made_picture("seeded")

    found = calibrate(local_registry, original, 30, alpha=0.05)

    assert len(found.runs) == 5
    assert judged(replay(local_registry, original)) == ["resolution"]
    assert judged(replay(local_registry, original, alpha=0.05))[0] == "within-noise"


def test_free_samples_are_decided_together_as_soon_as_a_look_says_enough(local_registry, made_picture):
    original = made_picture("free")

    found = calibrate(local_registry, original, 19)
    few = replay(local_registry, original)
    many = replay(local_registry, original, times=20, change=Change(model="procedural-image@2"))

    assert (found.regime, len(found.runs)) == (Regime.UNSEEDED, 19)
    assert judged(few) == ["samples"] and "next look takes 5" in few.replays[0].verdicts[0].sentence
    for _ in range(3):
        assert judged(replay(local_registry, original)) == ["samples"]
    enough = replay(local_registry, original)
    assert judged(enough)[0] != "samples", "five single replays are as good as one run of five"
    said = enough.replays[0].verdicts[0].sentence
    assert "It counts 4 replays made earlier." in said
    assert said.endswith("No broken output in 5: at 95 % fewer than 3/5 (60 %) are broken.")
    assert set(judged(many)) == {"drifted"} and len(many.replays) < 20
    assert len({verdict.sentence for one in many.replays for verdict in one.verdicts}) == 1
    test = drift_records(local_registry, original)[-1]["test"]
    assert (test["rule"], len(test["baseline_runs"]), len(test["replay_runs"])) == (
        "sequential/1",
        20,
        len(many.replays),
    )
    assert test["looks"][-1]["seed"] >= int(original[7:20], 16), "the relabelings can be drawn again"


def test_too_small_a_baseline_of_free_samples_says_what_it_takes(local_registry, made_picture):
    original = made_picture("free")
    calibrate(local_registry, original, 3)

    answer = replay(local_registry, original, times=5)

    assert judged(answer) == ["resolution"] * 5
    assert "There are 4 baseline outputs" in answer.replays[0].verdicts[0].sentence
    assert "--calibrate 19" in answer.replays[0].verdicts[0].sentence


def test_exact_levels_are_asked_for_whatever_the_regime_allows(local_registry, made_picture):
    original = made_picture("seeded")
    calibrate(local_registry, original, 13)

    assert judged(replay(local_registry, original, level="decoded")) == ["drifted"]


def test_a_calibration_is_a_valid_signed_record_of_its_manifest_alone(local_registry, made_picture):
    original = made_picture("seeded")
    first = calibrate(local_registry, original, 3)
    second = calibrate(local_registry, original, 4)
    calibrate(local_registry, original, 3)
    calibrate(local_registry, original, 2)

    value = parse(local_registry.catalog.get(second.record).body)
    validate("record/v1", value)
    assert value["runs"][0]["outputs"][0]["distance"] > 0
    assert calibration_of(local_registry, original) == second, "fewer replays take nothing away"
    assert first.record != second.record and len(second.runs) == 4
    assert calibration_of(local_registry, second.runs[0]) is None


def test_one_or_two_replays_that_differ_calibrate_nothing(local_registry, made_picture):
    original = made_picture("seeded")

    found = calibrate(local_registry, original, 2)

    assert found.regime is Regime.UNKNOWN and "it takes 3" in found.sentence
    assert calibration_of(local_registry, original) is None
    assert judged(replay(local_registry, original)) == ["uncalibrated"]


def test_what_cannot_be_replayed_cannot_be_calibrated(local_registry):
    blocked = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="forbidden-motif")).id

    found = calibrate(local_registry, blocked, 3)

    assert isinstance(found, Verdict) and found.kind == "not-replayable"


def test_a_provider_that_fails_on_the_way_calibrates_nothing(local_registry, made_picture, monkeypatch):
    original = made_picture("seeded")
    real, calls = generating.plain, []

    def broken_later(body):
        calls.append(body)
        return {**real(body), "prompt": "forbidden-motif"}

    monkeypatch.setattr(generating, "plain", broken_later)

    with pytest.raises(CalibrationFailed, match="blocked"):
        calibrate(local_registry, original, 3)
    assert calls and calibration_of(local_registry, original) is None


def test_a_broken_picture_is_drift_in_any_regime(local_registry, made_picture, monkeypatch, tmp_path):
    original = made_picture("free")
    calibrate(local_registry, original, 3)
    replayed = Finding("image.black/1", "failed", "the picture is black")
    fine = Finding("image.black/1", "ok", "the picture is not black")
    seen = []

    def check(path, *, limits):
        seen.append(path)
        return (fine,) if len(seen) == 1 else (replayed,)

    monkeypatch.setattr("replay.judging.check", check)

    answer = replay(local_registry, original)

    assert judged(answer) == ["drifted"] and "black" in answer.replays[0].verdicts[0].sentence


def test_what_is_known_of_a_generation_tells_its_regime(local_registry, made_picture):
    original = made_picture("seeded")
    assert view(local_registry, original).calibration is None

    found = calibrate(local_registry, original, 3)

    seen = view(local_registry, original)
    assert (seen.calibration["id"], seen.calibration["regime"]) == (found.record, "seeded")
    validate("view/v1", seen.to_json())
    page = page_of(seen)
    assert page.regime == "This version repeats itself but for noise (3 calibration replays)"
    assert seen.calibrated == frozenset(found.runs)
    assert page_of(view(local_registry, found.runs[0])).regime is None


def test_free_samples_of_sound_are_tested_like_those_of_pictures(local_registry):
    settings = {"noise": "free", "duration_ms": 500}
    original = generate(local_registry, Ask("procedural", "procedural-music@1", prompt="chords", settings=settings)).id
    assert calibrate(local_registry, original, BASELINE - 1).regime is Regime.UNSEEDED

    answer = replay(local_registry, original, times=5)

    assert answer.replays[0].verdicts[0].test["looks"][0]["rule"] == "manifest.audio/1"
    assert judged(answer)[0] in {"samples", "within-noise"}


def test_a_version_that_changed_before_it_was_calibrated_is_drift(local_registry, made_picture, monkeypatch):
    original = made_picture("seeded")
    real = generating.plain
    monkeypatch.setattr(generating, "plain", lambda body: {**real(body), "model": "procedural-image@2"})

    found = calibrate(local_registry, original, 13)

    assert found.apart and "changed since it was recorded" in found.sentence
    assert judged(replay(local_registry, original)) == ["drifted"]


@pytest.mark.parametrize(
    ("operation", "model", "short", "long"),
    [
        ("video.generate", "procedural-video@1", {"frames": 24}, {"frames": 12}),
        ("music.generate", "procedural-music@1", {"duration_ms": 2000}, {"duration_ms": 1000}),
    ],
)
def test_half_the_length_is_drift_however_alike_the_rest(local_registry, monkeypatch, operation, model, short, long):
    ask = Ask("procedural", model, operation=operation, prompt="waves", seed="5", settings={"noise": "seeded", **short})
    original = generate(local_registry, ask).id
    assert calibrate(local_registry, original, 5, alpha=0.05).regime is Regime.SEEDED
    real = generating.plain
    monkeypatch.setattr(generating, "plain", lambda body: {**real(body), **long})

    assert set(judged(replay(local_registry, original, alpha=0.05))) == {"drifted"}


def test_a_stored_floor_knows_which_way_is_worse(local_registry, made_picture):
    original = made_picture("seeded")
    calibrate(local_registry, original, 13)

    same = replay(local_registry, original)
    other = replay(local_registry, original, change=Change(model="procedural-image@2"))

    assert "Two replays with SSIM below 0." in same.replays[0].verdicts[0].sentence
    assert re.match(r"SSIM \S+ lies outside all 13 .* \(lowest 0\.", other.replays[0].verdicts[0].sentence)
