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
