"""Whole runs: what each regime, failure and limit of money comes to, whoever makes the replays and however often."""

import datetime
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from drift.assertions import Finding
from drift.floor import Regime
from drift.verdict import Verdict
from registry.capture.description import Descriptions, shipped
from registry.drafting import Draft, Incoming
from registry.journal.budgets import nanos_of
from registry.journal.runs import Runs
from registry.manifest import Model, Prompt, Provider, Seed
from registry.record import record
from registry.schema import validate
from registry.templating import templated
from registry.verbatim import plain
from replay import generating
from replay.calibrating import calibrate
from replay.consenting import ConsentNeeded, Declined, Terms, WrongCurrency
from replay.costing import Money
from replay.elsewhere import MayNotSend
from replay.generating import Ask, generate
from replay.judging import Judgement
from replay.preparing import output_files
from replay.recording import record_drift
from replay.report import html, markdown
from replay.suites import making
from replay.suites.deciding import Deciding
from replay.suites.file import parse_suite
from replay.suites.making import make_one
from replay.suites.plan import Amount, Plan
from replay.suites.planning import Asked, plan_of
from replay.suites.running import Finished, advance
from replay.suites.selecting import Lock
from replay.suites.starting import PricesUnknown, again, agree_again, raise_budget, start

UNSEEDED = Regime.UNSEEDED
NEXT = "target: {model: procedural-image@2}"


pytestmark = pytest.mark.usefixtures("same_chance_every_time")


def verdicts(result):
    return {
        one["name"]: one["verdict"] and (one["verdict"]["kind"], one["verdict"]["reason"])
        for one in result["manifests"]
    }


def records(registry, kind):
    return [found for one in _ids(registry) for found in registry.catalog.about(one, kind)]


def _ids(registry):
    with registry.catalog.database.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT id FROM generation WHERE replay_of IS NULL")]


def test_one_replay_decides_what_repeats_itself(local_registry, made, begun, ended):
    calibrate(local_registry, made("a"), 3)

    green, red = ended(begun()), ended(begun(NEXT))

    assert (verdicts(green), green["exit_code"]) == ({"a": ("reproduced", None)}, 0)
    assert green["exit_reason"] == "1 of 1 reproduced"
    assert (verdicts(red), red["exit_code"]) == ({"a": ("drifted", None)}, 1)
    assert red["exit_reason"] == "drifted: 1 of 1 manifest"
    assert [len(one["replays"]) for one in red["manifests"]] == [1]
    validate("run/v1", red)


def test_a_seeded_manifest_is_confirmed_before_it_is_called_drifted(local_registry, made, begun, ended):
    calibrate(local_registry, made("a", "seeded"), 5, alpha=0.05)
    policy = "policies: {image.generate: {alpha: 0.05}}"

    green, red = ended(begun(policy)), ended(begun(f"{policy}\n{NEXT}"))

    assert (verdicts(green), verdicts(red)) == ({"a": ("within-noise", None)}, {"a": ("drifted", None)})
    assert [one["purpose"] for one in red["manifests"][0]["replays"]] == ["first", "confirm"]


def test_what_is_not_calibrated_is_undecided_unless_it_is_equal(made, begun, ended):
    made("same"), made("noisy", "seeded")

    result = ended(begun())

    assert verdicts(result) == {"same": ("reproduced", None), "noisy": ("undecided", "uncalibrated")}
    assert (result["exit_code"], ended(begun("allow: {undecided: 1}"))["exit_code"]) == (4, 0)


def test_limits_decide_without_a_stated_error_rate(made, begun, ended):
    made("a", "seeded")

    kept = ended(begun("policies: {image.generate: {limits: {ssim: {min: 0.5}}}}"))
    broken = ended(begun("policies: {image.generate: {limits: {ssim: {min: 0.99999}}}}"))
    unmeasured = ended(begun("policies: {image.generate: {limits: {wer.norm: {max: 1}}}}"))

    assert [one["exit_code"] for one in (kept, broken, unmeasured)] == [0, 1, 4]
    assert "error rate not stated" in kept["manifests"][0]["verdict"]["sentence"]


