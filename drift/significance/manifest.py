"""One manifest: do its replays come from the distribution its baseline came from? (statistics set ``manifest/1``)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor
from drift.significance.contrasts import (
    dispersion,
    distances,
    energy,
    largest,
    off_centre,
    ridge,
    shift,
    standardised,
    top,
    with_spread,
)
from drift.significance.decision import Component, Decision, answer_for
from drift.significance.ranking import combined
from drift.significance.relabeling import RELABELINGS, Labels, is_complete, labelings
from drift.significance.resolution import attainable_p, replays_needed
from drift.significance.samples import Blocks, check_level, stacked

STATISTICS = 6
_PENALTY = 0.3


def manifest_statistics(blocks: Blocks, labels: Labels) -> dict[str, NDArray[np.float64]]:
    """The six statistics of every labeling; larger speaks for a change.

    Features are standardised over the pooled samples. ``glob.max`` and ``lay.max`` are the largest squared difference
    of means, spread included; ``scat.top`` sums the largest fiftieth of them; ``glob.ridge`` is a classifier's success;
    ``hist.energy`` compares whole distributions; ``glob.dispersion`` compares variety, and is left out where either
    group has one sample only.

    Args:
        blocks: per block float64 of shape (m + n, size).
        labels: shape (rows, m + n), True for a replay.
    """
    features = {name: standardised(blocks[name]) for name in ("glob", "hist", "lay", "scat")}
    found = {
        "glob.ridge": ridge(features["glob"], labels, _PENALTY),
        "glob.max": shift(with_spread(features["glob"]), labels, largest),
        "hist.energy": energy(distances(features["hist"]), labels),
        "lay.max": shift(with_spread(features["lay"]), labels, largest),
        "scat.top": shift(with_spread(features["scat"]), labels, top),
    }
    replays = int(labels[0].sum())
    if min(replays, labels.shape[1] - replays) > 1:
        found["glob.dispersion"] = off_centre(dispersion(distances(features["glob"]), labels))
    return found


def decide_manifest(
    baseline: Sequence[Descriptor],
    replays: Sequence[Descriptor],
    *,
    alpha: float = 0.01,
    seed: int,
    relabelings: int = RELABELINGS,
) -> Decision:
    """Decide one manifest in the unseeded regime, in one look.

    Args:
        baseline: descriptors of m outputs of the version held to be good, the recorded one among them.
        replays: descriptors of n outputs made now, none of which is in the baseline.
        alpha: the error rate: of manifests that did not change, at most so many are called drifted.
        seed: of the relabelings, 0...2^53 - 1; the same samples and seed give the same result, bit for bit.
        relabelings: besides the observed labeling; fewer cost power, never validity.

    Raises:
        UnfitSamples: no baseline, no replay, or an alpha, seed or number of relabelings that cannot be.
    """
    check_level(alpha, seed, relabelings)
    blocks = stacked(baseline, replays)
    m, n = len(baseline), len(replays)
    attainable = attainable_p(m, n, statistics=STATISTICS, relabelings=relabelings)
    labels = labelings([(m, n)], seed=seed, relabelings=relabelings)[0]
    components, p = combined(manifest_statistics(blocks, labels))
    answer, reason = answer_for(p, attainable, alpha)
    return Decision(
        rule="manifest/1",
        answer=answer,
        reason=reason,
        p=p,
        components=tuple(Component(name, value) for name, value in components.items()),
        attainable=attainable,
        alpha=alpha,
        seed=seed,
        relabelings=len(labels) - 1,
        complete=is_complete([(m, n)], relabelings),
        baseline=m,
        replays=n,
        needed=replays_needed(m, alpha=alpha, statistics=STATISTICS, relabelings=relabelings) if reason else None,
    )
