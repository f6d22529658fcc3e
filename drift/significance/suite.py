"""The suite gate: has anything changed over many prompts, each replayed once or twice?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

from drift.media.media import Kind
from drift.significance.decision import Component, Decision, answer_for
from drift.significance.one_thread import in_one_thread
from drift.significance.ranking import combined
from drift.significance.relabeling import RELABELINGS, Labels, is_complete, labelings
from drift.significance.resolution import attainable_of
from drift.significance.rules import Statistics, rules_for, suite_rule
from drift.significance.samples import Blocks, Sample, UnfitSamples, check_level, kind_of, stacked

_MOST = 1_000  # replays per prompt beyond which nobody plans


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a suite: what it gave when held to be good, and what it gives now."""

    baseline: Sequence[Sample]
    replays: Sequence[Sample]


@in_one_thread
def suite_gate(
    prompts: Sequence[Prompt], *, alpha: float = 0.01, seed: int, relabelings: int = RELABELINGS
) -> Decision:
    """Decide a whole suite at once: the first test of a run, and the only one when it does not reject.

    Prompts may differ in their numbers of outputs; each adds weight accordingly. They may differ in medium too: each
    medium's statistics are computed over its own prompts, and all are combined to one p.

    Args:
        prompts: at least one; relabeled within, never across.
        alpha: the error rate of this one answer about all prompts.
        seed: of the relabelings, 0...2^53 - 1; the same samples and seed give the same result, bit for bit.
        relabelings: besides the observed labeling.

    Raises:
        UnfitSamples: no prompt, a prompt without baseline or replay or of two media, or settings that cannot be.
    """
    check_level(alpha, seed, relabelings)
    if not prompts:
        raise UnfitSamples("the suite has no prompt", "select at least one manifest")
    blocks = [stacked(one.baseline, one.replays, f"prompt {number}") for number, one in enumerate(prompts, 1)]
    kinds = [kind_of(one.baseline) for one in prompts]
    rule, size = suite_rule(kinds)
    groups = [(len(one.baseline), len(one.replays)) for one in prompts]
    labels = labelings(groups, seed=seed, relabelings=relabelings)
    components, p = combined(_statistics(kinds, blocks, labels))
    attainable = _attainable(groups, size, relabelings)
    answer, reason = answer_for(p, attainable, alpha)
    needed = None
    if reason:
        needed = suite_replays_needed([m for m, _ in groups], alpha=alpha, relabelings=relabelings, kinds=kinds)
    return Decision(
        rule=rule,
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
        needed=needed,
        facts=_facts(kinds, blocks, groups) if answer == "drifted" else (),
    )


def suite_replays_needed(
    baselines: Sequence[int],
    *,
    alpha: float = 0.01,
    relabelings: int = RELABELINGS,
    kinds: Iterable[Kind] = ("image",),
) -> int | None:
    """The fewest replays of each prompt with which the gate can reject at alpha; None when no number is enough.

    ``kinds`` are the media among the prompts.
    """
    _, size = suite_rule(kinds)
    if (size + 1) / (relabelings + 1) > alpha and size / (relabelings + 1) > alpha:
        return None
    for n in range(1, _MOST):
        if _attainable([(m, n) for m in baselines], size, relabelings) <= alpha:
            return n
    return None


def _attainable(groups: Sequence[tuple[int, int]], size: int, relabelings: int) -> float:
    return attainable_of([comb(m + n, n) for m, n in groups], statistics=size, relabelings=relabelings)


def _statistics(kinds: Sequence[Kind], blocks: Sequence[Blocks], labels: Sequence[Labels]) -> Statistics:
    found: Statistics = {}
    for kind in sorted(set(kinds)):
        mine = [index for index, one in enumerate(kinds) if one == kind]
        found |= rules_for(kind).suite_statistics([blocks[i] for i in mine], [labels[i] for i in mine])
    return found


def _facts(kinds: Sequence[Kind], blocks: Sequence[Blocks], groups: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for kind in sorted(set(kinds)):
        mine = [index for index, one in enumerate(kinds) if one == kind]
        found += rules_for(kind).moved([blocks[i] for i in mine], [groups[i][0] for i in mine])
    return found