def test_free_samples_are_tested_together_and_a_deep_suspect_alone(local_registry, made, begun, ended):
    calibrate(local_registry, made("deep", "free"), 19)
    calibrate(local_registry, made("thin", "free"), 4)
    made("new", "free")

    run = begun(f"{NEXT}\npolicies: {{image.generate: {{alpha: 0.05}}}}")
    result = ended(run, reverse=True)

    found = verdicts(result)
    assert result["gate"]["verdict"] == "drifted" and len(result["gate"]["manifests"]) == 2
    assert found == {
        "deep": ("drifted", None),
        "thin": ("undecided", "resolution"),
        "new": ("undecided", "uncalibrated"),
    }
    deep = next(one for one in result["manifests"] if one["name"] == "deep")
    assert [one["purpose"] for one in deep["replays"]] == ["gate", "gate", "look", "look", "look"]
    assert (deep["test"]["rule"], deep["test"]["gate"]) == ("sequential/1", "drifted")
    assert "20 can tell" in next(one for one in result["manifests"] if one["name"] == "thin")["verdict"]["sentence"]

    # Whoever decides it once more, from rows in any order, says the same.
    runs = Runs(local_registry.catalog.database)
    plan, rows = Plan.from_json(runs.get(run).plan), runs.replays(run)
    again = Deciding(local_registry, plan, rows[::-1])
    assert {
        one.name: (again.found(one).verdict.kind, again.found(one).verdict.reason_code) for one in plan.cases
    } == found
    record = local_registry.catalog.get(runs.get(run).record)
    assert record.kind == "run"


def test_a_small_baseline_says_how_much_it_takes_and_a_gate_what_it_cannot_see(
    local_registry, made, begun, ended, monkeypatch
):
    draws = map(str, itertools.count())
    monkeypatch.setattr("replay.providers.procedural.request.draw_seed", lambda: next(draws))
    calibrate(local_registry, made("a", "free"), 4)

    small = ended(begun("policies: {image.generate: {replays: {baseline: 9}}}"))
    weak = ended(begun("policies: {image.generate: {alpha: 0.3, replays: {gate: 4}, "
                       "min_power: {power: 0.99, effect: lightness, size: 0.001}}}"))  # fmt: skip

    assert verdicts(small) == {"a": ("undecided", "resolution")}
    assert "asks for 9" in small["manifests"][0]["verdict"]["sentence"]
    assert verdicts(weak) == {"a": ("undecided", "power")}
    assert weak["gate"]["sentence"].endswith("No broken output in 4: at 95 % fewer than 3/4 (75 %) are broken.")


def test_a_pass_of_free_samples_bounds_rare_failures_unless_there_is_one(
    local_registry, made, begun, ended, monkeypatch
):
    draws = map(str, itertools.count())
    monkeypatch.setattr("replay.providers.procedural.request.draw_seed", lambda: next(draws))
    calibrate(local_registry, made("a", "free"), 4)
    policy = "policies: {image.generate: {alpha: 0.06, replays: {gate: 4}}}"
    bound = "No broken output in 4: at 95 % fewer than 3/4 (75 %) are broken."

    whole = ended(begun(policy))
    found = iter([(Finding("image.black/1", "failed", "it is black"),)])
    monkeypatch.setattr("replay.measuring.failed", lambda findings: next(found, ()))
    broken = ended(begun(policy))

    assert verdicts(whole) == {"a": ("within-noise", None)} and verdicts(broken) == {"a": ("drifted", None)}
    assert whole["gate"]["sentence"].endswith(bound) and whole["manifests"][0]["verdict"]["sentence"].endswith(bound)
    assert bound in html.render(whole) and "No broken output in 4" in markdown.render(whole)
    assert broken["gate"]["verdict"] == "within-noise" and "No broken output" not in json.dumps(broken)


