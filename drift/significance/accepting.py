"""Accepted replays join the baseline, so that a baseline that is odd by chance does not go on raising alarms."""

from collections.abc import Iterable, Sequence

from drift.significance.samples import Sample, UnfitSamples, kind_of

MOST = 60  # samples; beyond, a test gains little and costs more


def joined(baseline: Sequence[Sample], accepted: Iterable[Sequence[Sample]], *, most: int = MOST) -> tuple[Sample, ...]:
    """The baseline with the replays of accepted runs, to decide the next run against.

    A frozen baseline repeats its own false alarms: where its outputs are odd by chance, every later run differs from
    them. A run counts as accepted where its answer was within-noise, or a person looked at an alarm and let it pass.
    Runs that drifted, or were not looked at, must stay out. The first baseline always stays in, so that slow drift,
    accepted step by step, still adds up against it; of the accepted replays the newest fill the places left.

    Args:
        baseline: the first one; kept whole, even above ``most``.
        accepted: replays per accepted run, the oldest run first.
        most: samples in all.

    Raises:
        UnfitSamples: no baseline, more than one medium, or no room for any sample.
    """
    if most < 1:
        raise UnfitSamples(f"a baseline of at most {most} samples holds none", "give at least 1; 60 is the default")
    later = [sample for run in accepted for sample in run]
    kind_of([*baseline, *later], "the baseline")
    if not baseline:
        raise UnfitSamples("there is no first baseline to join", "record at least one output")
    room = max(0, most - len(baseline))
    return (*baseline, *later[len(later) - min(room, len(later)) :])
