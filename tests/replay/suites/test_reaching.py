"""What it would take to see a change: more where more is asked for, nothing where nothing is known."""

import re

from replay.suites.reaching import takes

NUMBERS = {"alpha": 0.01, "baseline": 20, "replays": 2, "manifests": 10}


def first_number(text):
    return int(re.search(r"[0-9,]+", text)[0].replace(",", ""))


def test_more_power_takes_more_replays_and_less_where_there_is_more_already():
    some, more = takes(0.5, 0.8, **NUMBERS), takes(0.5, 0.95, **NUMBERS)

    assert 2 < first_number(some) < first_number(more)
    assert first_number(takes(0.7, 0.8, **NUMBERS)) < first_number(some)


def test_a_small_baseline_bounds_what_replays_can_do():
    told = takes(0.3, 0.95, **{**NUMBERS, "baseline": 3})

    assert "no number of replays" in told and told.endswith("`mintmark suite calibrate --deep` makes it 20")


def test_nothing_is_made_up():
    assert takes(0.0, 0.8, **NUMBERS) is None
    assert takes(0.01, 0.8, **NUMBERS) is None
