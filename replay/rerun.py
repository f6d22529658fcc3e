"""Replays a manifest: sends its stored request again, records what came, scores it, decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drift.floor import Regime
from drift.score import Score
from drift.verdict import Level, Verdict
from registry.approvals import baseline_of
from registry.home import Registry
from registry.journal.budgets import BudgetSpent
from registry.record import Recorded
from replay.calibrating import calibration_of
from replay.consenting import Pay
from replay.judging import Held, Judge, Judgement, Rules
from replay.preparing import AS_RECORDED, Change, Ready, prepare, run_again
from replay.recording import record_drift


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay: its record, the verdict with scores for each output, and the drift records' ids.

    ``level`` and ``calibration`` (a record's id) are what it was judged by; None where the call failed.
    """

    recorded: Recorded
    verdicts: list[Verdict]
    scores: list[tuple[Score, ...]]
    drift: list[str]
    level: str | None = None
    calibration: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """All replays of one run; ``refused`` is set instead where none could be made, ``spent`` where more were wanted.

    ``held`` is what they were held against: the manifest, or the approved replay that took its place.
    """

    manifest: str
    regime: Regime
    replays: list[Replayed]
    refused: Verdict | None = None
    spent: BudgetSpent | None = None
    held: str | None = None

    @property
    def exit_code(self) -> int:
        """Drifted before could not run before undecided before reproduced: 1, 3, 4, 0."""
        if self.refused is not None:
            return 4
        kinds = [verdict.kind for one in self.replays for verdict in one.verdicts]
        if "drifted" in kinds:
            return 1
        if any(one.recorded.manifest.outcome.class_ != "succeeded" for one in self.replays):
            return 3
        return 4 if self.spent or "undecided" in kinds or "not-replayable" in kinds else 0


def replay(
    registry: Registry,
    manifest_id: str,
    *,
    times: int = 1,
    change: Change = AS_RECORDED,
    level: Level | None = None,
    alpha: float = 0.01,
    tell: Callable[[int, Recorded], None] = lambda number, recorded: None,
    pay: Callable[[Ready, int], Pay] = lambda ready, calls: lambda: None,
) -> Answer:
    """Replay a generation and say whether it is still the same.

    Every replay is recorded as a generation of its own with ``replay_of``; each
    pair of outputs gets a drift record. Nothing is ever deleted or replaced. In
    the seeded regime one more replay than asked for is made where the last one
    lies beyond the noise floor, to confirm it; free samples are looked at on the
    way, and no more are made than it takes to decide.

    Args:
        registry: where the manifest lies and the replays go.
        manifest_id: full id; where an approved replay took its place, that one is sent and held against.
        times: how many replays, at least 1.
        change: slots to send otherwise.
        level: what to ask for; by default what the manifest's context says, else
            what its regime allows.
        alpha: the error rate of a statistical decision.
        tell: hears of each replay as soon as it is recorded.
        pay: asked once, with the most calls there may be, how each is paid for; it may refuse.

    Raises:
        NotFound: no such generation.
        BudgetSpent: it does not pay for the first replay; later ones are left out, and the answer says so.
        EngineMissing: the provider's extra is not installed.
    """
    held_id = baseline_of(registry, manifest_id)
    ready = prepare(registry, held_id, change)
    if isinstance(ready, Verdict):
        return Answer(manifest_id, Regime.UNKNOWN, [], ready)
    held, rules = Held.of(held_id, ready), Rules(level, alpha)
    judge = Judge(registry, held, rules, calibration_of(registry, held_id))
    paying = pay(ready, times + (judge.regime is Regime.SEEDED))
    made: list[Recorded] = []
    spent: BudgetSpent | None = None
    while judge.wants_more(times):
        try:
            recorded = run_again(registry, ready, paying())
        except BudgetSpent as problem:
            if not made:
                raise
            spent = problem
            break
        tell(len(made), recorded)
        made.append(recorded)
        judge.add(recorded)
    found = zip(made, judge.answers(), strict=True)
    replays = [_record(registry, held_id, one, judgements) for one, judgements in found]
    return Answer(manifest_id, judge.regime, replays, spent=spent, held=held_id)


def _record(registry: Registry, baseline: str, made: Recorded, found: Sequence[Judgement]) -> Replayed:
    """Sign and log what was measured: scores and verdict, no pixels and no words."""
    by = found[0] if found else None
    replayed = Replayed(made, [], [], [], by.level if by else None, by.calibration if by else None)
    for output, one in enumerate(found):
        replayed.verdicts.append(one.verdict)
        replayed.scores.append(one.scores)
        if one.scores:
            replayed.drift.append(record_drift(registry, baseline, made.id, output, one))
    return replayed
