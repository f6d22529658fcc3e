"""Each statistic against its definition, written out sample by sample."""

import numpy as np
import pytest

from drift.significance import contrasts
from drift.significance.relabeling import labelings


@pytest.fixture
def features():
    return np.random.default_rng(3).normal(size=(9, 5))


@pytest.fixture
def labels():
    return labelings([(5, 4)], seed=0)[0][::7]


def test_distances(features):
    expected = [[np.linalg.norm(a - b) for b in features] for a in features]

    assert contrasts.distances(features) == pytest.approx(np.array(expected), abs=1e-12)
    assert contrasts.distances(np.vstack([features, features]))[0, 9] < 1e-6


def test_energy_and_dispersion(features, labels):
    for row, energy, spread in zip(
        labels,
        contrasts.energy(contrasts.distances(features), labels),
        contrasts.dispersion(contrasts.distances(features), labels),
        strict=True,
    ):
        old, new = features[~row], features[row]
        within = [
            np.mean([np.linalg.norm(a - b) for i, a in enumerate(group) for b in group[:i]]) for group in (old, new)
        ]
        between = np.mean([np.linalg.norm(a - b) for a in old for b in new])
        assert energy == pytest.approx(2 * between - sum(within)) and spread == pytest.approx(
            np.log(within[1] / within[0])
        )


def test_ridge_leaves_each_sample_out(features, labels):
    kernel = features @ features.T
    kernel /= np.trace(kernel) / 9
    for row, found in zip(labels, contrasts.ridge(features, labels, 0.3), strict=True):
        target = (~row) - (~row).mean()
        predicted = []
        for one in range(9):
            rest = [other for other in range(9) if other != one]
            weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + 0.3 * np.eye(8), target[rest])
            predicted.append(kernel[one, rest] @ weights)
        assert found == pytest.approx(predicted @ target / np.linalg.norm(predicted), rel=1e-6)


def test_shift_is_the_sum_over_replays_in_any_number_of_chunks(features, monkeypatch):
    labels = labelings([(5, 4)], seed=0)[0]
    expected = [np.square(features[row].sum(0)) for row in labels]

    for cells in (1, 50 * features.shape[1], 1 << 20):
        monkeypatch.setattr(contrasts, "_CELLS", cells)
        assert contrasts.shift(features, labels, contrasts.length) == pytest.approx([row.sum() for row in expected])
        assert contrasts.shift(features, labels, contrasts.largest) == pytest.approx([row.max() for row in expected])


def test_top_sums_the_largest_fiftieth():
    sums = np.arange(204.0)[None]

    assert contrasts.top(sums) == pytest.approx(203**2 + 202**2 + 201**2 + 200**2)
    assert contrasts.top(sums[:, :7]) == pytest.approx(36)


def test_standardised_features_that_hardly_vary_are_held_down():
    features = np.column_stack([[1.0, 2, 3, 4], [5, 5, 5, 5], [0, 0, 0, 1e-9]])

    found = contrasts.standardised(features)
    assert found[:, 0].std() == pytest.approx(1, abs=2e-3)
    assert np.abs(found[:, 1:]).max() < 1e-5
