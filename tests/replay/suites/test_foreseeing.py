"""What a plan says before anything is sent: prices that nobody knows, replays that will not be made."""

import datetime
from dataclasses import replace

import pytest

from registry.capture.description import Descriptions, shipped
from registry.journal.runs import Runs
from replay.calibrating import calibrate
from replay.consenting import Terms, WrongCurrency
from replay.costing import Money
from replay.suites import billing
from replay.suites.foreseeing import foresee
from replay.suites.plan import Plan


@pytest.fixture
def foreseen(local_registry, begun):
    """What ``check --plan`` prints."""

    def look(*more):
        plan = Plan.from_json(Runs(local_registry.catalog.database).get(begun(*more)).plan)
        return "\n".join(foresee(local_registry, plan, Terms()).lines())

    return look


def test_what_has_no_known_price_is_never_called_free(made, foreseen, monkeypatch):
    made("a"), made("b")
    assert "worst case: nothing is billed;" in foreseen()

    prices = iter([None, None, None, Money(40_000_000, "USD")])
    monkeypatch.setattr(billing, "worst_case", lambda registry, ready: next(prices))
    unknown, partly = foreseen(), foreseen()

    assert "worst case: unknown for 2 manifests: --assume-cost" in unknown and "nothing is billed" not in unknown
    assert "worst case: 0.04 USD, and unknown for 1 manifest:" in partly


def test_a_plan_refuses_a_budget_in_another_currency_as_the_run_does(local_registry, made, begun, monkeypatch):
    made("a")
    monkeypatch.setattr(billing, "worst_case", lambda registry, ready: Money(40_000_000, "USD"))
    plan = Plan.from_json(Runs(local_registry.catalog.database).get(begun()).plan)

    with pytest.raises(WrongCurrency, match=r"the budget is in EUR, .* 0\.04 USD") as told:
        foresee(local_registry, plan, Terms(Money(1, "EUR")))

    assert told.value.exit_code == 2
    assert foresee(local_registry, plan, Terms(Money(1, "USD"))).bill.worst


def test_what_is_not_replayed_decides_nothing(local_registry, made, foreseen, monkeypatch):
    calibrate(local_registry, made("a"), 3)
    assert "1 deterministic: one replay decides" in foreseen()

    retired = replace(shipped().by_id("procedural-image"), retires={"procedural-image@1": datetime.date(2026, 9, 24)})
    monkeypatch.setattr("replay.preparing.shipped", lambda: Descriptions([retired]))
    said = foreseen()

    assert "not-replayable (retired)" in said and "decides" not in said
