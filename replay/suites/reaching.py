"""About what it would take to see a change more often: by a normal approximation, as nobody has those samples yet."""

from math import ceil
from statistics import NormalDist

from drift.significance.sequential import BASELINE

_MOST = 60  # replays of each manifest beyond which nobody plans
_LEAST = 0.2  # standard deviations: below, what was measured is too near nothing to go on from


def takes(power: float, wanted: float, *, alpha: float, baseline: int, replays: int, manifests: int) -> str | None:
    """What would raise ``power`` to ``wanted``, in words; None where the measured power tells too little.

    A shift of fixed size shows as a normal deviate that grows with the root of manifests x mn/(m + n).

    Args:
        power: measured, a share of simulated tests.
        wanted: what is asked for.
        alpha: of the test.
        baseline: outputs of each manifest, m.
        replays: of each manifest, n.
        manifests: how many are tested together.
    """
    normal = NormalDist()
    edge = normal.inv_cdf(1 - alpha)
    if power <= 0:
        return None
    now, then = edge + normal.inv_cdf(min(power, 0.99)), edge + normal.inv_cdf(min(wanted, 0.99))
    if now < _LEAST:
        return None
    factor = (then / now) ** 2
    more = f"{ceil(manifests * factor):,} such manifests"
    held = factor * baseline * replays / (baseline + replays)
    if held < baseline and (needed := ceil(held * baseline / (baseline - held))) <= _MOST:
        return f"about {needed} replays of each would do, or {more}"
    deeper = f"; `mintmark suite calibrate --deep` makes it {BASELINE}" if baseline < BASELINE else ""
    return f"about {more} would do; with so small a baseline no number of replays does alone{deeper}"
