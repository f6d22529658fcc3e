"""The seeded regime: does a replay differ by more than the numeric noise seen in calibration?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isfinite
from typing import Literal

from drift.significance.resolution import floor_needed
from drift.significance.samples import UnfitSamples


@dataclass(frozen=True, slots=True)
class SeededDecision:
    """The result of comparing one or two replays' distances with a floor.

    Attributes:
        answer: "drifted" where replay and confirmation both exceed every floor distance; "within-noise" where either
            does not; "confirm" where the replay does and the confirmation is still to be made; "undecided" where the
            floor has too few distances for alpha.
        reason: "resolution" when undecided, else None.
        p: C(k + 2, 2) / C(m + 2, 2), k floor distances reaching the smaller of the two; None before confirmation.
        attainable: 1 / C(m + 2, 2).
        alpha: the error rate asked for.
        floor: m.
        needed: floor distances it takes for alpha, when undecided.
    """

    answer: Literal["drifted", "within-noise", "confirm", "undecided"]
    reason: str | None
    p: float | None
    attainable: float
    alpha: float
    floor: int
    needed: int | None = None


def decide_seeded(
    floor: Sequence[float], replay: float, confirmation: float | None = None, *, alpha: float = 0.01
) -> SeededDecision:
    """Decide a seeded manifest by one combined distance to the original.

    If nothing changed, m floor distances and two new ones are exchangeable: that both new ones are the two largest has
    probability 1 / C(m + 2, 2). A distance equal to one of the floor's does not exceed it.

    Args:
        floor: distances of m calibration replays to the original.
        replay: the replay's distance.
        confirmation: a second replay's, made only when the first one exceeds the floor.
        alpha: the error rate.

    Raises:
        UnfitSamples: a distance that is negative or no number, or an alpha that cannot be.
    """
    needed = floor_needed(alpha)
    given = [*floor, replay] if confirmation is None else [*floor, replay, confirmation]
    if not all(isfinite(one) and one >= 0 for one in given):
        raise UnfitSamples("a distance is negative or not finite", "measure it again")
    m = len(floor)
    attainable = 1 / comb(m + 2, 2)
    if m < needed:
        return SeededDecision("undecided", "resolution", None, attainable, alpha, m, needed)
    if confirmation is None:
        beyond = all(replay > one for one in floor)
        return SeededDecision("confirm" if beyond else "within-noise", None, None, attainable, alpha, m)
    reaching = sum(one >= min(replay, confirmation) for one in floor)
    p = comb(reaching + 2, 2) / comb(m + 2, 2)
    return SeededDecision("within-noise" if reaching else "drifted", None, p, attainable, alpha, m)