def test_a_failing_provider_is_an_error_and_never_drift(local_registry, made, begun, ended, monkeypatch):
    calibrate(local_registry, made("a"), 3)
    calibrate(local_registry, made("b"), 3)
    real = plain
    monkeypatch.setattr(generating, "plain", lambda body: {**real(body), "width": "broken"})

    run = begun()
    result = ended(run)

    assert (result["exit_code"], result["counts"]["errors"]) == (3, 2)
    assert all(one["verdict"] is None and one["error"]["class"] == "rejected" for one in result["manifests"])
    first = result["manifests"][0]
    assert first["replays"][0]["drift"] == []
    shown = first["replays"][0]["generation"].removeprefix("sha256:")[:12]
    assert first["error"]["why"] == f"The call to procedural ended as rejected: `mintmark show {shown}` says more."
    monkeypatch.undo()
    assert again(local_registry, run, errors=False) == 0
    assert again(local_registry, run, errors=True) == 2
    assert ended(run)["exit_code"] == 0


def test_drift_outranks_an_outage(local_registry, made, begun, ended, monkeypatch):
    calibrate(local_registry, made("a"), 3)
    calibrate(local_registry, made("b"), 3)
    real = plain
    broken = lambda body: {**real(body), **({"width": "?"} if "a at" in str(body) else {"model": "procedural-image@2"})}  # noqa: E731
    monkeypatch.setattr(generating, "plain", broken)

    result = ended(begun())

    assert (result["exit_code"], result["counts"]["errors"], verdicts(result)["b"]) == (1, 1, ("drifted", None))


def test_what_is_retired_or_an_alias_is_not_replayable(made, begun, ended, monkeypatch):
    made("a")
    known = shipped().by_id("procedural-image")
    retired = replace(known, retires={"procedural-image@1": datetime.date(2026, 9, 24)})
    monkeypatch.setattr("replay.preparing.shipped", lambda: Descriptions([retired]))

    result, allowed = ended(begun()), ended(begun("allow: {not_replayable: 1}"))

    assert verdicts(result) == {"a": ("not-replayable", "retired")}
    assert [(one["exit_code"], one["manifests"][0]["allowed"]) for one in (result, allowed)] == [(4, False), (0, True)]
    assert allowed["exit_reason"] == "nothing was reproduced, and the suite allows it: 1 not-replayable"
    monkeypatch.undo()
    monkeypatch.setattr("replay.preparing.shipped", lambda: Descriptions([replace(known, pin_patterns=())]))
    assert verdicts(ended(begun())) == {"a": ("not-replayable", "alias")}
    assert verdicts(ended(begun("allow_alias: true"))) == {"a": ("reproduced", None)}


def test_prompts_go_to_nobody_the_suite_does_not_name(local_registry, made, begun, ended, tmp_path):
    one = made("a")
    text = "format: mintmark/suite/v1\nname: x\nselect: [{labels: {app: x}}]\ntarget: {provider: openai, model: x}\n"

    with pytest.raises(MayNotSend, match="may_send_to"):
        plan_of(local_registry, parse_suite(tmp_path / "s.yaml", text.encode()), Lock((one,), "0" * 64), Asked())
    result = ended(begun("target: {provider: deepgram, model: nova-3}\nmay_send_to: [openai, deepgram]"))
    assert verdicts(result) == {"a": ("not-replayable", "unsupported")}


def test_another_provider_rehearses_and_reproduces_nothing(local_registry, emulator, begun, ended):
    settings = {"width": 64, "height": 64}
    labels = {"app": "x", "name": "a"}
    asked = Ask("replicate", "black-forest-labs/flux-schnell", prompt="a bridge", seed="7", settings=settings,
                labels=labels)  # fmt: skip
    one = generate(local_registry, asked).id
    here = "target: {provider: procedural, model: procedural-image@1}\nmay_send_to: [procedural]\n"

    plain_, limited = ended(begun(here)), ended(begun(here + "policies: {image.generate: {limits: {ssim: {min: -1}}}}"))
    offline = ended(begun(here, offline=True))

    sent = [local_registry.catalog.manifest(row["generation"]) for row in limited["manifests"][0]["replays"]]
    assert [(made.provider.name, made.model.requested, made.replay_of, made.seed.requested) for made in sent] == [
        ("procedural", "procedural-image@1", one, "7")
    ]
    assert verdicts(plain_) == {"a": ("undecided", "uncalibrated")}
    assert limited["exit_reason"] == "1 of 1 inside the limits"
    assert verdicts(limited) == {"a": ("within-noise", "limits")} and limited["manifests"][0]["replays"][0]["drift"]
    assert verdicts(offline)["a"][0] != "not-replayable" and offline["counts"]["replays"] == 1
    validate("run/v1", limited)


