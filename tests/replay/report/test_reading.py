"""What all reports share: the fixtures are results, the order of attention, precedence, and words for numbers."""

import pytest

from registry.schema import validate
from replay.report.reading import cost_of, duration, headline, in_order, money, spent, standing, tally, told, took


def test_the_fixtures_are_results(results_by_name):
    results_by_name.pop("hostile")  # no record could hold such names; pages stand them all the same
    for result in results_by_name.values():
        validate("run/v1", result)


def test_what_drifted_comes_first_then_errors_and_what_is_allowed_before_what_passed(results_by_name):
    one = [results_by_name[name]["manifests"] for name in ("reproduced", "retired-allowed", "uncalibrated", "outage")]
    rows = [*one[0], one[1][1], one[2][0], one[3][1], *results_by_name["seeded-drift"]["manifests"]]

    found = in_order({"manifests": rows})

    kinds = ["drifted", "error", "undecided", "not-replayable", "within-noise", "reproduced"]
    assert [told(row)[0] for row in found] == kinds and standing(found[3]) == "skipped"


def test_drift_goes_before_an_error_and_an_error_before_other_verdicts(results_by_name):
    (row,) = results_by_name["drift-and-error"]["manifests"]
    assert told(row)[0] == "drifted" and standing(row) == "failure"

    row["verdict"]["kind"] = "reproduced"
    assert told(row) == ("error", "timeout: no answer in 600 s") and standing(row) == "error"


def test_the_headline_says_the_answer_once(results_by_name):
    assert headline(results_by_name["drifted"]) == "Drifted: 1 of 2 manifests"
    assert headline(results_by_name["reproduced"]) == "1 of 2 reproduced, 1 within noise"
    assert headline(results_by_name["outage"]).startswith("Could not run: ")
    assert tally(results_by_name["thousand"]) == {"drifted": 111, "reproduced": 889}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "unknown"), (0.44, "0.4 s"), (12.4, "12 s"), (185.25, "3 min 05 s"), (7_800, "2 h 10 min")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_what_no_provider_named_is_spent_by_reservation(results_by_name):
    result = results_by_name["reproduced"] | {"cost": []}

    assert spent(result).startswith("0.32 USD by reservation")
    assert spent(result | {"budget": None}) == "nothing that is known"
    assert spent(result | {"budget": result["budget"] | {"spent": "0.00"}}) == "nothing that is known"
    assert spent(results_by_name["reproduced"]) == "0.32 USD estimated"


def test_money_keeps_its_digits_and_currencies_are_never_added(results_by_name):
    assert money("1234.5", "USD") == "1,234.50 USD" and money("0.000001", "EUR") == "0.000001 EUR"
    assert money("3", "credits") == "3.00 credits" and money(None, None) == "unknown"
    (row,) = results_by_name["seeded-drift"]["manifests"]
    row["replays"][1]["cost"] = {"amount": "0.1", "currency": "EUR", "kind": "reported"}
    assert cost_of(row) == "0.04 USD, 0.10 EUR"
    assert took(results_by_name["canceled"]) is None
