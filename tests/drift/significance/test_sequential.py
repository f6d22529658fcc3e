"""Looks: the same answer however often asked, no early stop that proves nothing, the error rate shared out."""

import numpy as np
import pytest

from drift.significance.manifest import decide_manifest
from drift.significance.samples import UnfitSamples
from drift.significance.sequential import baseline_needed, looks_that_can_reject, sequential

FEW = 2_999  # relabelings: 7 / 3,000 is below a quarter of 1 %


def test_a_large_change_is_found_at_the_first_look(samples):
    rng = np.random.default_rng(1)
    baseline, replays = samples(rng, 20), samples(rng, 20, shift=1)

    found = sequential(baseline, replays, seed=5, relabelings=FEW)
    assert (found.answer, found.used, found.next_look) == ("drifted", 5, None)
    assert found.looks == (decide_manifest(baseline, replays[:5], alpha=0.0025, seed=5, relabelings=FEW),)
    assert found.p == 4 * found.looks[0].p


def test_it_continues_until_it_can_say_something_and_repeats_itself(samples):
    rng = np.random.default_rng(15)
    baseline, replays = samples(rng, 20), samples(rng, 20, shift=0.2)

    whole = sequential(baseline, replays, seed=2, relabelings=FEW)
    assert whole.answer == "drifted" and whole.used in (8, 12, 20)
    for made in {0, 4, 5, 7, 8, whole.used - 1}:
        part = sequential(baseline, replays[:made], seed=2, relabelings=FEW)
        assert part.answer == "continue" and part.next_look == min(n for n in (5, 8, 12, 20) if n > made)
        assert part.looks == whole.looks[: len(part.looks)]
        assert (part.p is None) is (made < 5) and part.used <= made


def test_a_p_above_a_half_ends_the_series(samples):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        found = sequential(samples(rng, 20), samples(rng, 20), seed=0, relabelings=FEW)
        assert found.answer in {"within-noise", "drifted"}
        if found.reason == "futility":
            assert found.looks[-1].p > 0.5 and found.used < 20
            assert all(0.0025 < look.p <= 0.5 for look in found.looks[:-1])
            return
    raise AssertionError("no series was futile in 30")


def test_a_look_that_cannot_reject_stops_nothing(samples):
    """With 5 baseline outputs neither the look at 5 nor the one at 8 can reject at 1 %."""
    assert looks_that_can_reject(5) == (12, 20) and looks_that_can_reject(20) == (5, 8, 12, 20)
    drawn = ((samples(rng, 5), samples(rng, 12)) for rng in map(np.random.default_rng, range(99)))
    baseline, replays = next(pair for pair in drawn if decide_manifest(pair[0], pair[1][:5], seed=0).p > 0.5)

    found = sequential(baseline, replays, seed=0, relabelings=FEW)
    assert [look.answer for look in found.looks[:2]] == ["undecided"] * 2 and len(found.looks) == 3


def test_a_baseline_with_which_no_look_can_reject_is_undecided_at_once(samples):
    rng = np.random.default_rng(1)

    found = sequential(samples(rng, 3), samples(rng, 20, shift=5), seed=1)
    assert (found.answer, found.reason, found.looks, found.p) == ("undecided", "resolution", (), None)
    assert found.needed == 4 == baseline_needed()  # 6 / C(24, 20) = 0.0006
    assert baseline_needed(at=5) == 10 and baseline_needed(relabelings=999) is None  # 6 / C(15, 5) = 0.0020


def test_the_last_look_decides(samples):
    rng = np.random.default_rng(0)
    found = sequential(samples(rng, 20), samples(rng, 6), seed=1, looks=(6,), relabelings=999)

    assert found.answer == "within-noise" and found.reason is None and found.used == 6 and found.next_look is None


@pytest.mark.parametrize("looks", [(), (0, 5), (5, 5), (8, 5)])
def test_looks_must_rise(samples, looks):
    one = samples(np.random.default_rng(0), 1)

    with pytest.raises(UnfitSamples, match="do not rise"):
        sequential(one, one, seed=0, looks=looks)


def test_no_baseline_is_refused(samples):
    with pytest.raises(UnfitSamples, match="no baseline"):
        sequential([], samples(np.random.default_rng(0), 1), seed=0)