def test_equal_outputs_of_another_provider_are_alike_not_reproduced(local_registry, begun, ended):
    """What is recorded as Replicate's picture is the embedded renderer's own."""
    settings = {"width": 64, "height": 64}
    own = generate(
        local_registry, Ask("procedural", "procedural-image@1", prompt="a bridge", seed="7", settings=settings)
    )
    file = str(output_files(local_registry, own.id, own.manifest)[0])
    draft = Draft(
        provider=Provider(name="replicate"), model=Model(requested="black-forest-labs/flux-schnell"),
        operation="image.generate", prompt=Prompt(submitted="a bridge"), seed=Seed(requested="7"), settings=settings,
        labels={"app": "x", "name": "a"}, outputs=[Incoming(file=file)],
    )  # fmt: skip
    record(local_registry, templated(draft), {file: Path(file)})

    result = ended(begun("target: {provider: procedural, model: procedural-image@1}\nmay_send_to: [procedural]"))

    assert verdicts(result) == {"a": ("within-noise", None)} and result["exit_code"] == 0
    assert "procedural was asked, not replicate" in result["manifests"][0]["verdict"]["sentence"]
    [drift] = records(local_registry, "drift")[:1]
    assert json.loads(drift.body)["verdict"]["kind"] == "within-noise"


def test_offline_judges_what_is_recorded_and_never_says_reproduced(local_registry, made, begun, ended, monkeypatch):
    calibrate(local_registry, made("equal"), 3)
    calibrate(local_registry, made("changed"), 3)
    made("never")
    ended(begun(NEXT, select="{labels: {name: changed}}"))
    ended(begun(select="{labels: {name: equal}}"))
    monkeypatch.setattr(making, "run_again", lambda *_: pytest.fail("offline, nothing is sent"))

    same = ended(begun(offline=True))
    other = ended(begun(NEXT, offline=True))

    assert verdicts(same) == {name: ("undecided", "offline") for name in ("equal", "changed", "never")}
    assert verdicts(other)["changed"] == ("drifted", None) and other["exit_code"] == 1
    assert all(one["drift"] == [] for each in other["manifests"] for one in each["replays"])


