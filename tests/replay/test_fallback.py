"""Fallbacks: who is asked next and when, what is recorded of it, who may see the prompt, and one budget for all."""

import json
from dataclasses import replace

import pytest

from registry.home import open_registry
from registry.journal.budgets import nanos_of
from registry.journal.states import CallState
from replay.consenting import Terms
from replay.costing import Money
from replay.fallback import HELPS, Plan, in_turn, paid_for, planned
from replay.generating import Ask
from replay.outcome import OutcomeClass

OPENAI = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--operation", "image.generate"]
ASK = [*OPENAI, "--prompt", "a stone bridge"]
PAID = ["--assume-cost", "0.04"]
STABLE = ["--fallback", "stability:core"]


@pytest.fixture
def configured(mintmark, tmp_path):
    """Writes mintmark.toml, then it is ``mintmark``."""

    def write(text):
        (tmp_path / ".mintmark" / "mintmark.toml").write_text(text)
        return mintmark

    return write


def generated(tmp_path):
    """Id and manifest of every generation, oldest first."""
    registry = open_registry(tmp_path)
    with registry.catalog.database.reading() as connection:
        ids = [registry.log.entry(connection, n).id for n in range(registry.log.size(connection))]
    kinds = {one.id: one.kind for one in registry.catalog.each(ids)}
    found = [(one, registry.catalog.manifest(one)) for one in ids if kinds[one] == "generation"]
    registry.close()
    return found


def budgets(tmp_path):
    registry = open_registry(tmp_path)
    rows = registry.calls.in_states(list(CallState))
    told = [registry.budgets.get(name) for name in {row.budget for row in rows if row.budget}]
    registry.close()
    return [(one.amount, one.reserved, one.settled) for one in told]


def test_the_next_one_is_asked_and_each_attempt_is_a_generation(mintmark, emulator, tmp_path):
    emulator.misbehave("quota")

    status, out, err = mintmark(
        "generate", *ASK, "--setting", "size=1024x1024", *STABLE, "--fallback", "bfl:flux-2-pro", *PAID, "--yes"
    )

    (first, failed), (second, made) = generated(tmp_path)
    assert (status, out.strip()) == (0, second), err
    assert (failed.provider.name, failed.outcome.class_, failed.parents) == ("openai", "quota", [])
    assert (made.provider.name, made.outcome.class_, made.outputs[0].role) == ("stability", "succeeded", "image")
    assert [(one.id, one.relation) for one in made.parents] == [(first, "fallback")]
    assert made.replay_of is None, "another picture by another model: nothing was reproduced"
    assert "gpt-image-2-2026-04-21 of openai: quota" in err and "going on with core of stability" in err
    assert emulator.charges("bfl") == 0, "the one after it is not needed"
    assert "size" not in made.settings, "stability has no such setting"
    assert budgets(tmp_path) == [(120_000_000, 0, 40_000_000)], "a yes to three calls, of which one was carried out"


def test_the_last_one_that_fails_is_what_came_of_it(mintmark, emulator, tmp_path):
    emulator.misbehave("503", at="^/openai", times=9)
    emulator.misbehave("503", at="^/stability", times=9)

    status, out, err = mintmark("generate", *ASK, *STABLE, *PAID, "--yes", "--json")

    told = json.loads(out)
    assert status == 1 and told["outcome"] == "retryable", err
    assert [one["provider"] for one in told["attempts"]] == ["openai", "stability"]
    assert told["id"] == told["attempts"][-1]["id"] == generated(tmp_path)[1][0]


@pytest.mark.parametrize("fault", ["blocked", "400", "cut-after"])
def test_nobody_else_is_asked_where_it_would_not_help(mintmark, emulator, tmp_path, fault):
    emulator.misbehave(fault, at="^/openai")

    status, _, _ = mintmark("generate", *ASK, *STABLE, *PAID, "--yes")

    assert status == 1 and len(generated(tmp_path)) == 1
    assert emulator.charges("stability") == 0


def test_every_end_is_decided_upon():
    assert set(OutcomeClass) - HELPS == {
        OutcomeClass.SUCCEEDED,
        OutcomeClass.BLOCKED,
        OutcomeClass.REJECTED,
        OutcomeClass.AMBIGUOUS,
        OutcomeClass.CANCELED,
    }


@pytest.mark.parametrize(("first", "state", "asked"), [("bfl", "unknown", 0), ("replicate", "canceled", 1)])
def test_nobody_else_is_paid_while_the_first_may_still_be_at_it(local_registry, emulator, first, state, asked):
    model = {"bfl": "flux-2-pro", "replicate": "black-forest-labs/flux-schnell"}[first]
    ask = Ask(first, model, "image.generate", "a stone bridge")
    plan = planned(local_registry, ask, ["stability:core"])
    (draft, known), other = plan.attempts
    protocol = replace(known.protocol, poll=replace(known.protocol.poll, limit_s=0))
    plan = Plan([(draft, replace(known, protocol=protocol)), other])
    pays = paid_for(local_registry, plan, ask, Terms(assumed=Money(nanos_of("0.04"), "USD"), yes=True))

    made = in_turn(local_registry, plan, ask, pays, None, lambda *_: None)

    assert (made[0].manifest.outcome.class_, made[0].manifest.outcome.state) == ("timeout", state)
    assert (len(made) - 1, emulator.charges("stability")) == (asked, asked)


def test_what_all_of_them_may_cost_is_told_at_once(mintmark, emulator):
    status, _, err = mintmark("generate", *ASK, *STABLE, *PAID)
    assert status == 2 and emulator.seen == []
    assert "as long as that fails core of stability (up to 0.04 USD): up to 0.08 USD" in err
    assert 'add --budget "0.08 USD"' in err


