"""Nothing is paid without a budget or a yes; what may have been billed is shown, and a person says what it was."""

import errno
import json

import pytest

from registry.home import open_registry
from registry.journal.calls import Intent
from registry.journal.states import CallState
from replay.commands import consent

PRICES = '["replicate/black-forest-labs/flux-schnell"]\noutput_cost_per_image = 0.03\ncurrency = "USD"\n'
ASK = ["--provider", "replicate", "--model", "black-forest-labs/flux-schnell", "--prompt", "a stone bridge"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch, emulator):
    """Replicate lets no call wait for long."""
    monkeypatch.setattr(emulator.vendors["replicate"], "patience", 1)


@pytest.fixture
def priced(mintmark, tmp_path):
    """A price list that knows the model."""
    (tmp_path / "prices.toml").write_text(PRICES)
    assert mintmark("prices", "import", "prices.toml")[0] == 0
    return mintmark


@pytest.fixture
def terminal(monkeypatch):
    """Somebody sits at a terminal and answers; ``asked`` holds the questions."""
    asked, answers = [], []
    monkeypatch.setattr(consent, "at_terminal", lambda: True)
    monkeypatch.setattr(consent.click, "confirm", lambda text, **_: asked.append(text) or answers.pop(0))
    return asked, answers


def opened(tmp_path):
    return open_registry(tmp_path)


def budgets(tmp_path):
    registry = opened(tmp_path)
    rows = registry.calls.in_states(list(CallState))
    found = [registry.budgets.get(row.budget) for row in rows if row.budget]
    registry.close()
    return [(one.amount, one.reserved, one.settled) for one in found]


def test_an_unknown_price_is_refused_and_says_the_two_ways_on(mintmark, emulator):
    for agreed in ([], ["--yes"], ["--budget", "5 USD"]):
        status, _, err = mintmark("generate", *ASK, *agreed)

        assert status == 2 and "--assume-cost" in err and "mintmark prices import" in err
    assert emulator.seen == []


def test_without_a_terminal_the_line_to_type_is_told(priced, emulator):
    status, _, err = priced("generate", *ASK)

    assert status == 2 and 'add --budget "0.03 USD" or --yes' in err
    assert "costs up to 0.03 USD (by the price table of 20" in err
    assert emulator.seen == []


def test_a_yes_at_the_terminal_pays_and_a_no_does_not(priced, emulator, tmp_path, terminal):
    asked, answers = terminal
    answers += [False, True]

    no, yes = priced("generate", *ASK), priced("generate", *ASK)

    assert (no[0], yes[0]) == (4, 0), (no, yes)
    assert "nothing paid" in no[2] and asked[0] == asked[1] and asked[0].startswith("this calls black-forest-labs")
    assert emulator.charges("replicate") == 1
    assert budgets(tmp_path) == [(30_000_000, 0, 30_000_000)], "a yes is a budget of what was named"


def test_nobody_is_asked_where_the_answer_is_json(priced, emulator, terminal):
    asked, _ = terminal

    status, _, err = priced("generate", *ASK, "--json")

    assert status == 2 and "--yes" in err and asked == []


def test_a_quiet_check_asks_at_a_terminal_as_any_other_does(priced, emulator, terminal, tmp_path):
    asked, answers = terminal
    priced("generate", *ASK, "--label", "app=x", "--yes")
    text = "format: mintmark/suite/v1\nname: s\nallow_alias: true\nselect: [{labels: {app: x}}]\n"
    (tmp_path / "s.yaml").write_text(text)
    answers.append(False)

    status, _, _ = priced("check", "s.yaml", "--quiet")

    assert status == 4 and len(asked) == 1 and "0.03 USD" in asked[0]


def test_several_replays_are_one_question_and_one_budget(priced, emulator, tmp_path):
    priced("generate", *ASK, "--yes")

    status, _, err = priced("replay", "@last", "--times", "3")
    assert status == 2 and "up to 3 times, at 0.03 USD each" in err and 'add --budget "0.09 USD"' in err
    status, out, err = priced("replay", "@last", "--times", "3", "--budget", "0.07", "--json")

    assert status == 4, err
    answer = json.loads(out)
    assert len(answer["replays"]) == 2 and "0.01 USD are left" in answer["budget_spent"]
    assert emulator.charges("replicate") == 3
    assert budgets(tmp_path)[-1] == (70_000_000, 0, 60_000_000)


def test_a_budget_too_small_for_one_call_sends_nothing(priced, emulator):
    priced("generate", *ASK, "--yes")
    emulator.seen.clear()

    for words in (["replay", "@last"], ["replay", "@last", "--calibrate", "3"], ["generate", *ASK]):
        status, _, err = priced(*words, "--budget", "0.01USD")
        assert status == 4 and "the budget is spent" in err
    assert priced("replay", "@last", "--budget", "1EUR")[0] == 2
    assert emulator.seen == []


def test_what_is_free_asks_nothing(mintmark, emulator):
    small = ["--setting", "width=64", "--setting", "height=64"]

    drawn = ["--provider", "procedural", "--model", "procedural-image@1", "--prompt", "x"]
    assert mintmark("generate", *drawn, *small)[0] == 0
    assert mintmark("replay", "@last", "--times", "2")[0] in (0, 4)
    painted = ["--provider", "comfyui", "--model", "dreams.safetensors", "--seed", "7", "--prompt", "x"]
    assert mintmark("generate", *painted)[0] == 0, "a server that takes no key bills nobody"