def test_an_interrupted_replay_is_made_once(local_registry, made, begun, ended, monkeypatch):
    original = made("a")
    run = begun()
    ask = {"owner": "t", "pause": lambda s: None, "stopping": lambda: False}

    with monkeypatch.context() as patch:
        patch.setattr(Runs, "settle", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make_one(local_registry, run, original, 0, **ask)
    assert len(local_registry.catalog.replays(original)) == 1
    assert [one.manifest for one in advance(local_registry, run)] == [original]
    make_one(local_registry, run, original, 0, **{**ask, "stopping": lambda: True})
    assert not isinstance(advance(local_registry, run), Finished), "whoever is stopping begins nothing"
    make_one(local_registry, run, original, 0, **ask)
    make_one(local_registry, run, original, 0, **ask)

    first = ended(run)
    assert len(local_registry.catalog.replays(original)) == 1
    assert advance(local_registry, run).result == first
    assert [len(records(local_registry, kind)) for kind in ("drift", "run")] == [1, 1]


def test_a_run_that_dies_while_it_ends_is_ended_once(local_registry, made, begun, ended, monkeypatch):
    made("a"), made("b")
    run = begun()

    with monkeypatch.context() as patch:
        patch.setattr("replay.suites.finishing._record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ended(run)
    assert len(records(local_registry, "drift")) == 2
    ended(run)

    assert [len(records(local_registry, kind)) for kind in ("drift", "run")] == [2, 2], "one run speaks of both"


def test_a_canceled_run_says_so(local_registry, made, begun, ended):
    made("a")
    run = begun()
    Runs(local_registry.catalog.database).cancel(run)

    result = ended(run)

    assert (result["state"], result["exit_code"], verdicts(result)) == ("canceled", 4, {"a": ("undecided", "canceled")})
    agree_again(local_registry, run, Terms(), errors=False)  # it costs nothing
    assert again(local_registry, run, errors=False) == 1
    assert ended(run)["exit_code"] == 0


@pytest.fixture
def paid(local_registry, emulator, monkeypatch):
    """Three generations of Replicate's at 0.03 USD each; the emulator then forgets them."""
    monkeypatch.setattr(emulator.vendors["replicate"], "patience", 1)
    model = "black-forest-labs/flux-schnell"
    for n in range(3):
        generate(
            local_registry,
            Ask("replicate", model, prompt=f"bridge {n}", seed="7", labels={"app": "x", "name": f"n{n}"}),
        )
    emulator.vendors["replicate"].runs.clear()
    return emulator


def planned(registry, tmp_path, **asked):
    text = "format: mintmark/suite/v1\nname: x\nselect: [{labels: {app: x}}]\nallow_alias: true\n"
    suite = parse_suite(tmp_path / "s.yaml", text.encode())
    return plan_of(registry, suite, Lock(tuple(_ids(registry)), "0" * 64), Asked(**asked))


def test_nothing_is_paid_without_a_known_price_and_somebody_agreeing(local_registry, paid, tmp_path):
    plan = planned(local_registry, tmp_path)

    with pytest.raises(PricesUnknown, match="assume-cost") as told:
        start(local_registry, plan, Terms())
    assert '"assume_cost": {"amount": "0.04"' in told.value.over_http and "--assume" not in told.value.over_http
    assert paid.charges("replicate") == 0


def test_a_budget_ends_what_it_does_not_pay_for_and_more_of_it_goes_on(local_registry, paid, tmp_path, ended):
    plan = planned(local_registry, tmp_path, assume_cost=Amount(amount="0.03", currency="USD"))
    for terms, error in (
        (Terms(), ConsentNeeded),
        (Terms(ask=lambda bill: False), Declined),
        (Terms(budget=Money(nanos_of("9"), "EUR")), WrongCurrency),
    ):
        with pytest.raises(error) as told:
            start(local_registry, plan, terms)
    assert "the run costs up to 0." in str(told.value) and "a call costs" not in str(told.value)
    run = start(local_registry, plan, Terms(budget=Money(nanos_of("0.07"), "USD"))).run

    short = ended(run)

    assert (short["exit_code"], paid.charges("replicate")) == (4, 2)
    assert sorted(filter(None, (found and found[1] for found in verdicts(short).values())))[0] == "budget"
    assert "budget" in short["exit_reason"] and short["budget"]["spent"] == "0.06"
    why = next(one["verdict"]["sentence"] for one in short["manifests"] if (one["verdict"] or {}).get("reason"))
    assert why.endswith(f"nothing was sent: mintmark check --resume {run} --budget AMOUNT goes on"), why
    plan = Plan.from_json(Runs(local_registry.catalog.database).get(run).plan)
    raise_budget(local_registry, plan, Money(nanos_of("0.09"), "USD"))
    assert again(local_registry, run, errors=False) == 1
    whole = ended(run)
    assert (paid.charges("replicate"), whole["budget"]["spent"]) == (3, "0.09")


def test_what_was_canceled_is_not_paid_for_again_unless_somebody_agrees(local_registry, paid, tmp_path, ended):
    plan = planned(local_registry, tmp_path, assume_cost=Amount(amount="0.03", currency="USD"))
    run = start(local_registry, plan, Terms(yes=True)).run
    (first, *_), runs = advance(local_registry, run), Runs(local_registry.catalog.database)
    make_one(local_registry, run, first.manifest, first.ordinal, owner="t", pause=lambda s: None,
             stopping=lambda: False)  # fmt: skip
    runs.cancel(run)
    assert ended(run)["state"] == "canceled" and paid.charges("replicate") == 1
    asked = []

    def decline(bill):
        asked.append(bill)
        return False

    for terms, error in (
        (Terms(), ConsentNeeded),
        (Terms(ask=decline), Declined),
        (Terms(budget=Money(nanos_of("9"), "EUR")), WrongCurrency),
    ):
        with pytest.raises(error) as told:
            agree_again(local_registry, run, terms, errors=False)
        if error is ConsentNeeded:
            assert '--budget "0.09 USD" or --yes' in str(told.value), "in all, what was paid before included"
    assert "2 replays of a run that was canceled" in asked[0] and "up to 0.06 USD" in asked[0]
    assert runs.state(run) == "canceled"

    agree_again(local_registry, run, Terms(yes=True), errors=False)
    assert again(local_registry, run, errors=False) == 2
    assert ended(run)["budget"]["spent"] == "0.09" and paid.charges("replicate") == 3


def test_only_what_is_quiet_in_a_quiet_suite_joins_the_baseline(local_registry, made, begun):
    original = made("a", "free")
    calibrate(local_registry, original, 4)
    run = begun("policies: {image.generate: {alpha: 0.05, replays: {gate: 5}}}")
    runs = Runs(local_registry.catalog.database)
    for one in runs.replays(run):
        make_one(local_registry, run, original, one.ordinal, owner="t", pause=lambda s: None, stopping=lambda: False)
    known = runs.replays(run)
    sure = {"p": 0.4, "alpha": 0.05, "baseline_runs": [original], "replay_runs": []}
    quiet = {"rule": "suite/1", "answer": "within-noise", "gate": "within-noise", **sure}
    alone = {"rule": "sequential/1", "answer": "within-noise", **sure}

    def said(row, kind, test, output=0):
        judged = Judgement(Verdict(kind, None, "so it is"), (), "statistical", UNSEEDED, None, test)
        record_drift(local_registry, original, row.generation, output, judged)

    told = (quiet, alone, quiet | {"answer": "drifted"}, alone | {"gate": "drifted"}, quiet)
    for row, test in zip(known, told, strict=True):
        said(row, "within-noise", test)
    said(known[4], "drifted", alone | {"answer": "drifted"}, output=1)

    joined = Plan.from_json(runs.get(begun()).plan).cases[0].baseline[4:]

    assert joined == tuple(row.generation for row in known[:2])


def test_a_run_ends_once_on_each_database(registry, tmp_path):
    """Advanced and ended by two at a time, as workers do it."""
    settings = {"width": 64, "height": 64}
    made = generate(registry, Ask("procedural", "procedural-image@1", prompt="sea", seed="5", settings=settings)).id
    suite = parse_suite(tmp_path / "s.yaml", b"format: mintmark/suite/v1\nname: x\nselect: [{workflow: any}]\n")
    plan = plan_of(registry, suite, Lock((made,), "0" * 64), Asked(repeat=2))
    run = start(registry, plan, Terms()).run
    ask = {"owner": "t", "pause": lambda s: None, "stopping": lambda: False}

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: make_one(registry, run, made, n % 2, **ask), range(4)))
        ends = list(pool.map(lambda _: advance(registry, run), range(4)))

    assert len({end.result["finished_at"] for end in ends}) == 1 and ends[0].exit_code == 0
    assert len(registry.catalog.replays(made)) == 2
    assert [len(registry.catalog.about(made, kind)) for kind in ("drift", "run")] == [2, 1]


def test_what_is_lost_is_missing_before_and_after_the_call(local_registry, made, begun, ended):
    closed, emptied = made("sea"), made("dune")
    local_registry.vault.erase([(closed, found.pointer) for found in local_registry.vault.get(closed)])
    run = begun()
    for one in (closed, emptied):
        make_one(local_registry, run, one, 0, owner="t", pause=lambda s: None, stopping=lambda: False)
    local_registry.assets.remove(local_registry.catalog.manifest(emptied).outputs[0].digests.blake3)

    result = ended(run)

    assert [one["verdict"]["reason"] for one in result["manifests"]] == ["missing", "missing"]
    assert result["exit_code"] == 4
