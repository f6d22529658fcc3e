"""One manifest: do its replays come from the distribution its baseline came from?"""

from collections.abc import Sequence

from drift.significance.decision import Component, Decision, answer_for
from drift.significance.one_thread import in_one_thread
from drift.significance.ranking import combined
from drift.significance.relabeling import RELABELINGS, is_complete, labelings
from drift.significance.resolution import attainable_p, replays_needed
from drift.significance.rules import rules_for
from drift.significance.samples import Sample, check_level, kind_of, stacked


@in_one_thread
def decide_manifest(
    baseline: Sequence[Sample],
    replays: Sequence[Sample],
    *,
    alpha: float = 0.01,
    seed: int,
    relabelings: int = RELABELINGS,
) -> Decision:
    """Decide one manifest in the unseeded regime, in one look.

    Args:
        baseline: samples of m outputs of the version held to be good, the recorded one among them; pictures,
            transcripts, clips or sounds, as ``sample_of`` makes them.
        replays: samples of n outputs made now, none of which is in the baseline.
        alpha: the error rate: of manifests that did not change, at most so many are called drifted.
        seed: of the relabelings, 0...2^53 - 1; the same samples and seed give the same result, bit for bit.
        relabelings: besides the observed labeling; fewer cost power, never validity.

    Raises:
        UnfitSamples: no baseline, no replay, more than one medium, or an alpha, seed or number of relabelings that
            cannot be.
    """
    check_level(alpha, seed, relabelings)
    blocks = stacked(baseline, replays)
    rules = rules_for(kind_of(baseline))
    m, n, size = len(baseline), len(replays), rules.manifest_size
    attainable = attainable_p(m, n, statistics=size, relabelings=relabelings)
    labels = labelings([(m, n)], seed=seed, relabelings=relabelings)[0]
    components, p = combined(rules.manifest_statistics(blocks, labels))
    answer, reason = answer_for(p, attainable, alpha)
    return Decision(
        rule=rules.manifest,
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
        needed=replays_needed(m, alpha=alpha, statistics=size, relabelings=relabelings) if reason else None,
        facts=rules.moved([blocks], [m]) if answer == "drifted" else (),
    )
