"""The statistics of video clips: six for one manifest, eight for a suite."""

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
from drift.significance.pictures import PENALTY
from drift.significance.pooling import added, scaled, spread_and_outliers, whitened
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks


def manifest_statistics(blocks: Blocks, labels: Labels) -> dict[str, Rows]:
    """The six statistics of every labeling; larger speaks for a change.

    As for pictures, of the frames' mean (``clip``), of their change over time (``flux``) and of the facts of motion
    (``time``); ``clip.dispersion`` is left out where either group has one sample only.

    Args:
        blocks: per block float64 of shape (m + n, size).
        labels: shape (rows, m + n), True for a replay.
    """
    features = {name: standardised(blocks[name]) for name in ("glob", "flux", "time", "hist")}
    found = {
        "clip.ridge": ridge(features["glob"], labels, PENALTY),
        "clip.max": shift(with_spread(features["glob"]), labels, largest),
        "clip.colours": energy(distances(features["hist"]), labels),
        "flux.max": shift(with_spread(features["flux"]), labels, largest),
        "time.max": shift(with_spread(features["time"]), labels, largest),
    }
    replays = int(labels[0].sum())
    if min(replays, labels.shape[1] - replays) > 1:
        found["clip.dispersion"] = off_centre(dispersion(distances(features["glob"]), labels))
    return found


def suite_statistics(prompts: Sequence[Blocks], labels: Sequence[Labels]) -> dict[str, Rows]:
    """The eight statistics of every joint labeling; larger speaks for a change.

    As for pictures; ``flux.coherent`` and ``time.coherent`` are whitened like ``clip.coherent``.

    Args:
        prompts: per prompt, per block, float64 of shape (m + n, size).
        labels: per prompt, shape (rows, m + n), True for a replay; the same rows throughout.
    """
    together = np.hstack(labels)
    glob, flux, time = (whitened(*scaled([one[name] for one in prompts])) for name in ("glob", "flux", "time"))
    hist, _ = scaled([one["hist"] for one in prompts])
    found = {
        "clip.energy": added(
            energy(relative(distances(one["cur"] - one["cur"].mean(0))), row)
            for one, row in zip(prompts, labels, strict=True)
        ),
        "clip.coherent": shift(np.vstack(glob), together, length),
        "flux.coherent": shift(np.vstack(flux), together, length),
        "time.coherent": shift(np.vstack(time), together, length),
        "clip.colours.coherent": shift(np.vstack(hist), together, top),
        "clip.colours.energy": added(energy(distances(own), row) for own, row in zip(hist, labels, strict=True)),
    }
    spread, found["clip.outlying"] = spread_and_outliers(
        [(distances(own), row) for own, row in zip(glob, labels, strict=True)]
    )
    if spread is not None:
        found["clip.spread"] = spread
    return found
