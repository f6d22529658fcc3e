"""The statistics of sounds: six for one manifest, seven for a suite."""

from collections.abc import Sequence

import numpy as np

from drift.descriptors.sound import FACTS
from drift.significance.contrasts import (
    Rows,
    dispersion,
    distances,
    energy,
    largest,
    length,
    off_centre,
    ridge,
    shift,
    standardised,
    with_spread,
)
from drift.significance.pictures import PENALTY
from drift.significance.pooling import added, scaled, spread_and_outliers, whitened
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks

_EVERY = ("facts", "spectrum", "ripple")
_CLEAR = 3.0  # standard errors: facts that moved by less are not told
_TOLD = 3  # facts at most


def manifest_statistics(blocks: Blocks, labels: Labels) -> dict[str, Rows]:
    """The six statistics of every labeling; larger speaks for a change.

    ``sound.ridge`` is a classifier's success on everything; ``facts.max`` the largest squared difference of means among
    the named facts, spread included; ``spectrum.max`` and ``ripple.max`` the same of the bands' mean and of their
    deviation; ``sound.energy`` compares whole distributions; ``sound.dispersion`` compares variety, and is left out
    where either group has one sample only.

    Args:
        blocks: per block float64 of shape (m + n, size).
        labels: shape (rows, m + n), True for a replay.
    """
    features = {name: standardised(blocks[name]) for name in _EVERY}
    together = np.hstack([features[name] for name in _EVERY])
    found = {
        "sound.ridge": ridge(together, labels, PENALTY),
        "facts.max": shift(with_spread(features["facts"]), labels, largest),
        "spectrum.max": shift(with_spread(features["spectrum"]), labels, largest),
        "ripple.max": shift(with_spread(features["ripple"]), labels, largest),
        "sound.energy": energy(distances(together), labels),
    }
    replays = int(labels[0].sum())
    if min(replays, labels.shape[1] - replays) > 1:
        found["sound.dispersion"] = off_centre(dispersion(distances(together), labels))
    return found


def suite_statistics(prompts: Sequence[Blocks], labels: Sequence[Labels]) -> dict[str, Rows]:
    """The seven statistics of every joint labeling; larger speaks for a change.

    Blocks are scaled over prompts and their shifts added before they are measured, so that a small change shared by all
    adds up: whitened as a whole, and of the facts the largest alone. Energies are added prompt by prompt.

    Args:
        prompts: per prompt, per block, float64 of shape (m + n, size).
        labels: per prompt, shape (rows, m + n), True for a replay; the same rows throughout.
    """
    together = np.hstack(labels)
    own = {name: scaled([one[name] for one in prompts]) for name in _EVERY}
    white = {name: np.vstack(whitened(*own[name])) for name in _EVERY}
    every = [np.hstack(parts) for parts in zip(*(own[name][0] for name in _EVERY), strict=True)]
    apart = [(distances(one), row) for one, row in zip(every, labels, strict=True)]
    found = {
        "facts.coherent": shift(white["facts"], together, length),
        "facts.largest": shift(np.vstack(own["facts"][0]), together, largest),
        "spectrum.coherent": shift(white["spectrum"], together, length),
        "ripple.coherent": shift(white["ripple"], together, length),
        "sound.energies": added(energy(far, row) for far, row in apart),
    }
    spread, found["sound.outlying"] = spread_and_outliers(apart)
    if spread is not None:
        found["sound.spread"] = spread
    return found


def moved_facts(prompts: Sequence[Blocks], baselines: Sequence[int]) -> tuple[str, ...]:
    """The named facts that moved most clearly, such as "loudness \u22123.1 LU", for a sentence; they decide nothing.

    Args:
        prompts: per prompt, as for the statistics, baseline first.
        baselines: how many of its samples that is.
    """
    steps, errors = [], []
    for one, m in zip(prompts, baselines, strict=True):
        facts = one["facts"]
        old, new = facts[:m], facts[m:]
        steps.append(new.mean(0) - old.mean(0))
        squares = np.square(old - old.mean(0)).sum(0) + np.square(new - new.mean(0)).sum(0)
        errors.append(squares / max(len(facts) - 2, 1) * (1 / len(old) + 1 / len(new)))
    step, error = np.mean(steps, axis=0), np.sqrt(np.sum(errors, axis=0)) / len(prompts)
    clear = np.abs(step) / (error + 1e-3)
    order = [int(place) for place in np.argsort(-clear, kind="stable")[:_TOLD] if clear[place] >= _CLEAR]
    said = [_told(*list(FACTS.items())[place], float(step[place])) for place in order]
    return tuple(one for one in said if one)


def _told(name: str, unit: str, step: float) -> str:
    """A fact's step, of an octave scale as a change in percent; "" where it rounds to none."""
    value, shown = (100 * (2**step - 1), "%") if unit == "octaves" else (step, unit)
    number = f"{value:+.1f}".replace("-", "\u2212")
    return f"{name} {number} {shown}".rstrip() if round(value, 1) else ""
