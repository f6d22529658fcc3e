"""Permutation p values of statistics, and the harmonic-mean combination of several."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]


def p_of_rows(statistic: Rows) -> Rows:
    """For every row, the share of rows whose statistic is at least as large; row 0 gives the p value.

    Rows within 1e-9 (relative) count as equal, hence against us: the same set of samples reached through another order
    of summation must not look smaller. The observed row counts itself, so p is never 0 (Phipson, Smyth 2010).
    """
    ordered = np.sort(statistic)
    slack = 1e-9 * np.abs(statistic) + 1e-12
    return (len(ordered) - np.searchsorted(ordered, statistic - slack, side="left")) / len(ordered)


def combined(statistics: Mapping[str, Rows]) -> tuple[dict[str, float], float]:
    """The p value of every statistic, and that of their harmonic mean.

    For every row S = sum of 1/p_k over the statistics k (Wilson 2019); S is itself ranked among its relabelings, so no
    approximation of its distribution is needed and the statistics may depend on each other in any way.
    """
    by_name = {name: p_of_rows(rows) for name, rows in statistics.items()}
    score = np.sum([1 / rows for rows in by_name.values()], axis=0)
    return {name: float(rows[0]) for name, rows in by_name.items()}, float(p_of_rows(score)[0])
