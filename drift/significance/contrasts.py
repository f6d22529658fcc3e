"""Statistics of a labeling: how far apart, how differently spread, how separable the two groups are.

All take labels of shape (rows, samples), True for a replay, and return one number per row. Everything is float64, so
that rounding stays far below the slack with which rows are ranked and any machine ranks them alike.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from drift.significance.relabeling import Labels

Matrix = NDArray[np.float64]
Rows = NDArray[np.float64]
_OUTLYING = 1.25  # times the median mean distance, beyond which a sample counts as an outlier
_CELLS = 1 << 21  # of rows times numbers at a time; fewer, and the threads of a matrix product wait for each other


def standardised(features: Matrix, deviation: Matrix | None = None) -> Matrix:
    """Centre features and divide them by their deviation, the weakest held at a thousandth of the strongest.

    Args:
        features: shape (samples, numbers).
        deviation: shape (numbers,), instead of the features' own.
    """
    centred = features - features.mean(0)
    by = centred.std(0) if deviation is None else deviation
    return np.asarray(centred / (by + 1e-3 * by.max() + 1e-9), np.float64)


def with_spread(features: Matrix) -> Matrix:
    """Features beside their distances from the pooled median, restandardised: a change of mean or of spread shows."""
    return standardised(np.hstack([features, np.abs(features - np.median(features, axis=0))]))


def distances(features: Matrix) -> Matrix:
    """Euclidean distances between samples, shape (samples, samples), exactly 0 on the diagonal."""
    squares = np.square(features).sum(1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * features @ features.T, 0))
    np.fill_diagonal(apart, 0)
    return np.asarray(apart, np.float64)


def replay_sums(features: Matrix, labels: Labels) -> Iterator[Matrix]:
    """The sum of the replays' features, in chunks of rows; of centred features it is the shift times mn/(m + n)."""
    rows = max(1, _CELLS // max(1, features.shape[1]))
    for start in range(0, len(labels), rows):
        yield labels[start : start + rows].astype(np.float64) @ features


def largest(sums: Matrix) -> Rows:
    """The largest squared coordinate."""
    return np.asarray(np.square(sums).max(1), np.float64)


def top(sums: Matrix, width: int | None = None) -> Rows:
    """The sum of the largest fiftieth of squared coordinates, at least one; ``width`` counts those left out as 0."""
    count = min(max(1, (width or sums.shape[1]) // 50), sums.shape[1])
    return np.asarray(np.partition(np.square(sums), -count, axis=1)[:, -count:].sum(1), np.float64)


def length(sums: Matrix) -> Rows:
    """The squared norm."""
    return np.asarray(np.square(sums).sum(1), np.float64)


def shift(features: Matrix, labels: Labels, measure: Callable[[Matrix], Rows]) -> Rows:
    """``measure`` of the replays' summed features."""
    return np.concatenate([measure(sums) for sums in replay_sums(features, labels)])


def within_and_between(apart: Matrix, labels: Labels) -> tuple[Rows, Rows, Rows]:
    """Mean distance within the baseline, within the replays, and between; 0 within a group of one."""
    replays = labels.astype(np.float64)
    n = int(labels[0].sum())
    m = labels.shape[1] - n
    reach = replays @ apart
    inside = (reach * replays).sum(1)
    across = reach.sum(1) - inside
    rest = apart.sum() - inside - 2 * across
    return rest / (m * max(m - 1, 1)), inside / (n * max(n - 1, 1)), across / (m * n)


def energy(apart: Matrix, labels: Labels) -> Rows:
    """Energy distance in its unbiased form, without its factor mn/(m + n) (Székely, Rizzo 2013)."""
    baseline, replays, between = within_and_between(apart, labels)
    return np.asarray(2 * between - baseline - replays, np.float64)


def dispersion(apart: Matrix, labels: Labels) -> Rows:
    """Log ratio of the mean distances within the replays and within the baseline; both need two samples."""
    baseline, replays, _ = within_and_between(apart, labels)
    return np.asarray(np.log((replays + 1e-9) / (baseline + 1e-9)), np.float64)


def relative(apart: Matrix) -> Matrix:
    """Distances over their median, so that prompts count alike; over their mean where most are 0."""
    pairs = apart[np.triu_indices(len(apart), 1)]
    unit = float(np.median(pairs)) or float(pairs.mean()) or 1.0
    return np.asarray(apart / unit, np.float64)


def excess(apart: Matrix) -> Rows:
    """How far each sample's mean distance to the others exceeds a quarter more than the usual."""
    far = apart.sum(1) / (len(apart) - 1)
    usual = float(np.median(far)) or 1.0
    return np.asarray(np.maximum(far / usual - _OUTLYING, 0), np.float64)


def ridge(features: Matrix, labels: Labels, penalty: float) -> Rows:
    """How well a linear classifier predicts, for each sample from all others, whether it is a baseline output.

    Kernel ridge regression on the linear kernel scaled to mean diagonal 1; leave-one-out predictions in closed form
    from the hat matrix; the cosine of predictions and centred labels.
    """
    kernel = features @ features.T
    size = len(kernel)
    kernel /= max(float(np.trace(kernel)) / size, 1e-300)  # identical samples have kernel 0, and predict nothing
    hat = kernel @ np.linalg.inv(kernel + penalty * np.eye(size))
    own = np.diag(hat)
    target = (~labels).astype(np.float64)
    target -= target.mean(1, keepdims=True)
    predicted = (target @ hat - own * target) / (1 - own)
    return np.asarray((predicted * target).sum(1) / np.sqrt(np.square(predicted).sum(1) + 1e-9), np.float64)


def off_centre(values: Rows) -> Rows:
    """Distance from the median over all labelings: too much and too little count alike."""
    return np.asarray(np.abs(values - np.median(values)), np.float64)
