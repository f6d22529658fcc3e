"""Approvals over whole runs: what becomes the baseline in each regime, and what cannot be approved."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry import approvals
from registry.approvals import NotApprovable, accepted_replays, approve, baseline_of
from registry.canonical import parse
from registry.errors import ExchangeConflict, InvalidValue, NotFound
from registry.journal.runs import Runs
from registry.sealing import seal
from registry.show import calibration_of
from replay.calibrating import calibrate
from replay.generating import Ask, generate
from replay.report.html import render
from replay.rerun import replay
from replay.suites.driving import drive
from replay.suites.file import parse_suite
from replay.suites.plan import Plan
from replay.suites.planning import Asked, plan_of
from replay.suites.selecting import Lock
from replay.suites.wanting import beginning

BY = {"by": "Ada Example", "reason": "the new look is wanted"}


pytestmark = pytest.mark.usefixtures("same_chance_every_time")


@pytest.fixture
def made(local_registry):
    """Makes a picture: ``made("none", prompt="sea")``."""

    def make(noise="none", prompt="forest at dawn"):
        settings = {"width": 64, "height": 64, "noise": noise}
        return generate(
            local_registry, Ask("procedural", "procedural-image@1", prompt=prompt, seed="5", settings=settings)
        ).id

    return make


@pytest.fixture
def checked(local_registry, tmp_path):
    """Checks manifests by a suite: ``checked(ids, model="procedural-image@2")``; gives the run's id and its result."""

    def check(*manifests, model=None, offline=False, policy="{alpha: 0.05, replays: {baseline: 3, gate: 2, max: 5}}"):
        text = "format: mintmark/suite/v1\nname: sample\nselect: [{labels: {app: x}}]\n"
        text += f"policies: {{image.generate: {policy}}}\n" + (f"target: {{model: {model}}}\n" if model else "")
        suite = parse_suite(tmp_path / "suite.yaml", text.encode())
        plan = plan_of(local_registry, suite, Lock(manifests, "0" * 64), Asked(offline=offline))
        wanted = [(one.manifest, one.ordinal, one.purpose) for one in beginning(plan)]
        run_id = Runs(local_registry.catalog.database).create("sample", plan.to_json(), wanted)
        return run_id, drive(local_registry, run_id, jobs=1).result

    return check


def kinds(result):
    return [one["verdict"]["reason"] or one["verdict"]["kind"] for one in result["manifests"]]


def approved(registry, run):
    return approve(registry, run, **BY).subjects[0]


def test_an_approved_change_takes_the_place_of_a_deterministic_baseline(local_registry, made, checked):
    one = made()
    calibrate(local_registry, one, 3)
    run, result = checked(one, model="procedural-image@2")
    assert kinds(result) == ["drifted"] and result["manifests"][0]["original"] is None

    subject = approved(local_registry, run)

    new = result["manifests"][0]["replays"][-1]["generation"]
    assert (subject.effect, subject.baseline, subject.replays[-1]) == ("replaces", one, new)
    assert baseline_of(local_registry, one) == new
    # The suite without its target now sends what was approved, and is held against it.
    again, result = checked(one)
    assert kinds(result) == ["reproduced"] and result["manifests"][0]["model"] == "procedural-image@2"
    assert Plan.from_json(Runs(local_registry.catalog.database).get(again).plan).cases[0].original == new
    assert result["manifests"][0]["calibration"] is None
    assert result["manifests"][0]["original"] == new
    assert f"approved replay {new[7:19]}" in render(result)
    calibrate(local_registry, one, 3)
    assert calibration_of(local_registry, new)["manifest"] == new
    _, after = checked(one, model="procedural-image@1")
    assert kinds(after) == ["drifted"]  # the old version


def test_a_replay_found_the_same_leaves_baseline_and_calibration_as_they_are(local_registry, made, checked):
    one = made()
    calibrate(local_registry, one, 3)
    run, result = checked(one)

    subject = approved(local_registry, run)

    assert kinds(result) == ["reproduced"] and subject.effect == "joins"
    assert baseline_of(local_registry, one) == one and accepted_replays(local_registry, one) == subject.replays
    _, again = checked(one)
    assert again["manifests"][0]["calibration"] == result["manifests"][0]["calibration"] is not None


