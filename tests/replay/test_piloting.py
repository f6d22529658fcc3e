"""Pilots: every target gets the same mix at the same time, each call is recorded, and money ends where it should."""

import threading

import pytest

from registry.canonical import parse
from registry.cli import run
from registry.journal.budgets import nanos_of
from registry.stats.calls import Selection, calls
from replay.consenting import Terms
from replay.costing import Money
from replay.elsewhere import MayNotSend
from replay.generating import Ask, ProviderUnknown, drafted, generate
from replay.piloting import NoBudget, NothingToPilot, pilot
from replay.suites.file import parse_suite
from replay.suites.plan import Target

ONE, TWO = (Target(provider="procedural", model=f"procedural-image@{n}") for n in (1, 2))
OPENAI = Target(provider="openai", model="gpt-image-2-2026-04-21")


def suite_of(tmp_path, *others):
    text = (
        f"format: mintmark/suite/v1\nname: mixed\nselect: [{{labels: {{a: b}}}}]\nmay_send_to: [{', '.join(others)}]\n"
    )
    return parse_suite(tmp_path / "suite.yaml", text.encode())


@pytest.fixture
def mix(local_registry):
    """Two pictures with settings of their own."""
    return [
        generate(
            local_registry, Ask("procedural", "procedural-image@1", prompt=prompt, seed=seed, settings=settings)
        ).id
        for prompt, seed, settings in (
            ("sea at dawn", "1", {"width": 64, "height": 64, "noise": "seeded"}),
            ("forest at noon", "2", {"width": 96, "height": 64}),
        )
    ]


def piloted(registry, tmp_path, mix, *targets, others=(), most=3, terms=None, levels=(1, 2), seconds=60):
    suite = suite_of(tmp_path, *others)
    return pilot(registry, suite, mix, targets, concurrency=levels, seconds=seconds, terms=terms or Terms(), most=most)


def test_targets_get_the_mix_in_turn_and_every_call_is_recorded(local_registry, tmp_path, mix):
    done = piloted(local_registry, tmp_path, mix, ONE, TWO)

    assert [(step.target, step.concurrency, step.calls) for step in done.steps] == [
        (ONE, 1, 3), (TWO, 1, 3), (ONE, 2, 3), (TWO, 2, 3)]  # fmt: skip
    assert done.exit_code == 0 and all(step.outcomes == {"succeeded": 3} for step in done.steps)
    assert all(step.times.percentile(50) is not None and step.seconds > 0 for step in done.steps)
    found = [call for _, call in calls(local_registry, Selection(workflow="pilot:mixed"))]
    assert len(found) == 12 and {call.model.requested for call in found} == {ONE.model, TWO.model}


def test_settings_and_prompts_are_those_of_the_mix(local_registry, tmp_path, mix):
    piloted(local_registry, tmp_path, mix, TWO, most=2, levels=(1,))

    made = [
        parse(found.body)
        for found in local_registry.catalog.each(
            [one for one, _ in calls(local_registry, Selection(workflow="pilot:mixed"))]
        )
    ]
    assert [one["settings"]["width"] for one in made] == [64, 96] and made[0]["settings"]["noise"] == "seeded"
    assert {len(one["labels"]["pilot"]) > 8 for one in made} == {True}


def test_time_ends_it(local_registry, tmp_path, mix):
    done = piloted(local_registry, tmp_path, mix, ONE, most=None, levels=(1,), seconds=0.2)

    assert 0 < done.steps[0].calls < 1_000 and done.steps[0].why is None


def test_another_provider_sees_prompts_only_where_the_suite_permits_it(local_registry, tmp_path, mix, emulator):
    with pytest.raises(MayNotSend, match="may_send_to"):
        piloted(local_registry, tmp_path, mix, ONE, OPENAI)

    assert emulator.charges("openai") == 0 and emulator.seen == []


