"""Group-sequential looks at one manifest: stop paying for replays as soon as they say enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from drift.media.media import Kind
from drift.significance.decision import Decision
from drift.significance.manifest import decide_manifest
from drift.significance.one_thread import in_one_thread
from drift.significance.relabeling import RELABELINGS
from drift.significance.resolution import attainable_p
from drift.significance.rules import rules_for
from drift.significance.samples import Sample, UnfitSamples, check_level, kind_of, stacked

LOOKS = (5, 8, 12, 20)  # replays
BASELINE = 20  # outputs; with 5, the first two looks can never reject at 1 %
FUTILE = 0.5


@dataclass(frozen=True, slots=True)
class SequentialDecision:
    """Where a series of looks stands.

    Attributes:
        answer: "drifted" where a look's p is at most its share of alpha; "within-noise" where a look was futile or the
            last one did not reject; "continue" where replays are missing for the next look; "undecided" where no look
            could have rejected.
        reason: "resolution" when undecided; "futility" when a look ended the series early; else None.
        p: the smallest p of the looks taken times the number of planned looks (Bonferroni), at most 1; None before the
            first look. Use this one over several manifests.
        looks: the looks taken, in order; each is held against alpha divided by the number of planned looks.
        used: replays that the answer rests on.
        next_look: how many replays the next look takes; None when the series is over.
        alpha: the error rate of the whole series.
        needed: baseline outputs with which the last look could reject; given when undecided.
    """

    answer: Literal["drifted", "within-noise", "continue", "undecided"]
    reason: str | None
    p: float | None
    looks: tuple[Decision, ...]
    used: int
    next_look: int | None
    alpha: float
    needed: int | None = None


@in_one_thread
def sequential(
    baseline: Sequence[Sample],
    replays: Sequence[Sample],
    *,
    alpha: float = 0.01,
    seed: int,
    looks: Sequence[int] = LOOKS,
    relabelings: int = RELABELINGS,
) -> SequentialDecision:
    """Take every look that the replays at hand allow, from the first on, and say whether to go on.

    It keeps no state: called again with more replays it takes the earlier looks again, on the same first replays and
    with the same relabelings, hence with the same results. Replays must therefore be given in the order they were
    made, and never be chosen by their outcome. A look that cannot reject (``attainable`` above its share of alpha)
    stops nothing, neither by rejecting nor by futility. Look i draws its relabelings with ``seed + i``.

    Args:
        baseline: m outputs; 20 are meant.
        replays: in the order made; those beyond the last look are not used.
        alpha: the error rate of the whole series, split evenly over the planned looks.
        seed: of the first look's relabelings.
        looks: numbers of replays, rising.
        relabelings: per look, besides the observed labeling.

    Raises:
        UnfitSamples: no baseline, or settings that cannot be.
    """
    check_level(alpha, seed, relabelings)
    check_level(alpha, seed + len(looks), relabelings)
    _check_looks(looks)
    if not baseline:
        stacked(baseline, replays)  # raises
    kind = kind_of(baseline)
    share = alpha / len(looks)
    taken: list[Decision] = []
    if not looks_that_can_reject(len(baseline), alpha=alpha, looks=looks, relabelings=relabelings, kind=kind):
        needed = baseline_needed(alpha=alpha, looks=looks, relabelings=relabelings, kind=kind)
        return SequentialDecision("undecided", "resolution", None, (), 0, None, alpha, needed)
    for number, n in enumerate(looks):
        if n > len(replays):
            return SequentialDecision(
                "continue", None, _overall(taken, len(looks)), tuple(taken), _used(taken), n, alpha
            )
        look = decide_manifest(baseline, replays[:n], alpha=share, seed=seed + number, relabelings=relabelings)
        taken.append(look)
        if look.answer == "drifted":
            return SequentialDecision("drifted", None, _overall(taken, len(looks)), tuple(taken), n, None, alpha)
        if look.answer == "within-noise" and look.p > FUTILE and n < looks[-1]:
            p = _overall(taken, len(looks))
            return SequentialDecision("within-noise", "futility", p, tuple(taken), n, None, alpha)
    return SequentialDecision("within-noise", None, _overall(taken, len(looks)), tuple(taken), looks[-1], None, alpha)


def looks_that_can_reject(
    m: int,
    *,
    alpha: float = 0.01,
    looks: Sequence[int] = LOOKS,
    relabelings: int = RELABELINGS,
    kind: Kind = "image",
) -> tuple[int, ...]:
    """Of the planned looks, those at which m baseline outputs can reject; a plan prints them."""
    _check_looks(looks)
    return tuple(n for n in looks if _can_reject(m, n, alpha / len(looks), relabelings, kind))


def baseline_needed(
    *,
    alpha: float = 0.01,
    looks: Sequence[int] = LOOKS,
    relabelings: int = RELABELINGS,
    at: int | None = None,
    kind: Kind = "image",
) -> int | None:
    """The fewest baseline outputs with which the look at ``at`` replays can reject; the last look by default.

    None where the relabelings are too few for any baseline.
    """
    _check_looks(looks)
    n = looks[-1] if at is None else at
    return next((m for m in range(1, 1_000) if _can_reject(m, n, alpha / len(looks), relabelings, kind)), None)


def _can_reject(m: int, n: int, share: float, relabelings: int, kind: Kind) -> bool:
    return attainable_p(m, n, statistics=rules_for(kind).manifest_size, relabelings=relabelings) <= share


def _check_looks(looks: Sequence[int]) -> None:
    if not looks or looks[0] < 1 or any(one >= later for one, later in pairwise(looks)):
        raise UnfitSamples(f"the looks {tuple(looks)} do not rise from 1 on", "give rising numbers of replays")


def _overall(taken: Sequence[Decision], planned: int) -> float | None:
    return min(1.0, planned * min(one.p for one in taken)) if taken else None


def _used(taken: Sequence[Decision]) -> int:
    return taken[-1].replays if taken else 0
