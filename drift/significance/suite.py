"""The suite gate: has anything changed over many prompts, each replayed once or twice? (statistics set ``suite/1``)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor
from drift.significance.contrasts import (
    dispersion,
    distances,
    energy,
    largest,
    length,
    off_centre,
    shift,
    standardised,
    top,
)
from drift.significance.decision import Component, Decision, answer_for
from drift.significance.ranking import combined
from drift.significance.relabeling import RELABELINGS, Labels, is_complete, labelings
from drift.significance.resolution import attainable_of
from drift.significance.samples import Blocks, UnfitSamples, check_level, stacked

STATISTICS = 7
_OUTLYING = 1.25  # times the median mean distance, beyond which a sample counts as an outlier
_MOST = 1_000  # replays per prompt beyond which nobody plans

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a suite: what it gave when held to be good, and what it gives now."""

    baseline: Sequence[Descriptor]
    replays: Sequence[Descriptor]


def suite_statistics(prompts: Sequence[Blocks], labels: Sequence[Labels]) -> dict[str, Matrix]:
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
    glob = _whitened(*_scaled([prompt["glob"] for prompt in prompts]))
    hist, _ = _scaled([prompt["hist"] for prompt in prompts])
    lay, _ = _scaled([prompt["lay"] for prompt in prompts])
    found = {
        "cur.energy": _sum(
            energy(_relative(distances(one["cur"] - one["cur"].mean(0))), row)
            for one, row in zip(prompts, labels, strict=True)
        ),
        "glob.coherent": shift(np.vstack(glob), together, length),
        "hist.coherent": shift(np.vstack(hist), together, top),
        "lay.coherent": shift(np.vstack(lay), together, largest),
        "hist.energy": _sum(energy(distances(own), row) for own, row in zip(hist, labels, strict=True)),
    }
    apart = [(distances(own), row) for block in (glob, lay) for own, row in zip(block, labels, strict=True)]
    found["outlying"] = _sum(row.astype(np.float64) @ _excess(far) for far, row in apart)
    paired = [(far, row) for far, row in apart if 1 < row[0].sum() < row.shape[1] - 1]
    if paired:
        found["dispersion"] = off_centre(_sum(dispersion(far, row) for far, row in paired))
    return found


def suite_gate(
    prompts: Sequence[Prompt], *, alpha: float = 0.01, seed: int, relabelings: int = RELABELINGS
) -> Decision:
    """Decide a whole suite at once: the first test of a run, and the only one when it does not reject.

    Prompts may differ in their numbers of outputs; each adds weight accordingly.

    Args:
        prompts: at least one; relabeled within, never across.
        alpha: the error rate of this one answer about all prompts.
        seed: of the relabelings, 0...2^53 - 1; the same samples and seed give the same result, bit for bit.
        relabelings: besides the observed labeling.

    Raises:
        UnfitSamples: no prompt, a prompt without baseline or replay, or settings that cannot be.
    """
    check_level(alpha, seed, relabelings)
    if not prompts:
        raise UnfitSamples("the suite has no prompt", "select at least one manifest")
    blocks = [stacked(one.baseline, one.replays, f"prompt {number}") for number, one in enumerate(prompts, 1)]
    groups = [(len(one.baseline), len(one.replays)) for one in prompts]
    labels = labelings(groups, seed=seed, relabelings=relabelings)
    components, p = combined(suite_statistics(blocks, labels))
    attainable = _attainable(groups, relabelings)
    answer, reason = answer_for(p, attainable, alpha)
    return Decision(
        rule="suite/1",
        answer=answer,
        reason=reason,
        p=p,
        components=tuple(Component(name, value) for name, value in components.items()),
        attainable=attainable,
        alpha=alpha,
        seed=seed,
        relabelings=len(labels[0]) - 1,
        complete=is_complete(groups, relabelings),
        baseline=min(m for m, _ in groups),
        replays=min(n for _, n in groups),
        prompts=len(prompts),
        needed=suite_replays_needed([m for m, _ in groups], alpha=alpha, relabelings=relabelings) if reason else None,
    )


def suite_replays_needed(
    baselines: Sequence[int], *, alpha: float = 0.01, relabelings: int = RELABELINGS
) -> int | None:
    """The fewest replays of each prompt with which the gate can reject at alpha; None when no number is enough."""
    if (STATISTICS + 1) / (relabelings + 1) > alpha and STATISTICS / (relabelings + 1) > alpha:
        return None
    for n in range(1, _MOST):
        if _attainable([(m, n) for m in baselines], relabelings) <= alpha:
            return n
    return None


def _attainable(groups: Sequence[tuple[int, int]], relabelings: int) -> float:
    return attainable_of([comb(m + n, n) for m, n in groups], statistics=STATISTICS, relabelings=relabelings)


def _sum(terms: Iterable[Matrix]) -> Matrix:
    return np.asarray(np.sum(list(terms), axis=0), np.float64)


def _scaled(prompts: Sequence[Matrix]) -> tuple[list[Matrix], int]:
    """One block of all prompts over its pooled within-prompt deviation, and the deviation's degrees of freedom."""
    squares = _sum(np.square(own - own.mean(0)).sum(0) for own in prompts)
    freedom = sum(len(own) for own in prompts) - len(prompts)
    deviation = np.sqrt(squares / freedom)
    return [standardised(own, deviation) for own in prompts], freedom


def _whitened(prompts: Sequence[Matrix], freedom: int) -> list[Matrix]:
    """Rotate and rescale until within-prompt covariance is near the identity; a tenth of the mean eigenvalue is added.

    Without it the directions that hardly vary, known least, would weigh most.
    """
    pooled = np.vstack(prompts)
    values, vectors = np.linalg.eigh(pooled.T @ pooled / freedom)
    scale = np.sqrt(np.maximum(values, 0) + 0.1 * max(float(values.mean()), 1e-30))
    return [own @ (vectors / scale) for own in prompts]


def _relative(apart: Matrix) -> Matrix:
    """Distances over their median, so that prompts count alike; over their mean where most are 0."""
    pairs = apart[np.triu_indices(len(apart), 1)]
    unit = float(np.median(pairs)) or float(pairs.mean()) or 1.0
    return np.asarray(apart / unit, np.float64)


def _excess(apart: Matrix) -> Matrix:
    """How far each sample's mean distance to the others exceeds a quarter more than the usual."""
    far = apart.sum(1) / (len(apart) - 1)
    usual = float(np.median(far)) or 1.0
    return np.asarray(np.maximum(far / usual - _OUTLYING, 0), np.float64)
