"""The statistics of transcripts: seven for one manifest, seven for a suite."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from drift.significance.contrasts import (
    Matrix,
    Rows,
    dispersion,
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
from drift.significance.pooling import added, repeated, scaled, spread_and_outliers, whitened
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks


def manifest_statistics(blocks: Blocks, labels: Labels) -> dict[str, Rows]:
    """The seven statistics of every labeling; larger speaks for a change.

    ``rates`` (how it is written) by a classifier's success and by the largest squared difference of means, spread
    included; edit distances of the raw text (``spelling``) and of the bare words by energy; ``kept``, which words are
    not reproduced, by the largest difference and by the sum of the largest fiftieth; ``words.dispersion`` compares
    variety, and is left out where either group has one sample only.

    Args:
        blocks: as ``stacked`` gives them for transcripts.
        labels: shape (rows, m + n), True for a replay.
    """
    rates = standardised(blocks["rates"])
    kept, width = _varying(blocks["kept"])
    found = {
        "rates.ridge": ridge(rates, labels, PENALTY),
        "rates.max": shift(with_spread(rates), labels, largest),
        "spelling.energy": energy(blocks["raw"], labels),
        "words.energy": energy(blocks["words"], labels),
        "kept.max": shift(kept, labels, largest),
        "kept.top": shift(kept, labels, partial(top, width=width)),
    }
    replays = int(labels[0].sum())
    if min(replays, labels.shape[1] - replays) > 1:
        found["words.dispersion"] = off_centre(dispersion(blocks["words"], labels))
    return found


def suite_statistics(prompts: Sequence[Blocks], labels: Sequence[Labels]) -> dict[str, Rows]:
    """The seven statistics of every joint labeling; larger speaks for a change.

    ``rates`` are scaled over prompts and their shifts added before they are measured, so that a small change shared by
    all adds up: whitened as a whole, and the largest alone. Everything else is added prompt by prompt, since words
    differ between prompts: energies over the prompt's median distance, the largest fiftieth of the words not
    reproduced, and of the words' distances variety and single far-off replays.

    Args:
        prompts: as ``stacked`` gives them for transcripts.
        labels: per prompt, shape (rows, m + n), True for a replay; the same rows throughout.
    """
    together = np.hstack(labels)
    rates, freedom = scaled([prompt["rates"] for prompt in prompts])
    kept = [_varying(prompt["kept"]) for prompt in prompts]
    pairs = list(zip(prompts, labels, strict=True))
    found = {
        "rates.coherent": shift(np.vstack(whitened(rates, freedom)), together, length),
        "rates.largest": shift(np.vstack(rates), together, largest),
        "spelling.energies": added(energy(relative(one["raw"]), row) for one, row in pairs),
        "words.energies": added(energy(relative(one["words"]), row) for one, row in pairs),
        "kept.tops": added(
            repeated(partial(shift, own, measure=partial(top, width=width)), row)
            for (own, width), row in zip(kept, labels, strict=True)
        ),
    }
    spread, found["words.outlying"] = spread_and_outliers([(one["words"], row) for one, row in pairs])
    if spread is not None:
        found["words.spread"] = spread
    return found


def _varying(kept: Matrix) -> tuple[Matrix, int]:
    """Standardised indicators with their spread, without those that never vary, and how many there were."""
    every = with_spread(standardised(kept))
    live = np.abs(every).max(0) > 0
    if not live.any():
        live[0] = True
    return every[:, live], every.shape[1]
