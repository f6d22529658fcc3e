import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.objectives import Objective
from registry.stats.calls import Selection, calls
from registry.stats.grouping import group_by
from registry.stats.latency import Latencies, Times, held_against, latencies, needed


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 10_000_000), max_size=250), st.sampled_from((50, 95, 99)))
def test_percentiles_are_the_nearest_rank_of_numpy_wherever_one_call_lies_above(values, percent):
    times = Times()
    for value in values:
        times.add(value)

    found = times.percentile(percent)

    if len(values) < needed(percent):
        assert found is None
    else:
        assert found == np.percentile(values, percent, method="inverted_cdf")
        assert found in values


def test_it_takes_two_twenty_and_a_hundred_calls():
    assert [needed(percent) for percent in (50, 95, 99)] == [2, 20, 100]


def test_adding_after_asking_still_sorts():
    times = Times()
    for value in (5, 1):
        times.add(value)
    assert times.percentile(50) == 1

    times.add(0)
    times.add(0)

    assert times.percentile(50) == 0


def measured(totals=(), out_of_time=0):
    found = Latencies(("hero",), calls=len(totals) + out_of_time, succeeded=len(totals), out_of_time=out_of_time)
    for total in totals:
        found.total.add(total)
    return found


@pytest.mark.parametrize(
    ("objective", "held", "answers"),
    [
        (Objective("hero", {"p95_ms": 19}), measured(range(1, 21)), ["kept"]),
        (Objective("hero", {"p95_ms": 18}), measured(range(1, 21)), ["missed"]),
        (Objective("hero", {"p95_ms": 1}), measured(range(1, 20)), ["unknown"]),
        (Objective("hero", {}, 0.01), measured(range(99), 1), ["kept"]),
        (Objective("hero", {}, 0.01), measured(range(98), 2), ["missed"]),
        (Objective("hero", {}, 0.01), measured(range(97), 2), ["unknown"]),
        (Objective("hero", {}, 0), measured(range(100)), ["kept"]),
        (Objective("hero", {}, 0), measured(), ["unknown"]),
        (Objective("hero", {"p50_ms": 5, "p99_ms": 9}, 1), measured([4, 9]), ["kept", "unknown", "kept"]),
    ],
)
def test_an_objective_is_kept_missed_or_unknown(objective, held, answers):
    assert [one.answer for one in held_against(objective, held)] == answers


def test_only_successes_are_timed_and_timeouts_are_a_share_of_all(history):
    for n in range(20):
        history(total=100 * (n + 1), run=10)
    history(status="timeout", total=99_000)
    history(status="expired")
    history(status="rejected", total=3)
    history(status="timeout", workflow="other")

    selection = Selection(workflow="hero")
    found, kept = latencies(
        calls(history.registry, selection),
        group_by("workflow", selection.period),
        {"hero": Objective("hero", {"p95_ms": 1_900}, 0.05)},
    )

    group = found[0]
    assert (group.calls, group.succeeded, group.out_of_time) == (23, 20, 2)
    assert [group.total.percentile(percent) for percent in (50, 95, 99)] == [1_000, 1_900, None]
    assert group.phases["run"].percentile(50) == 10 and list(group.phases) == ["run"]
    assert [(one.name, one.measured, one.answer) for one in kept["hero"]] == [
        ("p95_ms", 1_900, "kept"),
        ("timeout_rate", pytest.approx(2 / 23), "missed"),
    ]


def test_replays_never_count_for_an_objective(history):
    for _ in range(20):
        history(total=100)
    for _ in range(80):
        history(total=90_000, replay_of=history.first.id)

    selection = Selection(workflow="hero", replays=True)
    grouping = group_by("workflow", selection.period, replays=True)
    found, kept = latencies(calls(history.registry, selection), grouping, {"hero": Objective("hero", {"p95_ms": 100})})

    assert [group.key for group in found] == [("hero", "first"), ("hero", "replay")]
    assert kept["hero"][0].answer == "kept"
