"""The statistics of images: six for one manifest (``manifest/1``), seven for a suite (``suite/1``)."""

from collections.abc import Sequence

import numpy as np

from drift.significance.contrasts import (
    Rows,
    dispersion,
    distances,
    energy,
    largest,
    length,
    off_centre,
    relative,
    ridge,
    shift,
    standardised,
    top,
    with_spread,
)
from drift.significance.pooling import added, scaled, spread_and_outliers, whitened
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks

PENALTY = 0.3  # of the ridge classifier


def manifest_statistics(blocks: Blocks, labels: Labels) -> dict[str, Rows]:
    """The six statistics of every labeling; larger speaks for a change.

    Features are standardised over the pooled samples. ``glob.max`` and ``lay.max`` are the largest squared difference
    of means, spread included; ``scat.top`` sums the largest fiftieth of them; ``glob.ridge`` is a classifier's success;
    ``hist.energy`` compares whole distributions; ``glob.dispersion`` compares variety, and is left out where either
    group has one sample only.

    Args:
        blocks: per block float64 of shape (m + n, size); statistics of blocks that are missing are left out.
        labels: shape (rows, m + n), True for a replay.
    """
    features = {name: standardised(block) for name, block in blocks.items() if name != "cur"}
    found = {}
    if "glob" in features:
        found["glob.ridge"] = ridge(features["glob"], labels, PENALTY)
        found["glob.max"] = shift(with_spread(features["glob"]), labels, largest)
    if "hist" in features:
        found["hist.energy"] = energy(distances(features["hist"]), labels)
    if "lay" in features:
        found["lay.max"] = shift(with_spread(features["lay"]), labels, largest)
    if "scat" in features:
        found["scat.top"] = shift(with_spread(features["scat"]), labels, top)
    replays = int(labels[0].sum())
    if "glob" in features and min(replays, labels.shape[1] - replays) > 1:
        found["glob.dispersion"] = off_centre(dispersion(distances(features["glob"]), labels))
    return found


def suite_statistics(prompts: Sequence[Blocks], labels: Sequence[Labels]) -> dict[str, Rows]:
    """The seven statistics of every joint labeling; larger speaks for a change.

    Features are centred within each prompt and divided by the deviation pooled over prompts. A *coherent* statistic
    adds the prompts' shift vectors before it measures their length, so a small change shared by all prompts adds up;
    an energy is added prompt by prompt and finds changes of any kind; ``dispersion`` (left out where no prompt has two
    replays and two baseline outputs) and ``outlying`` look at variety and at single far-off replays.

    Args:
        prompts: per prompt, per block, float64 of shape (m + n, size).
        labels: per prompt, shape (rows, m + n), True for a replay; the same rows throughout.
    """
    together = np.hstack(labels)
    glob = whitened(*scaled([prompt["glob"] for prompt in prompts]))
    hist, _ = scaled([prompt["hist"] for prompt in prompts])
    lay, _ = scaled([prompt["lay"] for prompt in prompts])
    found = {
        "cur.energy": added(
            energy(relative(distances(one["cur"] - one["cur"].mean(0))), row)
            for one, row in zip(prompts, labels, strict=True)
        ),
        "glob.coherent": shift(np.vstack(glob), together, length),
        "hist.coherent": shift(np.vstack(hist), together, top),
        "lay.coherent": shift(np.vstack(lay), together, largest),
        "hist.energy": added(energy(distances(own), row) for own, row in zip(hist, labels, strict=True)),
    }
    apart = [(distances(own), row) for block in (glob, lay) for own, row in zip(block, labels, strict=True)]
    spread, found["outlying"] = spread_and_outliers(apart)
    if spread is not None:
        found["dispersion"] = spread
    return found