def test_a_call_that_may_have_been_billed_is_shown_and_resolved_by_a_person(priced, emulator, tmp_path):
    assert priced("replay", "ambiguous")[0] == 0
    for _ in range(2):
        emulator.misbehave("cut-after", method="POST")
        status, _, err = priced("generate", *ASK, "--budget", "0.03 USD")
        assert status == 1 and "mintmark replay ambiguous" in err

    status, out, _ = priced("replay", "ambiguous", "--json")
    first, second = json.loads(out)["calls"]
    shown = priced("replay", "ambiguous")
    assert (status, shown[0]) == (1, 1)
    assert (first["provider"], first["amount"], first["why"]) == ("replicate", "0.03 USD", "ambiguous")
    for told in (first["key"], first["host"], first["model"], first["intended_at"], "0.03 USD"):
        assert told in shown[1]
    assert "a stone bridge" not in shown[1] + out

    assert "2 calls may have been billed" in priced("doctor")[1]

    said = ["--by", "ada", "--reason", "line 7 of the bill"]
    assert priced("replay", "ambiguous", "paid", first["key"])[0] == 2, "it takes a name and a reason"
    assert priced("replay", "ambiguous", "paid", first["key"][:8], *said)[0] == 0
    assert priced("replay", "ambiguous", "unpaid", second["key"], *said)[0] == 0
    assert budgets(tmp_path) == [(30_000_000, 0, 30_000_000), (30_000_000, 0, 0)]
    status, _, err = priced("replay", "ambiguous", "unpaid", first["key"], *said)
    assert status == 3 and "is paid and cannot become unpaid" in err
    assert priced("replay", "ambiguous", "paid", second["key"], *said)[0] == 0, "the bill knows better"
    assert priced("replay", "ambiguous", "paid", "nobody-s-call", *said)[0] == 1
    registry = opened(tmp_path)
    assert "paid by ada: line 7 of the bill" in registry.calls.get(first["key"]).note
    registry.close()
    assert priced("replay", "ambiguous")[0] == 0


def test_a_call_whose_process_has_ended_is_shown_too(priced, emulator, tmp_path):
    priced("generate", *ASK, "--yes")
    registry = opened(tmp_path)
    done = registry.calls.in_states([CallState.RECORDED])[0]
    same = (done.manifest, done.run, done.provider, done.operation, done.model, "e" * 64, None, "USD", 40)
    registry.calls.intend(Intent("left-0001", *same, owner="a-worker-that-ended"))
    registry.calls.intend(Intent("mine-0001", *same, owner=done.owner))
    registry.close()

    status, out, _ = priced("replay", "ambiguous", "--json")
    assert status == 1 and [(one["key"], one["why"]) for one in json.loads(out)["calls"]] == [("left-0001", "left")]
    said = ["--by", "ada", "--reason", "not on the bill"]
    status, _, err = priced("replay", "ambiguous", "unpaid", "mine-0001", *said)
    assert status == 3 and "still being made" in err
    assert priced("replay", "ambiguous", "unpaid", "left-0001", *said)[0] == 0


def test_another_provider_sees_the_prompt_only_where_it_may(priced, emulator, tmp_path):
    priced("generate", *ASK, "--yes")
    emulator.seen.clear()
    other = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--assume-cost", "0.04", "--yes"]

    status, _, err = priced("replay", "@last", *other)
    assert status == 2 and 'may_send_to = ["openai"]' in err and emulator.seen == []
    assert priced("replay", "@last", "--provider", "openai")[0] == 2
    (tmp_path / ".mintmark" / "mintmark.toml").write_text('may_send_to = ["openai"]\n')
    status, _, err = priced("replay", "@last", *other)

    assert status in (0, 1, 4), err
    assert emulator.charges("openai") == 1


def test_an_assumed_cost_never_takes_the_place_of_a_known_price(priced, tmp_path, emulator):
    status, _, err = priced("generate", *ASK, "--assume-cost", "0.001")
    assert status == 2 and '--budget "0.03 USD"' in err
    status, _, err = priced("generate", *ASK, "--assume-cost", "0.001", "--budget", "0.02 USD")
    assert status != 0 and "0.03" in err and emulator.charges("replicate") == 0

    assert priced("generate", *ASK, "--assume-cost", "5", "--budget", "0.03 USD")[0] == 0
    assert emulator.charges("replicate") == 1


def test_a_price_that_the_provider_told_is_said_to_be_its_own(mintmark, emulator):
    flux = ["--provider", "bfl", "--model", "flux-2-pro", "--operation", "image.generate", "--prompt", "a stone bridge"]
    assert mintmark("generate", *flux, "--assume-cost", "0.04", "--yes")[0] == 0

    status, _, err = mintmark("replay", "@last")

    assert status == 2 and "up to 3.00 bfl-credits (as the provider charged when it was recorded)" in err


def test_a_price_that_was_said_is_told_as_assumed(mintmark, emulator):
    status, _, err = mintmark("generate", *ASK, "--assume-cost", "0.04")

    assert status == 2 and "up to 0.04 USD (by the cost assumed)" in err


def test_what_the_disk_did_not_take_is_taken_down_later_and_paid_for_once(mintmark, emulator, tmp_path, monkeypatch):
    flux = ["--provider", "bfl", "--model", "flux-2-pro", "--operation", "image.generate", "--prompt", "a stone bridge"]
    paid = [*flux, "--assume-cost", "0.04", "--yes"]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("replay.providers.http.channel._write", full)
        status, out, err = mintmark("generate", *paid)
    assert (status, out) == (3, "") and "No space left on device" in err and "make room there" in err
    status, out, err = mintmark("generate", *paid)

    assert status == 0 and emulator.charges("bfl") == 1, err
    registry = opened(tmp_path)
    assert registry.catalog.generations() == 1
    registry.close()
