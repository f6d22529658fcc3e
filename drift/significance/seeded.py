"""The seeded regime: does a replay differ by more than the numeric noise seen in calibration?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from drift.significance.resolution import floor_needed
from drift.significance.samples import UnfitSamples


def beyond_p(floor: int, replays: int, beyond: int) -> float:
    """The chance that so many of the replays, or more, lie beyond every floor distance if nothing changed.

    Of ``floor + replays`` exchangeable distances the largest ``beyond`` are then all replays': the product of
    (replays - i)/(floor + replays - i) for i below ``beyond``. For two of two it is 1 / C(floor + 2, 2).
    """
    p = 1.0
    for i in range(beyond):
        p *= (replays - i) / (floor + replays - i)
    return p


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """The result of holding all replays of one run against a floor, once.

    Attributes:
        answer: "drifted" where so many replays lie beyond the whole floor that p is at most alpha; "within-noise"
            where fewer do; "confirm" where the only replay does and one alone cannot decide; "undecided" where not
            even all of them could.
        reason: "resolution" when undecided, else None.
        p: see ``beyond_p``.
        attainable: p where all replays lie beyond the floor; of one replay, where its confirmation does too.
        alpha: the error rate of this one answer.
        floor: m.
        replays: n.
        beyond: replays beyond every floor distance.
        needed: floor distances it takes for alpha, when undecided.
    """

    answer: Literal["drifted", "within-noise", "confirm", "undecided"]
    reason: str | None
    p: float
    attainable: float
    alpha: float
    floor: int
    replays: int
    beyond: int
    needed: int | None = None

    def to_json(self) -> dict[str, object]:
        """Every member in JSON's own types."""
        return {
            "rule": "seeded/1",
            "answer": self.answer,
            "p": self.p,
            "attainable": self.attainable,
            "alpha": self.alpha,
            "baseline": self.floor,
            "replays": self.replays,
            "beyond": self.beyond,
            "needed": self.needed,
        }


def decide_group(floor: Sequence[float], replays: Sequence[float], *, alpha: float = 0.01) -> GroupDecision:
    """Decide a seeded manifest by all replays of one run: one answer, one error rate, however many they are.

    Args:
        floor: distances of m calibration replays.
        replays: distances of n replays; any that ranks all alike serves, see ``drift.floor.deviations``.
        alpha: the error rate.

    Raises:
        UnfitSamples: no replay, a distance that is no number, or an alpha that cannot be.
    """
    needed, m, n = floor_needed(alpha), len(floor), len(replays)
    if n < 1 or not all(isfinite(one) for one in (*floor, *replays)):
        raise UnfitSamples("there is no replay, or a distance is not finite", "measure it again")
    highest = max(floor, default=float("-inf"))
    beyond = sum(one > highest for one in replays)
    p, attainable = beyond_p(m, n, beyond), beyond_p(m, max(n, 2), max(n, 2))
    if attainable > alpha:
        return GroupDecision("undecided", "resolution", p, attainable, alpha, m, n, beyond, needed)
    if p <= alpha:
        return GroupDecision("drifted", None, p, attainable, alpha, m, n, beyond)
    answer: Literal["confirm", "within-noise"] = "confirm" if n == beyond == 1 else "within-noise"
    return GroupDecision(answer, None, p, attainable, alpha, m, n, beyond)