def test_an_approved_alarm_beyond_numeric_noise_is_the_new_reference_and_wants_its_own_calibration(
    local_registry, made, checked
):
    one = made("seeded")
    calibrate(local_registry, one, 5, alpha=0.05)
    run, result = checked(one, model="procedural-image@2")
    assert kinds(result) == ["drifted"] and result["manifests"][0]["regime"] == "seeded"

    new = approved(local_registry, run).replays[-1]

    assert baseline_of(local_registry, one) == new
    _, unknown = checked(one)
    assert kinds(unknown) == ["uncalibrated"]  # what is known of the old version's noise says nothing of the new one's
    calibrate(local_registry, one, 5, alpha=0.05)
    _, known = checked(one)
    assert kinds(known) == ["within-noise"]
    assert replay(local_registry, one, alpha=0.05).held == new


def test_approved_free_samples_join_the_baseline(local_registry, made, checked):
    one, two = made("free", "sea at dawn"), made("free", "forest at noon")
    for manifest in (one, two):
        calibrate(local_registry, manifest, 4)
    strict = "{alpha: 0.001, replays: {baseline: 3, gate: 2, max: 5}}"  # beyond what so few can decide, hence fast
    run, result = checked(one, two, policy=strict)
    before = [row["baseline"] for row in result["manifests"]]

    done = approve(local_registry, run, manifests=[one], **BY)

    (subject,) = done.subjects
    assert subject.effect == "joins" and baseline_of(local_registry, one) == one
    later, result = checked(one, two, policy=strict)
    plan = Plan.from_json(Runs(local_registry.catalog.database).get(later).plan)
    assert set(subject.replays) <= set(plan.case(one).baseline)
    assert result["manifests"][0]["baseline"] >= before[0] + len(subject.replays)
    assert set(subject.replays) <= set(result["gate"]["test"]["baseline_runs"])
    # A single manifest's own looks count them too.
    test = replay(local_registry, one, times=1)
    assert test.regime == "unseeded"


def test_free_samples_of_another_model_or_with_replace_begin_anew(local_registry, made, checked):
    one = made("free")
    calibrate(local_registry, one, 4)
    run, _ = checked(one, model="procedural-image@2")

    subject = approved(local_registry, run)

    assert subject.effect == "replaces" and len(subject.replays) == 2
    assert baseline_of(local_registry, one) == subject.replays[-1]
    assert accepted_replays(local_registry, subject.replays[-1]) == subject.replays[:-1]
    other = made("free", "sea")
    calibrate(local_registry, other, 4)
    run, _ = checked(other)
    (subject,) = approve(local_registry, run, replace=True, **BY).subjects
    assert subject.effect == "replaces"


def test_approvals_follow_each_other(local_registry, made, checked):
    one = made()
    first, _ = checked(one, model="procedural-image@2")
    stale, _ = checked(one, model="procedural-image@2")
    new = approved(local_registry, first).replays[-1]

    with pytest.raises(NotApprovable, match="another baseline has been approved since"):
        approve(local_registry, stale, **BY)
    with pytest.raises(NotApprovable, match="Ada Example has approved it already"):
        approve(local_registry, first, **BY)
    back, result = checked(one, model="procedural-image@1")
    assert kinds(result) == ["uncalibrated"]
    newest = approved(local_registry, back)
    assert (newest.baseline, newest.effect) == (new, "replaces")
    assert baseline_of(local_registry, one) == newest.replays[-1]


def test_what_cannot_be_approved_is_refused_with_its_reason(local_registry, made, checked):
    one, two = made(), made(prompt="sea")
    runs = Runs(local_registry.catalog.database)
    run, _ = checked(one)
    with pytest.raises(NotFound, match="manifest in run-"):
        approve(local_registry, run, manifests=[two], **BY)
    with pytest.raises(NotFound):
        approve(local_registry, "run-" + "0" * 32, **BY)
    for said in ({"by": "", "reason": "x"}, {"by": "a\nb", "reason": "x"}, {"by": "a", "reason": " "}):
        with pytest.raises(InvalidValue):
            approve(local_registry, run, **said)
    offline, _ = checked(one, offline=True)
    with pytest.raises(NotApprovable, match="offline"):
        approve(local_registry, offline, **BY)
    plan = runs.get(run).plan
    unfinished = runs.create("sample", plan, [(one, 0, "first")])
    with pytest.raises(NotApprovable, match="has no result yet"):
        approve(local_registry, unfinished, **BY)
    failed = runs.create("sample", plan, [(one, 0, "first")])
    runs.settle(runs.replay(failed, one, 0), "failed", outcome="retryable", why="503 three times")
    drive(local_registry, failed, jobs=1)
    with pytest.raises(NotApprovable, match="ended as retryable"):
        approve(local_registry, failed, manifests=[one], **BY)
    with pytest.raises(NotApprovable, match="none of its 1 manifest can be"):
        approve(local_registry, failed, **BY)
    canceled = runs.create("sample", plan, [(one, 0, "first")])
    runs.cancel(canceled)
    drive(local_registry, canceled, jobs=1)
    with pytest.raises(NotApprovable, match="canceled before"):
        approve(local_registry, canceled, **BY)
    assert local_registry.catalog.about(one, "approval") == []


