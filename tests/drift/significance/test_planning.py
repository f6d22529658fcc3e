"""What can be decided with how many samples; the seeded rule; many manifests at once."""

from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from drift.significance.discoveries import adjusted_p
from drift.significance.resolution import (
    attainable_p,
    floor_needed,
    replays_needed,
    replays_to_exclude,
    unseen_rate,
)
from drift.significance.samples import UnfitSamples
from drift.significance.seeded import decide_group


@pytest.mark.parametrize(
    ("m", "n", "options", "expected"),
    [
        (5, 2, {}, 1 / 21),
        (5, 2, {"statistics": 6}, 6 / 21),
        (5, 2, {"statistics": 7, "prompts": 2}, 7 / 441),
        (20, 12, {}, 2 / 10_000),
        (20, 12, {"statistics": 6}, 7 / 10_000),
        (20, 12, {"statistics": 6, "relabelings": None}, 6 / comb(32, 12)),
        (20, 3, {"statistics": 6}, 6 / 1771),
        (5, 2, {"statistics": 7, "prompts": 40}, 8 / 10_000),
        (0, 3, {}, 1.0),
        (3, 0, {}, 1.0),
        (1, 1, {"statistics": 6}, 1.0),
    ],
)
def test_the_smallest_p_that_can_be_reached(m, n, options, expected):
    assert attainable_p(m, n, **options) == pytest.approx(expected)


@settings(deadline=None)
@given(
    m=st.integers(1, 30),
    alpha=st.sampled_from([0.0025, 0.01, 0.05, 0.2]),
    statistics=st.integers(1, 8),
    relabelings=st.sampled_from([None, 99, 999, 9_999]),
)
def test_replays_needed_are_enough_and_one_fewer_is_not(m, alpha, statistics, relabelings):
    options = {"statistics": statistics, "relabelings": relabelings}

    n = replays_needed(m, alpha=alpha, **options)
    every = [attainable_p(m, count, **options) <= alpha for count in range(1, 60)]
    if n is None:
        assert not any(every)
    elif n < 60:
        assert every.index(True) == n - 1


def test_replays_needed_without_a_baseline_are_unknown():
    assert replays_needed(0, alpha=0.01) is None
    with pytest.raises(UnfitSamples, match="no plan"):
        attainable_p(-1, 2)


def test_rare_failures_hide_behind_few_samples():
    assert unseen_rate(0) == unseen_rate(2) == 1 and unseen_rate(30) == 0.1
    assert replays_to_exclude(0.1) == 30
    for n in (10, 30, 300):  # a failure of this rate stays unseen in n samples with at most 5 %
        assert (1 - unseen_rate(n)) ** n <= 0.05
    with pytest.raises(UnfitSamples):
        replays_to_exclude(0)


@pytest.mark.parametrize("m", [3, 4, 5])
def test_the_seeded_p_is_exact_over_all_orders(m):
    """If nothing changed every order of m + 2 distances is as likely; count how often each p comes up."""
    found = [decide_group(order[:m], order[m:], alpha=1 / comb(m + 2, 2)).p for order in permutations(range(1, m + 3))]

    for level in sorted(set(found)):
        assert np.mean([p <= level for p in found]) == pytest.approx(level)
    assert min(found) == pytest.approx(1 / comb(m + 2, 2))


def test_a_seeded_manifest_needs_a_confirmation():
    floor = [0.1 * k for k in range(13)]

    assert floor_needed(0.01) == 13 and floor_needed(0.05) == 5
    assert decide_group(floor, [1.1]).answer == "within-noise"
    assert decide_group(floor, [floor[-1]]).answer == "within-noise"  # equal to the largest does not exceed it
    first = decide_group(floor, [1.3])
    assert (first.answer, first.p) == ("confirm", pytest.approx(1 / 14))
    assert decide_group(floor, [1.3, 0.5]).answer == "within-noise"
    tied = decide_group(floor, [1.3, max(floor)])
    assert tied.answer == "within-noise" and tied.beyond == 1
    both = decide_group(floor, [1.3, 1.25])
    assert both.answer == "drifted" and both.p == both.attainable == pytest.approx(1 / 105)


def test_a_floor_too_small_is_undecided_never_a_pass():
    for replay in (0.0, 9.0):
        found = decide_group([0.1] * 12, [replay, replay])
        assert (found.answer, found.reason, found.needed) == ("undecided", "resolution", 13)
    assert decide_group([], [1.0]).attainable == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_distance_that_is_none_is_refused(bad):
    for arguments in (([bad] * 13, [1.0]), ([1.0] * 13, [bad]), ([1.0] * 13, [1.0, bad]), ([1.0] * 13, [])):
        with pytest.raises(UnfitSamples, match="not finite"):
            decide_group(*arguments)


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=40))
def test_adjusted_p_is_scipys(p_values):
    assert adjusted_p(p_values) == pytest.approx(false_discovery_control(p_values))


def test_benjamini_hochberg_rejects_below_a_step_even_what_is_above_its_own():
    """The 1995 rule: the largest k with p_(k) at most k q/n takes all before it along."""
    assert [p <= 0.05 for p in adjusted_p([0.04, 0.9, 0.039, 0.01, 0.03])] == [True, False, True, True, True]
    assert [p <= 0.05 for p in adjusted_p([0.02, 0.02, 0.9])] == [True, True, False]
    assert adjusted_p([]) == ()


@pytest.mark.parametrize("p_values", [[0.0], [1.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(p_values):
    with pytest.raises(UnfitSamples):
        adjusted_p(p_values)
