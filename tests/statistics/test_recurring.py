"""A baseline that is odd by chance raises alarms again and again; accepted replays end that."""

import numpy as np
import pytest

from drift.descriptors.clip import Clip
from drift.significance.accepting import joined
from drift.significance.manifest import decide_manifest

pytestmark = pytest.mark.timeout(3600)
SIZES = {"glob": 74, "flux": 74, "time": 9, "hist": 864, "cur": 202}
M, N = 8, 16  # the smaller the baseline beside the replays, the more an alarm is the baseline's doing
ALPHA = 0.05  # the fewer trials are spent on finding a first alarm


def test_accepted_replays_end_a_frozen_baselines_alarms(trials, table):
    rng = np.random.default_rng(70)
    mixing = {name: rng.standard_normal((6, size)) for name, size in SIZES.items()}
    count = trials(2_400)
    first = frozen = grown = later = 0
    for seed in range(count):
        baseline, run = _drawn(rng, mixing, M), _drawn(rng, mixing, N)
        if decide_manifest(baseline, run, alpha=ALPHA, seed=seed, relabelings=299).answer != "drifted":
            continue
        first += 1
        accepted = [run]
        for again in range(4):
            run = _drawn(rng, mixing, N)
            against = {"frozen": baseline, "grown": joined(baseline, accepted)}
            found = {
                how: decide_manifest(base, run, alpha=ALPHA, seed=again, relabelings=299).answer == "drifted"
                for how, base in against.items()
            }
            frozen += found["frozen"]
            grown += found["grown"]
            later += 1
            accepted.append(run)

    table("false alarms at 5 %: first run, m 8, n 16", first, count)
    recurring, error = table("after an alarm, again: baseline frozen", frozen, later)
    ended, own = table("after an alarm, again: accepted replays joined", grown, later)
    assert ended <= ALPHA + 2 * max(own, (ALPHA * (1 - ALPHA) / later) ** 0.5)
    if later > 200:
        assert recurring - 2 * error > max(ended, ALPHA)


def _drawn(rng, mixing, count):
    """Clips whose numbers move together, as those of real outputs do."""
    moods = rng.standard_normal((count, 6))
    return [
        Clip(**{
            name: (mood @ mixing[name] + rng.standard_normal(size)).astype(np.float32) for name, size in SIZES.items()
        })
        for mood in moods
    ]  # fmt: skip
