"""Relabelings: which samples could as well have been called the replays, if nothing had changed."""

from collections.abc import Sequence
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

RELABELINGS = 9_999  # besides the observed labeling

Labels = NDArray[np.bool_]


def is_complete(groups: Sequence[tuple[int, int]], relabelings: int = RELABELINGS) -> bool:
    """Whether all labelings of all groups together are few enough to look at every one; p is exact then."""
    return prod(comb(m + n, n) for m, n in groups) <= relabelings + 1


def labelings(groups: Sequence[tuple[int, int]], *, seed: int, relabelings: int = RELABELINGS) -> list[Labels]:
    """Relabelings within each group (a prompt), the same rows for all statistics.

    Args:
        groups: (m, n) per prompt: so many baseline outputs, then so many replays.
        seed: of the generator.
        relabelings: at most so many besides the observed labeling.

    Returns:
        Per group a boolean array of shape (rows, m + n), True where a sample is called a replay. Row 0 is the observed
        labeling. Every combination of labelings once, if those are not more than ``relabelings + 1``; else rows
        ``1...relabelings`` are drawn independently and uniformly.

        Drawn labels call replays the samples with the n smallest of m + n raw 64-bit words of PCG64(seed): the words of
        that generator are the same in every NumPy, while the methods of ``Generator`` may change.
    """
    if is_complete(groups, relabelings):
        return _every(groups)
    source = np.random.PCG64(seed)
    found = []
    for m, n in groups:
        words = source.random_raw(relabelings * (m + n)).reshape(relabelings, m + n)
        order = np.argsort(words, axis=1, kind="stable")
        labels = np.zeros((relabelings + 1, m + n), np.bool_)
        np.put_along_axis(labels[1:], order[:, :n], True, axis=1)
        labels[0, m:] = True
        found.append(labels)
    return found


def distinct(labels: Labels) -> tuple[Labels, NDArray[np.intp]]:
    """The different rows of labels, and for each row which of them it is: few samples have few labelings.

    Rows of more than 62 samples are all taken to be different.
    """
    if labels.shape[1] > 62:
        return labels, np.arange(len(labels))
    codes = labels.astype(np.int64) @ (1 << np.arange(labels.shape[1], dtype=np.int64))
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return labels[first], np.asarray(which, np.intp).ravel()


def _every(groups: Sequence[tuple[int, int]]) -> list[Labels]:
    tables = []
    for m, n in groups:
        chosen = np.array(list(combinations(range(m + n), n)))[::-1]  # the last combination is the observed labeling
        table = np.zeros((len(chosen), m + n), np.bool_)
        np.put_along_axis(table, chosen, True, axis=1)
        tables.append(table)
    picks = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
    return [table[pick] for table, pick in zip(tables, picks, strict=True)]
