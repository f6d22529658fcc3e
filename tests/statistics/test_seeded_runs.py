"""Runs of seeded replays as they are decided: by every score together, once for a run, at the stated error rate."""

import numpy as np
import pytest

from drift.floor import NoiseFloor, Regime
from drift.score import Score
from drift.verdict import decide_each

pytestmark = pytest.mark.timeout(3600)
ALPHA = 0.01
EXACT = (Score("bytes/1", 0.0, "equal"), Score("decoded/1", 0.0, "equal"))


def runs(rng, count, *, wild):
    """Scores of honest runs: smooth, skewed, and ``wild``: heavy-tailed, mostly zero, now and then without a value."""
    shared = rng.normal(size=count)
    found = []
    for n in range(count):
        own = rng.normal(size=4)
        found.append(
            (
                *EXACT,
                Score("ssim/1", float(0.99 - 1e-4 * abs(shared[n] + own[0])), higher_is_better=True),
                Score("color.mean/1", float(abs(shared[n] + 0.3 * own[1])), "dE00"),
                Score("phash/1", float(2 * (rng.uniform() < 0.15)), "bits"),
                Score("logmel/1", float(rng.gamma(2)), "dB"),
                *(_wild(rng) if wild else ()),
            )
        )
    return found


def _wild(rng):
    return (
        Score("lufs_delta/1", float(min(50.0, abs(rng.standard_cauchy()) / 10)), "LU"),
        Score("facts.duration_ms/1", float(40 * (rng.uniform() < 0.05)), "ms"),
        Score("lag_ms/1", *((0.0, "ms") if rng.uniform() < 0.95 else (None, "ms", "no common course"))),
    )


def decided(rng, times, shift=0.0, *, wild=True):
    """One run as the product makes it: a single replay beyond the floor is followed by its confirmation."""
    drawn = runs(rng, 13 + max(times, 2), wild=wild)
    floor = NoiseFloor(Regime.SEEDED, tuple(drawn[:13]))
    replays = [
        tuple(
            Score(one.name, one.value - shift, one.unit, higher_is_better=True) if one.base == "ssim" else one
            for one in run
        )
        for run in drawn[13:]
    ]
    found = decide_each("perceptual", replays[:times], floor, "image", alpha=ALPHA)
    if found[-1].reason_code == "confirmation":
        found = decide_each("perceptual", replays[: times + 1], floor, "image", alpha=ALPHA)
    return found[0].kind


@pytest.mark.parametrize("times", [1, 3, 20])
def test_an_unchanged_version_raises_no_more_alarms_than_stated(trials, table, times):
    rng = np.random.default_rng(30 + times)
    count = trials(4_000)
    alarms = sum(decided(rng, times) == "drifted" for _ in range(count))

    share, _ = table(f"false alarms: seeded runs of {times}, seven scores", alarms, count)
    assert share <= ALPHA + 2 * (ALPHA * (1 - ALPHA) / count) ** 0.5


def test_a_change_of_ten_spreads_in_one_score_is_found(trials, table):
    rng = np.random.default_rng(40)
    count = trials(400)
    calm = sum(decided(rng, 1, 1e-3, wild=False) == "drifted" for _ in range(count))
    wild = sum(decided(rng, 1, 1e-3) == "drifted" for _ in range(count))

    share, error = table("power: seeded, one of four scores ten spreads away", calm, count)
    table("the same beside three scores that jump by themselves", wild, count)
    assert share >= 0.8 - 2 * error
