"""Resolution: how small a p value so few samples can give, and how many would give a small enough one."""

from math import ceil, comb

from drift.significance.relabeling import RELABELINGS
from drift.significance.samples import UnfitSamples

_SEARCHED = 10_000  # replays beyond which nobody plans


def attainable_p(
    m: int, n: int, *, statistics: int = 1, prompts: int = 1, relabelings: int | None = RELABELINGS
) -> float:
    """The smallest p value that a test can be relied on to reach; at most 1.

    Args:
        m: baseline outputs per prompt.
        n: replays per prompt.
        statistics: how many are combined, K; two that each find the strongest possible change in another labeling
            share the first place.
        prompts: relabeled independently of each other.
        relabelings: drawn besides the observed one; None when every labeling is looked at.

    Returns:
        K / C(m + n, n)^prompts; where not all labelings are looked at, at least (K + 1) / (relabelings + 1).
    """
    if m < 0 or n < 0 or statistics < 1 or prompts < 1:
        raise UnfitSamples(f"m {m}, n {n}, statistics {statistics}, prompts {prompts} is no plan", "give counts")
    return attainable_of([comb(m + n, n)] * prompts, statistics=statistics, relabelings=relabelings)


def attainable_of(counts: list[int], *, statistics: int, relabelings: int | None = RELABELINGS) -> float:
    """As ``attainable_p``, for prompts with these numbers of labelings."""
    rows = 1
    for count in counts:
        rows *= count
        if relabelings is not None and rows > relabelings + 1:
            return min(1.0, max(_ratio(statistics, counts), (statistics + 1) / (relabelings + 1)))
    return min(1.0, _ratio(statistics, counts))


def _ratio(statistics: int, counts: list[int]) -> float:
    share = float(statistics)
    for count in counts:
        share /= count
    return share


def replays_needed(
    m: int, *, alpha: float, statistics: int = 1, prompts: int = 1, relabelings: int | None = RELABELINGS
) -> int | None:
    """The fewest replays per prompt with which ``attainable_p`` is at most alpha; None when no number is enough.

    Without a baseline no number is; nor where ``(statistics + 1) / (relabelings + 1)`` is above alpha already, unless
    looking at every labeling is cheaper than that.
    """
    if m < 1:
        return None
    for n in range(1, _SEARCHED):
        p = attainable_p(m, n, statistics=statistics, prompts=prompts, relabelings=relabelings)
        if p <= alpha:
            return n
        if relabelings is not None and comb(m + n, n) > relabelings + 1 and statistics / comb(m + n, n) <= alpha:
            return None  # from here on the number of relabelings is what limits
    return None


def floor_needed(alpha: float) -> int:
    """The fewest floor distances with which a seeded manifest can be decided: 13 for 1 %, 5 for 5 %."""
    if not 0 < alpha < 1:
        raise UnfitSamples(f"alpha is {alpha}", "give an error rate between 0 and 1, such as 0.01")
    m = 0
    while 1 / comb(m + 2, 2) > alpha:
        m += 1
    return m


def unseen_rate(n: int) -> float:
    """The share of failures that may hide, at 95 % confidence, behind n samples of which none failed: 3/n, at most 1.

    The "rule of three" (Hanley, Lippman-Hand 1983); what a report says of rare failures, which no test of
    distributions sees.
    """
    return min(1.0, 3 / n) if n > 0 else 1.0


def replays_to_exclude(rate: float) -> int:
    """How many flawless samples make ``unseen_rate`` at most ``rate``."""
    if not 0 < rate <= 1:
        raise UnfitSamples(f"the rate is {rate}", "give a share above 0 and at most 1")
    return ceil(3 / rate)
