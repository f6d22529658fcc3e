"""Many manifests at once: which of them to call drifted so that few of those calls are wrong."""

from collections.abc import Sequence

import numpy as np

from drift.significance.samples import UnfitSamples


def adjusted_p(p_values: Sequence[float]) -> tuple[float, ...]:
    """For each p value the smallest false discovery rate at which it is rejected (Benjamini, Hochberg 1995).

    Of all manifests whose adjusted p is at most a rate, on average at most that share did not change. In the order
    given; ties share their fate. Raises: UnfitSamples: a p value outside (0, 1].
    """
    if not all(0 < p <= 1 for p in p_values):
        raise UnfitSamples("a p value is not above 0 and at most 1", "give permutation p values, which never are 0")
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    falling = np.minimum.accumulate(scaled[::-1])[::-1]
    found = np.empty_like(p)
    found[order] = np.minimum(falling, 1)
    return tuple(map(float, found))
