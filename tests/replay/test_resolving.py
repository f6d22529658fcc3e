"""What a person says of a call: of a process that has ended, that lives, or that nobody here can look at."""

import dataclasses
import json
import os

import pytest
from click.testing import CliRunner

from registry.journal import calls
from registry.journal.calls import Intent
from registry.journal.owners import this_process
from registry.journal.states import CallState, IllegalMove
from registry.times import now
from replay.commands.ambiguous import ambiguous
from replay.resolving import OpenCall, PerhapsRunning, StillRunning, open_calls, resolve


@pytest.fixture
def left(local_registry, monkeypatch):
    """A call of somebody's: ``left(owner, "acknowledged", at=…)``; gives its key."""

    def begin(owner, state="intended", at=None):
        with monkeypatch.context() as then:
            then.setattr(calls, "now", lambda: at or now())
            budget = local_registry.budgets.create(100, "USD")
            local_registry.calls.intend(
                Intent("call-0001", None, None, "openai", "image.generate", "m", "d" * 64, budget, "USD", 40, owner)
            )
            if state == "acknowledged":
                local_registry.calls.acknowledge("call-0001", owner, "job-1")
        return "call-0001"

    return begin


def said(registry, key, paid=True, **more):
    return resolve(registry, key, paid=paid, by="ada", reason="line 7", **more).state


@pytest.mark.parametrize("state", ["intended", "acknowledged"])
def test_a_call_from_before_a_reboot_is_left_and_can_be_resolved(local_registry, left, earlier_boot, state):
    key = left(earlier_boot, state)

    assert [one.why for one in open_calls(local_registry)] == ["left"]
    assert said(local_registry, key) is CallState.PAID


@pytest.mark.parametrize("state", ["intended", "acknowledged"])
def test_a_call_of_another_machine_needs_an_hour_or_a_word(local_registry, left, another_machine, state):
    key = left(another_machine, state)

    with pytest.raises(PerhapsRunning, match="--ended once you have made sure") as told:
        said(local_registry, key)

    assert told.value.exit_code == 3 and "in 60 min" in str(told.value)
    assert [one.why for one in open_calls(local_registry)] == ["left?"]
    assert local_registry.calls.get(key).owner == another_machine, "its process goes on with it undisturbed"
    assert said(local_registry, key, has_ended=True) is CallState.PAID


def test_an_hour_of_silence_is_enough(local_registry, left, another_machine):
    key = left(another_machine, at="2026-01-01T00:00:00.000Z")

    assert said(local_registry, key, paid=False) is CallState.UNPAID


def test_nobody_ends_a_call_of_a_process_that_lives(local_registry, left):
    host = this_process().rsplit(":", 2)[0]
    with open(f"/proc/{os.getppid()}/stat") as stat:
        key = left(f"{host}:{os.getppid()}:{stat.read().rpartition(')')[2].split()[19]}")

    with pytest.raises(StillRunning):
        said(local_registry, key, has_ended=True)


def test_what_was_answered_cannot_be_unpaid_and_stays_whose_it_was(local_registry, left, another_machine):
    key = left(another_machine, "acknowledged")

    with pytest.raises(IllegalMove):
        said(local_registry, key, paid=False, has_ended=True)

    assert local_registry.calls.get(key).owner == another_machine


def test_the_command_says_that_the_process_has_ended(local_registry, left, another_machine, monkeypatch):
    key = left(another_machine)
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.home))
    words = ["unpaid", key, "--by", "ada", "--reason", "support", "--json"]

    refused = CliRunner().invoke(ambiguous, words)
    done = CliRunner().invoke(ambiguous, [*words, "--ended"])

    assert isinstance(refused.exception, PerhapsRunning)
    assert json.loads(done.stdout) == {"key": key, "state": "unpaid"}


@pytest.mark.parametrize("run", ["run-" + "a" * 32, None])
def test_a_call_of_a_run_names_what_goes_on_with_it(local_registry, left, earlier_boot, monkeypatch, run):
    left(earlier_boot)
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.home))
    call = local_registry.calls.get("call-0001")
    answered = dataclasses.replace(
        call, state=CallState.ACKNOWLEDGED, run=run, note="host api.example.com\nasked twice"
    )
    monkeypatch.setattr("replay.resolving.open_calls", lambda _: [OpenCall(answered, "left")])

    said = CliRunner().invoke(ambiguous, ["list"]).output

    assert (f"`mintmark check --resume {run}` goes on" in said) == (run is not None)
    assert ("run the same command again" in said) == (run is None)
    assert said.count("api.example.com") == 1 and "asked twice" in said