def test_manifests_that_cannot_be_approved_are_left_out_of_a_whole_run(local_registry, made, checked):
    one, two = made(), made(prompt="sea")
    run, result = checked(one, two, model="procedural-image@2")
    gone = result["manifests"][1]["replays"][0]["generation"]
    local_registry.assets.remove(local_registry.catalog.manifest(gone).outputs[0].digest["blake3"])

    done = approve(local_registry, run, **BY)

    assert [one.manifest for one in done.subjects] == [one]
    assert done.left_out == ((two, f"an output of replay {gone} was erased"),)


def test_an_approval_is_signed_logged_and_its_reason_sealed(local_registry, made, checked):
    one = made()
    run, _ = checked(one, model="procedural-image@2")

    done = approve(local_registry, run, **BY)

    stored = local_registry.catalog.get(done.record)
    value = parse(stored.body)
    assert stored.kind == "approval" and stored.signature and list(value["reason"]) == ["$seal"]
    assert value["by"] == "Ada Example" and value["record"] == Runs(local_registry.catalog.database).get(run).record
    assert b"the new look" not in stored.body
    assert [found.value for found in local_registry.vault.get(done.record)] == ["the new look is wanted"]
    new = done.subjects[0].replays[-1]
    assert [found.id for found in local_registry.catalog.about(new, "approval")] == [done.record]


@pytest.fixture
def over(registry, tmp_path):
    """A run of one picture that is over, on either database; gives the picture and the run."""
    settings = {"width": 64, "height": 64}
    one = generate(registry, Ask("procedural", "procedural-image@1", prompt="dusk", seed="5", settings=settings)).id
    text = f"format: mintmark/suite/v1\nname: sample\nselect: [{{manifest: '{one}'}}]\n"
    text += "target: {model: procedural-image@2}\n"
    plan = plan_of(registry, parse_suite(tmp_path / "suite.yaml", text.encode()), Lock((one,), "0" * 64), Asked())
    wanted = [(row.manifest, row.ordinal, row.purpose) for row in beginning(plan)]
    run = Runs(registry.catalog.database).create("sample", plan.to_json(), wanted)
    drive(registry, run, jobs=1)
    return one, run


@pytest.fixture
def at_once(monkeypatch):
    """Approves several times, each past its own look at the registry before any of them writes."""

    def approve_all(registry, run, *asked):
        gate = threading.Barrier(len(asked))

        def sealing(*args):
            gate.wait(20)
            return seal(*args)

        monkeypatch.setattr(approvals, "seal", sealing)
        with ThreadPoolExecutor(len(asked)) as pool:
            return [pool.submit(approve, registry, run, **BY | one) for one in asked]

    return approve_all


def test_two_people_who_approve_at_once_make_one_approval(registry, over, at_once):
    one, run = over

    asked = at_once(registry, run, *({"by": f"person {n}"} for n in range(4)))

    refused = [done.exception() for done in asked if done.exception()]
    assert len(refused) == 3 and all(isinstance(problem, NotApprovable) for problem in refused)
    assert len(registry.catalog.about(one, "approval")) == 1


def test_one_request_that_comes_twice_at_once_is_answered_alike(registry, over, at_once):
    one, run = over

    asked = at_once(registry, run, *[{"exchange_id": "order-12.a"}] * 2)
    later = approve(registry, run, **BY, exchange_id="order-12.a")

    answered = [done.result() for done in asked]
    assert {found.record for found in answered} == {later.record} and not later.new
    assert {found.subjects for found in answered} == {later.subjects}
    assert len(registry.catalog.about(one, "approval")) == 1
    with pytest.raises(ExchangeConflict):
        approve(registry, run, **BY, exchange_id="order-12.b")
