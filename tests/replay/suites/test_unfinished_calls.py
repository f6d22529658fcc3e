"""Runs that stop while a paid call is on its way: it is paid once, and nobody waits for what nobody makes."""

import pytest

from registry.journal.runs import Runs
from registry.journal.states import CallState
from replay.consenting import Terms
from replay.costing import Money
from replay.crew import HandOver
from replay.generating import Ask, generate
from replay.suites.calibrating import calibrate_suite
from replay.suites.file import parse_suite
from replay.suites.making import make_one
from replay.suites.plan import Amount
from replay.suites.planning import Asked, plan_of
from replay.suites.running import advance
from replay.suites.selecting import Lock
from replay.suites.starting import again, start

PRICE = 40_000_000


@pytest.fixture
def begun(local_registry, emulator, monkeypatch, tmp_path):
    """Begins a run of polled calls at 0.04 USD each: ``begun(2, budget=0)``; gives its manifests and its id."""
    monkeypatch.setattr(emulator.vendors["replicate"], "patience", 1)

    def begin(count=1, budget=10 * PRICE, start=start):
        model = "black-forest-labs/flux-schnell"
        asks = [Ask("replicate", model, prompt=f"bridge {n}", seed="7") for n in range(count)]
        ids = [generate(local_registry, ask).id for ask in asks]
        emulator.vendors["replicate"].runs.clear()
        select = ", ".join(f"{{manifest: '{one}'}}" for one in ids)
        text = f"format: mintmark/suite/v1\nname: x\nselect: [{select}]\nallow_alias: true\n"
        suite = parse_suite(tmp_path / "s.yaml", text.encode())
        asked = Asked(assume_cost=Amount(amount="0.04", currency="USD"))
        plan = plan_of(local_registry, suite, Lock(tuple(ids), "0" * 64), asked)
        begun = start(local_registry, plan, Terms(Money(budget, "USD"), Money(PRICE, "USD")))
        return ids, getattr(begun, "run", begun)

    return begin


@pytest.fixture
def make(local_registry):
    """Makes the first replay of a manifest: ``make(run, manifest, dies=True)`` ends while it waits for the job."""

    def do(run, manifest, *, dies=False, owner="second", pause=lambda seconds: None):
        def end(seconds):
            raise HandOver

        make_one(local_registry, run, manifest, 0, owner="first" if dies else owner, pause=end if dies else pause,
                 stopping=lambda: False)  # fmt: skip

    return do


def calls(registry, run):
    return [call.state for call in registry.calls.in_states(list(CallState), run=run)]


def test_a_call_that_lost_its_key_goes_on_and_is_not_made_anew(local_registry, emulator, begun, make, monkeypatch):
    (manifest,), run = begun()
    with pytest.raises(HandOver):
        make(run, manifest, dies=True)
    with monkeypatch.context() as without:
        without.delenv("REPLICATE_API_TOKEN")
        make(run, manifest)
    row = Runs(local_registry.catalog.database).replay(run, manifest, 0)
    assert (row.state, row.outcome) == ("failed", "auth")

    advance(local_registry, run)
    wanted = again(local_registry, run, errors=False)
    make(run, manifest)

    assert (wanted, emulator.charges("replicate")) == (1, 1)
    assert calls(local_registry, run) == [CallState.RECORDED]


def test_a_provider_that_cannot_be_reached_is_told_as_such(local_registry, emulator, begun, make, monkeypatch):
    (manifest,), run = begun()
    for name, value in emulator.environment().items():
        if value.startswith("http"):
            monkeypatch.setenv(name, "http://127.0.0.1:9/")

    make(run, manifest)

    (told,) = advance(local_registry, run).result["manifests"]
    assert told["error"]["class"] == "retryable"
    assert "replicate ended as retryable (no connection, however often it was tried): `mint" in told["error"]["why"]


def test_a_canceled_run_ends_the_call_that_was_on_its_way(local_registry, emulator, begun, make):
    (manifest,), run = begun()
    with pytest.raises(HandOver):
        make(run, manifest, dies=True)
    runs = Runs(local_registry.catalog.database)

    runs.cancel(run)
    make(run, manifest)

    assert runs.replay(run, manifest, 0).state in ("canceled", "made")
    assert calls(local_registry, run) == [CallState.RECORDED]
    assert emulator.charges("replicate") == 1


def test_nobody_waits_for_money_that_a_dead_process_reserved(local_registry, emulator, begun, make):
    (first, second), run = begun(2, budget=PRICE)
    with pytest.raises(HandOver):
        make(run, second, dies=True)
    looks = []

    def pause(seconds):
        looks.append(seconds)
        if len(looks) > 20:
            raise HandOver

    make(run, first, pause=pause)

    row = Runs(local_registry.catalog.database).replay(run, first, 0)
    assert (row.state, row.outcome) == ("refused", "budget")
    make(run, second)
    assert (emulator.charges("replicate"), calls(local_registry, run)) == (1, [CallState.RECORDED])


def test_a_calibration_that_the_budget_may_not_pay_for_is_not_begun(emulator, begun):
    _, done = begun(budget=12 * PRICE, start=calibrate_suite)

    (short,) = list(done)

    assert (short.exit_code, emulator.charges("replicate")) == (4, 0)
    assert short.error.startswith("not begun: its 13 replays may cost 0.52 USD, and 0.48 USD are left")
