"""What a run's rows say of each manifest: verdict, or the error that kept it from one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drift.floor import Regime
from drift.verdict import Verdict, not_replayable, undecided
from registry.assets.store import AssetNotFound
from registry.home import Registry
from registry.journal.runs import RunReplay
from registry.record import Recorded
from replay.calibrating import calibration_called
from replay.judging import Held, Judge, Judgement, Rules
from replay.measuring import Measured
from replay.preparing import files_gone, output_files
from replay.suites.plan import Case, Plan
from replay.suites.sampling import Sampling
from replay.suites.wanting import by_manifest

_UNANSWERED = {  # what a class says of a call that got no answer
    "retryable": " (no connection, however often it was tried)",
    "timeout": " (no answer in time)",
    "ambiguous": " (it broke off after it was sent)",
}
_WORST = ("drifted", "not-replayable", "undecided", "within-noise", "reproduced")
_NOT_MADE = {"budget", "offline", "canceled"}  # a replay that was not made for these reasons leaves things undecided


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: an outcome class, and a sentence for people."""

    class_: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What holds of one manifest: ``judged`` has one entry for each of its rows, empty where none was made."""

    case: Case
    regime: Regime
    rows: Sequence[RunReplay]
    judged: Sequence[Sequence[Judgement]]
    verdict: Verdict | None
    error: Failure | None


class Deciding:
    """A run as its rows stand: what it wants to know on the way, and what holds in the end."""

    def __init__(self, registry: Registry, plan: Plan, rows: Sequence[RunReplay]) -> None:
        self._registry, self._plan = registry, plan
        self.rows: Mapping[str, Sequence[RunReplay]] = by_manifest(rows)
        self.sampling = Sampling(registry, plan, self.rows)

    def unconfirmed(self, case: Case, rows: Sequence[RunReplay]) -> bool:
        """Whether one more replay must confirm that a seeded manifest lies beyond its noise floor."""
        try:
            return self._judge(case, rows).wants_more(len(rows))
        except AssetNotFound:
            return False

    def suspects(self) -> Mapping[str, int]:
        """As ``wanting.further`` asks for them."""
        return self.sampling.suspects()

    def found(self, case: Case) -> Found:
        """What holds of one manifest."""
        rows = self.rows.get(case.id, ())
        made = [row for row in rows if row.state == "made"]
        try:
            judge = self._judge(case, made) if made else None
        except AssetNotFound:
            gone = files_gone(self._registry, case.original, *(row.generation for row in made if row.generation))
            return Found(case, case.regime, rows, [[] for _ in rows], gone, None)
        answers = iter(judge.answers() if judge else [])
        judged = [self._said(next(answers)) if row.state == "made" else [] for row in rows]
        told = [one.verdict for answer in judged for one in answer]
        told += [_unmade(row, self._plan) for row in rows if row.state in ("refused", "canceled")]
        failures = [self._failure(row) for row in rows if row.state in ("failed", "parked")]
        verdict = min(told, key=lambda one: _WORST.index(one.kind), default=None)
        if failures and verdict is not None and verdict.kind != "drifted":
            verdict = None
        regime = judge.regime if judge else case.regime
        return Found(case, regime, rows, judged, verdict, failures[0] if failures else None)

    def _failure(self, row: RunReplay) -> Failure:
        """Why a call gave nothing, by what its record says in clear; the provider's own words stay sealed."""
        class_ = row.outcome or "failed"
        if row.state == "parked" or row.generation is None:
            return Failure(class_, row.why or "")
        manifest = self._registry.catalog.manifest(row.generation)
        status = manifest.outcome.http_status
        answered = _UNANSWERED.get(class_, "") if status is None else f" with HTTP status {status}"
        digits = row.generation.removeprefix("sha256:")[:12]
        said = f"The call to {manifest.provider.name} ended as {class_}{answered}: `mintmark show {digits}` says more."
        return Failure(class_, said)

    def _said(self, answer: Sequence[Judgement]) -> list[Judgement]:
        """Offline, equality with a recording says nothing of the provider."""
        if not self._plan.options.offline:
            return list(answer)
        why = "The recorded replay equals the recorded output; whether the provider would still give it, nobody asked."
        said = [undecided("offline", why) if one.verdict.kind == "reproduced" else one.verdict for one in answer]
        return [
            Judgement(verdict, one.scores, one.level, one.regime, one.calibration, one.test)
            for verdict, one in zip(said, answer, strict=True)
        ]

    def _judge(self, case: Case, rows: Sequence[RunReplay]) -> Judge:
        registry = self._registry
        manifest = registry.catalog.manifest(case.original)
        target = self._plan.target
        provider, model = target.provider or manifest.provider.name, target.model or manifest.model.requested
        originals = output_files(registry, case.original, manifest)
        held = Held(case.original, manifest, originals, provider, model, manifest.seed.requested)
        policy = case.policy
        samples = (lambda output: self.sampling.verdict(case, output)) if case.sampled else None
        calibration = calibration_called(registry, case.calibration) if case.calibration else None
        judge = Judge(registry, held, Rules(policy.level, policy.alpha, policy.ranges, samples), calibration)
        for row in rows:
            recorded = Recorded(row.generation or "", registry.catalog.manifest(row.generation or ""), False)
            judge.add(recorded, [Measured.from_json(one) for one in row.scores or ()])
        return judge


def _unmade(row: RunReplay, plan: Plan) -> Verdict:
    reason, why = row.outcome or row.state, row.why or "It was not made."
    if plan.budget is not None and (spent := why.partition(f" of budget {plan.budget.id}"))[1]:
        # A person knows the run, not the id of its budget.
        why = f"{spent[0]}; nothing was sent: mintmark check --resume {row.run} --budget AMOUNT goes on"
    return undecided(reason, why) if reason in _NOT_MADE else not_replayable(reason, why)
