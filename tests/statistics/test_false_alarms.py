"""Where nothing changed, no more alarms than alpha (plus two standard errors): every rule, both families."""

import numpy as np
import pytest

from drift.significance.discoveries import adjusted_p
from drift.significance.manifest import decide_manifest
from drift.significance.seeded import decide_group
from drift.significance.sequential import sequential
from drift.significance.suite import Prompt, suite_gate

pytestmark = pytest.mark.timeout(3600)
ALPHA = 0.01
NAMES = ("terrain", "collage")


def held(share, count, nominal=ALPHA):
    return share <= nominal + 2 * (nominal * (1 - nominal) / count) ** 0.5


def test_one_manifest(pools, pooling, trials, table):
    rng = np.random.default_rng(10)
    count = trials(2_000)
    alarms = 0
    for number in range(count):
        pool = _deep(pools[NAMES[number % 2]], rng)
        baseline, replays = pooling.picked(rng, pool, None, 20, 12)
        found = decide_manifest(baseline, replays, alpha=ALPHA, seed=number, relabelings=999)
        alarms += found.answer == "drifted"

    share, _ = table("false alarms: one manifest, m 20, n 12", alarms, count)
    assert held(share, count)


def test_suite_gate(pools, pooling, trials, table):
    rng = np.random.default_rng(11)
    count = trials(2_000)
    alarms = 0
    for number in range(count):
        pairs = [pooling.picked(rng, pool, None, 5, 2) for pool in pools[NAMES[number % 2]]]
        found = suite_gate([Prompt(*pair) for pair in pairs], alpha=ALPHA, seed=number, relabelings=999)
        alarms += found.answer == "drifted"

    share, _ = table(f"false alarms: suite, {len(pairs)} prompts, m 5, n 2", alarms, count)
    assert held(share, count)


def test_sequential_looks(pools, pooling, trials, table):
    rng = np.random.default_rng(12)
    count = trials(2_000)
    alarms = used = 0
    for number in range(count):
        baseline, replays = pooling.picked(rng, _deep(pools[NAMES[number % 2]], rng), None, 20, 20)
        found = sequential(baseline, replays, alpha=ALPHA, seed=number, relabelings=2_999)
        assert found.answer in {"drifted", "within-noise"}
        alarms += found.answer == "drifted"
        used += found.used

    share, _ = table("false alarms: sequential, m 20, n 5 8 12 20", alarms, count, f"{used / count:.1f} replays")
    assert held(share, count)
    assert used / count <= 10.5


@pytest.mark.parametrize(("alpha", "m"), [(0.01, 13), (0.05, 5)])
def test_seeded_rule(trials, table, alpha, m):
    rng = np.random.default_rng(13)
    count = trials(40_000)
    alarms = 0
    for number in range(count):
        drawn = rng.gamma(2, size=m + 2) if number % 2 else rng.standard_cauchy(m + 2) ** 2
        first = decide_group(drawn[:m], drawn[m : m + 1], alpha=alpha)
        alarms += first.answer == "confirm" and decide_group(drawn[:m], drawn[m:], alpha=alpha).answer == "drifted"

    share, _ = table(f"false alarms: seeded, m {m}, alpha {alpha:.0%}", alarms, count)
    assert held(share, count, alpha)


def test_false_discoveries(trials, table):
    rng = np.random.default_rng(14)
    count = trials(4_000)
    wrong = np.zeros(count)
    for number in range(count):
        p = np.concatenate([rng.uniform(size=30), rng.uniform(0, 0.004, 10)])
        called = np.array(adjusted_p(list(1 - (1 - p)))) <= 0.05
        wrong[number] = called[:30].sum() / max(1, called.sum())

    share, error = table("false discoveries at 5 %, 30 of 40 manifests unchanged", float(wrong.sum()), count)
    assert share <= 0.05 + 2 * error


def _deep(pools, rng):
    deep = [pool for pool in pools if len(pool.base) >= 40]
    return deep[rng.integers(len(deep))]