def test_a_budget_that_the_first_one_used_up_pays_for_no_second(mintmark, emulator, tmp_path):
    emulator.misbehave("malformed", at="^/openai")

    status, _, err = mintmark("generate", *ASK, *STABLE, *PAID, "--budget", "0.05 USD")

    assert status == 4 and "0.01 USD are left" in err
    assert [one.outcome.class_ for _, one in generated(tmp_path)] == ["malformed"]
    assert emulator.charges("stability") == 0


def test_settings_name_fallbacks_of_a_workflow_where_the_provider_may_see_the_prompt(configured, emulator, tmp_path):
    table = '[fallback]\n"hero" = ["openai:gpt-image-2-2026-04-21", "stability:core", "deepgram:nova-3"]\n'
    emulator.misbehave("quota", times=3)

    status, _, err = configured(table)("generate", *ASK, "--workflow", "hero", *PAID, "--yes")
    assert status == 2 and 'may_send_to = ["stability"]' in err and emulator.seen == []
    mintmark = configured(f'may_send_to = ["stability", "deepgram"]\n{table}')
    assert mintmark("generate", *ASK, "--workflow", "other", *PAID, "--yes")[0] == 1
    status, _, err = mintmark("generate", *ASK, "--workflow", "hero", *PAID, "--yes")

    assert status == 0, err
    assert "left out: deepgram:nova-3" in err, "it makes no pictures"
    assert [one.provider.name for _, one in generated(tmp_path)] == ["openai", "openai", "stability"]


def test_what_is_typed_goes_before_the_settings(configured, emulator, tmp_path):
    mintmark = configured('[fallback]\n"*" = ["bfl:flux-2-pro"]\n')
    emulator.misbehave("quota")

    assert mintmark("generate", *ASK, *STABLE, *PAID, "--yes")[0] == 0
    assert emulator.charges("stability") == 1 and emulator.charges("bfl") == 0


def test_an_engine_of_this_machine_needs_no_permission_and_costs_nothing(configured, emulator, tmp_path):
    mintmark = configured('[fallback]\n"*" = ["procedural:procedural-image@1"]\n')
    emulator.misbehave("quota")

    status, _, err = mintmark("generate", *ASK, "--assume-cost", "0.04", "--budget", "0.04 USD")

    assert status == 0, err
    assert [one.provider.name for _, one in generated(tmp_path)] == ["openai", "procedural"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (["stability"], "provider:model"),
        ([":core"], "provider:model"),
        (["openai:gpt-image-2-2026-04-21"], "already"),
        (["stability:core", "stability:core"], "already"),
        (["nobody:m"], "no description"),
        (["deepgram:nova-3"], "cannot be asked for this"),
        (["procedural:no-such-model"], "no model"),
    ],
)
def test_a_fallback_that_cannot_be_is_refused_before_anything_is_sent(mintmark, emulator, tmp_path, typed, why):
    words = [word for one in typed for word in ("--fallback", one)]

    status, _, err = mintmark("generate", *ASK, *words, *PAID, "--yes")

    assert status == 2 and why in err, err
    assert emulator.seen == [] and generated(tmp_path) == []


def test_a_fallback_without_a_key_is_known_before_it_is_needed(mintmark, emulator, tmp_path, monkeypatch):
    monkeypatch.delenv("STABILITY_API_KEY")

    status, _, err = mintmark("generate", *ASK, *STABLE, *PAID, "--yes")

    assert status == 3 and "STABILITY_API_KEY" in err and emulator.seen == []


def test_require_pin_holds_for_fallbacks_too(configured, emulator):
    status, _, err = configured("require_pin = true\n")("generate", *ASK, *STABLE, *PAID, "--yes")

    assert status == 2 and "'core' is an alias" in err and emulator.seen == []


def test_what_goes_in_goes_to_the_next_one_too(mintmark, emulator, picture, tmp_path):
    emulator.misbehave("quota", at="^/openai")
    edit = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--operation", "image.edit", "--prompt", "x"]

    status, _, err = mintmark(
        "generate",
        *edit,
        "--input",
        f"image={picture()}",
        "--fallback",
        "google:gemini-2.5-flash-image",
        *PAID,
        "--yes",
    )

    (_, failed), (_, made) = generated(tmp_path)
    assert status == 0, err
    assert made.operation == "image.edit" and made.inputs[0].digest == failed.inputs[0].digest
    assert "inlineData" in str(emulator.seen[-1].json) or "inline_data" in str(emulator.seen[-1].json)


@pytest.mark.parametrize("agreed", [["--budget", "0.20 USD"], ["--budget", "0.20 EUR"], ["--yes"]])
def test_two_currencies_are_told_each_with_its_price(mintmark, emulator, tmp_path, agreed):
    prices = '["openai/gpt-image-2-2026-04-21"]\noutput_cost_per_image = 0.03\ncurrency = "EUR"\n'
    (tmp_path / "prices.toml").write_text(prices)
    assert mintmark("prices", "import", "prices.toml")[0] == 0

    status, _, err = mintmark("generate", *ASK, *STABLE, "--assume-cost", "0.05", *agreed)

    assert status == 2 and emulator.seen == []
    assert "gpt-image-2-2026-04-21 of openai costs 0.03 EUR and core of stability costs 0.05 USD" in err
    assert "give it in USD" not in err
    told = mintmark("generate", *ASK, *STABLE, "--assume-cost", "0.05EUR", *agreed)
    assert told[0] == 0 or "the budget is in USD, and a call costs 0.03 EUR" in told[2], "as the message says"