def test_what_costs_money_needs_a_budget_and_never_exceeds_it(local_registry, tmp_path, mix, emulator):
    with pytest.raises(NoBudget, match="--budget"):
        piloted(local_registry, tmp_path, mix, OPENAI, others=("openai",))
    terms = Terms(budget=Money(nanos_of("0.10"), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    done = piloted(local_registry, tmp_path, mix, OPENAI, ONE, others=("openai",), terms=terms, most=5, levels=(2,))

    paid, free = done.steps
    assert paid.outcomes == {"succeeded": 2} and paid.spent and "are left of the pilot's budget; nothing" in paid.why
    assert free.outcomes == {"succeeded": 5} and done.exit_code == 4
    assert emulator.charges("openai") == 2


def test_each_target_has_its_share_of_the_budget_at_each_concurrency(local_registry, tmp_path, mix, emulator):
    other = Target(provider="openai", model="gpt-image-1.5")
    terms = Terms(budget=Money(nanos_of("0.36"), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    done = piloted(local_registry, tmp_path, mix, OPENAI, other, ONE, others=("openai",), terms=terms, most=9)

    assert [step.calls for step in done.steps if step.target != ONE] == [2, 2, 2, 2]
    assert emulator.charges("openai") == 8 and done.exit_code == 4


def test_what_one_concurrency_leaves_is_for_the_later_ones(local_registry, tmp_path, mix, emulator):
    terms = Terms(budget=Money(nanos_of("0.16"), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    done = piloted(local_registry, tmp_path, mix, OPENAI, others=("openai",), terms=terms, most=1, levels=(1, 1, 1, 1))

    assert [step.calls for step in done.steps] == [1, 1, 1, 1] and done.exit_code == 0


def test_a_target_that_cannot_be_called_ends_alone(local_registry, tmp_path, mix, emulator, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    terms = Terms(budget=Money(nanos_of("1"), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    done = piloted(local_registry, tmp_path, mix, OPENAI, ONE, others=("openai",), terms=terms, levels=(1,))

    assert done.steps[0].calls == 0 and "OPENAI_API_KEY" in done.steps[0].why
    assert done.steps[1].calls == 3 and done.exit_code == 3
    assert done.to_json()["steps"][0]["stopped"]


def test_a_stop_cuts_the_wait_between_two_polls_short(local_registry, tmp_path, mix, emulator, monkeypatch):
    """A provider may ask for a minute; whoever stops a pilot does not wait for it."""
    taken = []

    def broken(registry, ask, pay):
        taken.append(pay(*drafted(registry, ask)))
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("replay.piloting.generate", broken)
    terms = Terms(budget=Money(nanos_of("1"), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    with pytest.raises(RuntimeError, match="the disk is gone"):
        piloted(local_registry, tmp_path, mix, OPENAI, others=("openai",), terms=terms, levels=(1,))

    waiting = threading.Thread(target=taken[0].pause, args=(3600,), daemon=True)
    waiting.start()
    waiting.join(20)
    assert not waiting.is_alive() and taken[0].stopping()


def test_what_no_target_can_make_is_refused_before_anything_is_sent(local_registry, tmp_path, mix):
    with pytest.raises(NothingToPilot, match="makes no image"):
        piloted(local_registry, tmp_path, mix, Target(provider="deepgram", model="nova-3"), others=("deepgram",))
    with pytest.raises(ProviderUnknown):
        piloted(local_registry, tmp_path, mix, Target(provider="nobody", model="m"), others=("nobody",))


def test_the_command_tells_a_table_and_refuses_what_it_cannot_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = [
        "generate",
        "--provider",
        "procedural",
        "--model",
        "procedural-image@1",
        "--prompt",
        "sea",
        "--label",
        "a=b",
    ]
    assert run([*made, "--setting", "width=64", "--setting", "height=64"]) == 0
    (tmp_path / "suite.yaml").write_text("format: mintmark/suite/v1\nname: mixed\nselect: [{labels: {a: b}}]\n")
    capsys.readouterr()
    said = ["pilot", "suite.yaml", "--target", "procedural:procedural-image@1", "--calls", "2"]

    assert run([*said, "--concurrency", "1,2"]) == 0

    told = capsys.readouterr()
    assert "procedural:procedural-image@1  2          2" in told.out and "per minute" in told.out
    assert "mintmark stats scorecard --workflow pilot:mixed" in told.err
    for wrong in (["--concurrency", "0"], ["--concurrency", "1,99"], ["--duration", "soon"], ["--target", "nobody"]):
        assert run([*said, *wrong]) == 2
