"""Permutation p values and their combination against a literal count, and the labelings they rest on."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.significance.ranking import combined, p_of_rows
from drift.significance.relabeling import is_complete, labelings


def counted(values):
    return [sum(other >= value for other in values) / len(values) for value in values]


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_p_is_the_share_of_rows_at_least_as_large(values):
    assert p_of_rows(np.array(values, float)).tolist() == counted(values)


def test_rounding_never_makes_a_tie_look_smaller():
    values = np.array([0.1 + 0.2, 0.3, 0.3, 0.1])

    assert p_of_rows(values).tolist() == [0.75, 0.75, 0.75, 1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25))
def test_the_combination_is_itself_ranked(rows):
    first, second = (list(column) for column in zip(*rows, strict=True))
    score = [1 / p + 1 / q for p, q in zip(counted(first), counted(second), strict=True)]
    expected = sum(other >= score[0] - 1e-9 for other in score) / len(score)

    components, p = combined({"a": np.array(first, float), "b": np.array(second, float)})
    assert components == {"a": counted(first)[0], "b": counted(second)[0]} and p == expected


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (5, 2), (7, 5)])
def test_few_labelings_are_all_looked_at_once(m, n):
    rows = labelings([(m, n)], seed=1)[0]

    assert len(rows) == comb(m + n, n) == len({tuple(row) for row in rows})
    assert rows[0].tolist() == [False] * m + [True] * n
    assert (rows.sum(1) == n).all()


def test_few_joint_labelings_are_all_looked_at_once():
    groups = [(3, 2), (2, 1), (4, 1)]
    rows = np.hstack(labelings(groups, seed=1))

    assert is_complete(groups) and len(rows) == 10 * 3 * 5 == len({tuple(row) for row in rows})
    assert rows[0].tolist() == [False, False, False, True, True, False, False, True, *[False] * 4, True]


def test_many_labelings_are_drawn_uniformly_and_independently():
    first, second = labelings([(6, 3), (6, 3)], seed=7, relabelings=4_000)

    assert first.shape == (4_001, 9) and not is_complete([(6, 3), (6, 3)], 4_000)
    for rows in (first, second):
        assert rows[0].tolist() == [False] * 6 + [True] * 3 and (rows.sum(1) == 3).all()
        counts = np.unique(rows[1:], axis=0, return_counts=True)[1]
        assert len(counts) == 84 and ((counts - 4_000 / 84) ** 2 / (4_000 / 84)).sum() < 83 + 4 * (2 * 83) ** 0.5
    both = (first[1:].astype(float) - 1 / 3).T @ (second[1:].astype(float) - 1 / 3) / 4_000
    assert np.abs(both).max() < 5 * (2 / 9) / 4_000**0.5


def test_a_seed_draws_the_same_labelings_everywhere():
    rows = labelings([(20, 12)], seed=20261)[0]

    assert np.flatnonzero(rows[1]).tolist() == [0, 2, 6, 8, 9, 11, 13, 17, 26, 27, 29, 30]
    assert np.flatnonzero(rows[9_999]).tolist() == [3, 4, 6, 7, 11, 13, 14, 17, 19, 24, 27, 28]
    assert not np.array_equal(rows, labelings([(20, 12)], seed=20262)[0])
