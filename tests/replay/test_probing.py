"""The failure-mode battery against emulated vendors: each row tells what came, little is paid, stand-ins are local."""

import json

import pytest

from registry.cli import run
from registry.journal.budgets import nanos_of
from registry.prices.store import import_prices
from registry.stats.calls import Selection, calls
from replay.consenting import Terms, agreed_in_turn
from replay.costing import Money, worst_case_of
from replay.errors import SecretMissing
from replay.generating import Ask
from replay.probing import MOST_PAID, NothingToProbe, probe

OPENAI = Ask("openai", "gpt-image-2-2026-04-21", "image.generate", "a plain grey square")
REPLICATE = Ask("replicate", "black-forest-labs/flux-schnell", None, "a plain grey square")
ROWS = [
    "bad-credentials",
    "outage",
    "timeout",
    "malformed-metadata",
    "oversized-upload",
    "cancel",
    "duplicate-callback-here",
]


def probed(registry, ask, budget="1.00"):
    terms = Terms(budget=Money(nanos_of(budget), "USD"), assumed=Money(nanos_of("0.04"), "USD"))

    def pay(drafts, described):
        asked = [(described, ask.model, worst_case_of(registry, draft, described, [])) for draft in drafts]
        return agreed_in_turn(registry, asked, terms)

    return {row.name: row for row in probe(registry, ask, pay)}


def test_every_failure_has_its_row_and_what_was_billed_is_recorded(local_registry, emulator):
    rows = probed(local_registry, OPENAI)

    assert list(rows) == ROWS
    got = {name: row.got for name, row in rows.items()}
    assert got == {
        "bad-credentials": "auth",
        "outage": "retryable",
        "timeout": "ambiguous",
        "malformed-metadata": "rejected",
        "oversized-upload": "succeeded",  # this one takes four megabytes of prompt, and the row says so
        "cancel": None,
        "duplicate-callback-here": None,
    }
    assert rows["oversized-upload"].answer == "otherwise" and rows["malformed-metadata"].answer == "as expected"
    assert rows["cancel"].answer == rows["duplicate-callback-here"].answer == "not offered"
    recorded = {one: call for one, call in calls(local_registry, Selection(workflow="probe"))}
    assert {rows["malformed-metadata"].request, rows["oversized-upload"].request} == set(recorded)
    assert emulator.charges("openai") == 1
    assert all("mintmark-probe-this-is-no-key" not in str(row.to_json()) for row in rows.values())


def test_a_job_is_canceled_at_the_vendor_and_a_second_delivery_changes_nothing(local_registry, emulator):
    rows = probed(local_registry, REPLICATE)

    assert (rows["cancel"].got, rows["cancel"].answer) == ("canceled", "as expected")
    assert any(one.path.endswith("/cancel") for one in emulator.seen)
    assert (rows["duplicate-callback-here"].got, rows["duplicate-callback-here"].answer) == (
        "acted on once",
        "as expected",
    )
    assert emulator.charges("replicate") <= MOST_PAID


def test_the_key_goes_to_the_provider_alone(local_registry, emulator):
    probed(local_registry, OPENAI)

    sent = [dict(one.headers) for one in emulator.seen]
    own = [one for one in sent if "mintmark-probe-this-is-no-key" not in str(one)]
    assert len(own) == 2 and len(sent) == 3  # the request with a wrong key, and the two that may be billed


def test_a_budget_ends_what_may_be_billed_and_nothing_else(local_registry, emulator):
    rows = probed(local_registry, REPLICATE, budget="0.05")

    assert rows["malformed-metadata"].got == "succeeded"  # an emulator that knows no models
    assert rows["oversized-upload"].answer == rows["cancel"].answer == "could not run"
    assert "the budget is spent" in rows["cancel"].said and emulator.charges("replicate") == 1
    assert rows["bad-credentials"].got == "auth" and rows["duplicate-callback-here"].answer == "as expected"


def test_the_oversized_call_sets_aside_what_its_prompt_costs(local_registry, emulator, tmp_path):
    (tmp_path / "prices.toml").write_text('["elevenlabs/eleven_v3"]\ninput_cost_per_character = 0.0001\n')
    import_prices(local_registry, tmp_path / "prices.toml")
    ask = Ask("elevenlabs", "eleven_v3", "speech.generate", "hello", settings={"voice": "v-1"})

    rows = probed(local_registry, ask)

    assert rows["malformed-metadata"].got is not None
    assert "420" in rows["oversized-upload"].said, "dollars, for 4.2 million characters"
    assert rows["oversized-upload"].answer == "could not run" and emulator.charges("elevenlabs") <= 1


def test_what_cannot_be_probed_is_said_before_anything_is_sent(local_registry, emulator, monkeypatch):
    with pytest.raises(NothingToProbe):
        list(probe(local_registry, Ask("procedural", "procedural-image@1", prompt="x"), lambda draft, described: None))
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SecretMissing):
        probed(local_registry, OPENAI)
    assert emulator.seen == []


def test_the_command_says_what_was_tried_and_its_status_says_whether_all_is_well(
    tmp_path, monkeypatch, emulator, capsys
):
    monkeypatch.chdir(tmp_path)
    said = ["providers", "probe", "openai", "--model", OPENAI.model, "--operation", "image.generate"]
    assert run([*said, "--assume-cost", "0.04"]) == 2  # nobody agreed to pay
    assert emulator.charges("openai") == 0
    paid = [*said, "--assume-cost", "0.04", "--budget", "0.12 USD"]
    capsys.readouterr()

    assert run([*paid, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert run(paid) == 1

    assert [row["name"] for row in rows] == ROWS and rows[4]["answer"] == "otherwise"
    table = capsys.readouterr().out
    assert "expected" in table and "oversized-upload" in table and "rejected" in table
