"""Features of a whole suite: scaled within prompts, whitened, and statistics added prompt by prompt."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from drift.significance.contrasts import dispersion, excess, off_centre, standardised
from drift.significance.relabeling import Labels, distinct

Matrix = NDArray[np.float64]
Rows = NDArray[np.float64]


def added(terms: Iterable[Matrix]) -> Matrix:
    """The sum over prompts."""
    return np.asarray(np.sum(list(terms), axis=0), np.float64)


def repeated(statistic: Callable[[Labels], Rows], labels: Labels) -> Rows:
    """One prompt's statistic, computed once per different labeling of its few samples."""
    rows, which = distinct(labels)
    return statistic(rows)[which]


def scaled(prompts: Sequence[Matrix]) -> tuple[list[Matrix], int]:
    """One block of all prompts over its pooled within-prompt deviation, and the deviation's degrees of freedom."""
    squares = added(np.square(own - own.mean(0)).sum(0) for own in prompts)
    freedom = sum(len(own) for own in prompts) - len(prompts)
    deviation = np.sqrt(squares / freedom)
    return [standardised(own, deviation) for own in prompts], freedom


def whitened(prompts: Sequence[Matrix], freedom: int) -> list[Matrix]:
    """Rotate and rescale until within-prompt covariance is near the identity; a tenth of the mean eigenvalue is added.

    Without it the directions that hardly vary, known least, would weigh most.
    """
    pooled = np.vstack(prompts)
    values, vectors = np.linalg.eigh(pooled.T @ pooled / freedom)
    scale = np.sqrt(np.maximum(values, 0) + 0.1 * max(float(values.mean()), 1e-30))
    return [own @ (vectors / scale) for own in prompts]


def spread_and_outliers(apart: Sequence[tuple[Matrix, Labels]]) -> tuple[Rows | None, Rows]:
    """Of distances per prompt: the change of variety, and how far off single replays are.

    The first is None where no prompt has two replays and two baseline outputs.
    """
    outlying = added(labels.astype(np.float64) @ excess(far) for far, labels in apart)
    paired = [(far, labels) for far, labels in apart if 1 < labels[0].sum() < labels.shape[1] - 1]
    if not paired:
        return None, outlying
    return off_centre(added(dispersion(far, labels) for far, labels in paired)), outlying
