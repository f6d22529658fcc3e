"""Deciding: a level, the scores of a pair and the regime become a verdict with its sentence. Pure functions."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from drift.assertions.finding import Finding
from drift.errors import DriftError
from drift.evidence import quoted_as, shown, telling, telling_scores
from drift.floor import NoiseFloor, Regime, deviations
from drift.media.media import Kind
from drift.score import Score
from drift.significance.decision import Decision
from drift.significance.resolution import unseen_rate
from drift.significance.seeded import decide_group
from drift.significance.sensitivity import Sensitivity
from drift.significance.sequential import SequentialDecision

Level = Literal["bytes", "decoded", "perceptual", "semantic", "statistical"]
VerdictKind = Literal["reproduced", "within-noise", "drifted", "not-replayable", "undecided"]
_SEMANTIC = frozenset(
    {"wer.norm", "mer.norm", "wil.norm", "cer.norm", "cpwer", "descriptor", "timeline.phash.mean", "logmel"}
)
_UNSTATED = "error rate not stated, since the limits are a policy's and not measured"


class InvalidLimit(DriftError):
    """A limit that nothing can fulfil, or that limits nothing."""

    def __init__(self, why: str) -> None:
        """Say what is wrong with it."""
        super().__init__(f"the limit is unusable: {why}; give min, max, or both with min <= max")


@dataclass(frozen=True, slots=True)
class Limit:
    """The values of one score a policy accepts; at least one end is given."""

    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        """Raises: InvalidLimit."""
        ends = [end for end in (self.min, self.max) if end is not None]
        if not ends:
            raise InvalidLimit("it has neither min nor max")
        if not all(map(math.isfinite, ends)):
            raise InvalidLimit("an end is not finite")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise InvalidLimit(f"min {self.min} is above max {self.max}")

    def broken_by(self, value: float) -> str | None:
        """Which end a value breaks, in words; None when it is inside."""
        if self.min is not None and value < self.min:
            return f"below {self.min:g}"
        if self.max is not None and value > self.max:
            return f"above {self.max:g}"
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a replay.

    ``reason_code`` is given for not-replayable and undecided ("uncalibrated", "budget", "resolution", "confirmation",
    "offline", "retired", "erased", "missing", "unsupported", "alias" ...), and is "limits" where the policy's limits
    let a difference pass; None otherwise. ``sentence`` is for people.
    ``test`` is the statistical test that decided, where one did, in JSON's own types.
    """

    kind: VerdictKind
    reason_code: str | None
    sentence: str
    test: Mapping[str, object] | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, str | None]:
        """As drift records hold it."""
        return {"kind": self.kind, "reason": self.reason_code, "sentence": self.sentence}


def not_replayable(reason_code: str, sentence: str) -> Verdict:
    """There is nothing to compare: the model is retired, the inputs are erased, the provider is not supported."""
    return Verdict("not-replayable", reason_code, sentence)


def undecided(reason_code: str, sentence: str) -> Verdict:
    """There is not enough to decide on: no calibration, no budget, no network."""
    return Verdict("undecided", reason_code, sentence)


def decide_each(
    level: Level,
    scored: Sequence[Sequence[Score]],
    floor: NoiseFloor,
    kind: Kind,
    *,
    limits: Mapping[str, Limit] | None = None,
    alpha: float = 0.01,
) -> list[Verdict]:
    """Decide the replays of one run against their baseline.

    Args:
        level: what the policy asks for.
        scored: of each replay the scores of the pair (recorded output, replay), in the order made; ``bytes`` and
            ``decoded`` must be among them, with values.
        floor: what calibration showed.
        kind: the medium.
        limits: a policy's, by score name without version (``ssim``) or with (``ssim/1``).
        alpha: the error rate of the seeded regime, of all these replays together.

    Returns:
        One verdict for each, in this order of rules: equal bytes or content is ``reproduced`` (at level ``bytes``,
        equal content in other bytes is ``drifted``); at level ``semantic`` a transcript with the same normalised words
        is ``within-noise``; a broken limit is ``drifted`` and all limits kept is ``within-noise``, unless a limited
        score has no value, which is ``undecided``; a recorded output that lies apart from its own calibration is
        ``drifted``; in the deterministic regime different content is ``drifted``, and so it is at the levels ``bytes``
        and ``decoded`` once calibrated; in the seeded regime all replays are held against the floor together and share
        their verdict, ``undecided: confirmation`` where a single one lies beyond it; free samples are ``undecided:
        samples``, since only many of them can be judged (``of_samples``); everything else is ``undecided:
        uncalibrated``. No score passes by itself.

    Raises:
        ValueError: ``bytes`` or ``decoded`` is missing.
    """
    alone = [_alone(level, scores, floor, kind, limits) for scores in scored]
    if floor.regime is not Regime.SEEDED or all(verdict is not None for verdict in alone):
        return [verdict or _regime_alone(scores, floor) for verdict, scores in zip(alone, scored, strict=True)]
    together = _by_floor(scored, floor.beside(scored[0]), level, alpha)
    return [verdict or together for verdict in alone]


def _alone(
    level: Level, scores: Sequence[Score], floor: NoiseFloor, kind: Kind, limits: Mapping[str, Limit] | None
) -> Verdict | None:
    """What one pair says by itself, whatever the other replays are."""
    same_bytes, same_content = _equal("bytes", scores), _equal("decoded", scores)
    if same_bytes:
        return Verdict("reproduced", None, "The file is byte for byte the recorded one.")
    if same_content and level != "bytes":
        return Verdict("reproduced", None, "The file decodes to exactly the recorded content; only its bytes differ.")
    if same_content:
        sentence = "The bytes differ, and the policy asks for equal bytes; the decoded content is the same."
        return Verdict("drifted", None, sentence)
    quoted = telling(scores)
    if level == "semantic" and kind == "transcript" and _same_words(scores):
        said = "The normalised words are the recorded ones; only their form differs"
        return Verdict("within-noise", None, _sentence(said, quoted))
    if limits:
        return _by_limits(scores, limits)
    if floor.apart:
        said = (
            "The recorded output lies further from every calibration replay than they lie from each other, so the "
            "version had changed before it was calibrated"
        )
        return Verdict("drifted", None, _sentence(said, quoted))
    if floor.regime in (Regime.SEEDED, Regime.UNSEEDED) and level in {"bytes", "decoded"}:
        known = "The decoded content differs; the policy asks for equal content, which this version does not repeat"
        return Verdict("drifted", None, _sentence(known, quoted))
    return None


def _regime_alone(scores: Sequence[Score], floor: NoiseFloor) -> Verdict:
    quoted = telling(scores)
    if floor.regime is Regime.DETERMINISTIC:
        known = "The decoded content differs, and earlier runs of this version repeat bit for bit"
        return Verdict("drifted", None, _sentence(known, quoted))
    if floor.regime is Regime.UNSEEDED:
        known = "This version draws a new sample every time, so one replay says nothing about it"
        return Verdict("undecided", "samples", f"{known}; replay it 5 times or more.")
    said = _sentence("The content differs, and it is not known how far honest runs of this version differ", quoted)
    return Verdict("undecided", "uncalibrated", f"{said} Without a calibration this is neither a pass nor a failure.")


def _same_words(scores: Sequence[Score]) -> bool:
    rates = [score.value for score in scores if score.base in {"wer.norm", "cer.norm"} and score.value is not None]
    return bool(rates) and not any(rates)


def of_samples(found: Decision | SequentialDecision, sensitivity: Sensitivity | None = None) -> Verdict:
    """The verdict of a test of free samples: one look, or a series of them.

    ``sensitivity`` is what the test would have seen; ``within-noise`` says it.
    """
    seen = f" {sensitivity.sentence}" if sensitivity is not None and found.answer == "within-noise" else ""
    also: dict[str, object] = {"sensitivity": sensitivity.to_json()} if seen and sensitivity is not None else {}
    if isinstance(found, Decision):
        kind: VerdictKind = found.answer
        return Verdict(kind, found.reason, f"{found.sentence}{seen}", found.to_json() | also)
    test: dict[str, object] = {
        "rule": "sequential/1",
        "answer": found.answer,
        "p": found.p,
        "alpha": found.alpha,
        "looks": [look.to_json() for look in found.looks],
    }
    if found.answer == "undecided":
        why = f"These free samples could not reject at {found.alpha:g} whatever they look like"
        return Verdict("undecided", "resolution", f"{why}; it takes {found.needed} baseline outputs.", test)
    said = found.looks[-1].sentence if found.looks else "Too few replays for a first look."
    if found.answer == "continue":
        return Verdict("undecided", "samples", f"{said} The next look takes {found.next_look} replays.", test)
    return Verdict(found.answer, None, f"{said}{seen}", test | also)


def of_assertions(known: Collection[str], replayed: Sequence[Finding]) -> Verdict | None:
    """``drifted`` where a replay fails an assertion whose name is not ``known``; one sample is enough.

    ``known`` names the assertions that the recorded output itself fails.
    """
    broken = [found for found in replayed if found.verdict == "failed" and found.name not in known]
    if not broken:
        return None
    said = "; ".join(found.reason.rstrip(".") for found in broken)
    return Verdict("drifted", None, f"The replay fails what every output must hold, the recorded one holds it: {said}.")


def none_broken(n: int) -> str:
    """What ``n`` samples that pass every assertion say of rare failures, which no test of distributions sees.

    Nothing where they are too few to bound anything. The bound holds for the mean rate over several prompts, too:
    unequal rates only make n passes less likely.
    """
    rate = unseen_rate(n)
    return "" if rate >= 1 else f"No broken output in {n}: at 95 % fewer than 3/{n} ({100 * rate:.2g} %) are broken."


def _by_floor(scored: Sequence[Sequence[Score]], floor: NoiseFloor, level: Level, alpha: float) -> Verdict:
    """All replays of a run and the floor, ranked together by the score in which each lies furthest out."""
    m = len(floor.runs)
    only = _SEMANTIC if level == "semantic" else None
    found = deviations([*floor.runs, *scored], len(scored), only)
    ranks = [max(one.values(), default=0.0) for one in found]
    decision = decide_group(ranks[:m], ranks[m:], alpha=alpha)
    test = decision.to_json()
    if decision.answer == "undecided":
        why = f"{m} calibration replays cannot decide at {alpha:g}; {decision.needed} can"
        return Verdict("undecided", "resolution", _sentence(why, telling(scored[0])), test)
    if decision.beyond == 0:
        said = f"No further from the recorded output than {m} calibration replays of this version"
        bound = _bound(floor, only)
        return Verdict("within-noise", None, f"{_sentence(said, _inside(scored[0], floor))}{bound}", test)
    out = next(n for n, rank in enumerate(ranks[m:]) if rank > max(ranks[:m]))
    beyond = _outside(scored[out], floor, found[m + out], max(ranks[:m]))
    if decision.answer == "confirm":
        return Verdict("undecided", "confirmation", f"{beyond}; a second replay must confirm it.", test)
    if decision.answer == "drifted":
        n = decision.replays
        times = {1: "", 2: " twice in a row"}.get(n, f" in {decision.beyond} of {n} replays")
        return Verdict("drifted", None, f"{beyond}{times}, p = {decision.p:.2g}.", test)
    few = f"{decision.beyond} of {decision.replays} replays"
    return Verdict("within-noise", None, f"{beyond}, yet only in {few}: p = {decision.p:.2g}, above {alpha:g}.", test)


def _outside(scores: Sequence[Score], floor: NoiseFloor, deviations: Mapping[str, float], enough: float) -> str:
    """A score that lies out far enough, a telling one if there is any, beside the nearest calibration run."""
    said = [one.name for one in telling_scores(scores) if deviations.get(one.name, 0.0) > enough]
    name = said[0] if said else max(deviations, key=lambda one: deviations[one])
    score = next(score for score in scores if score.name == name)
    seen = [one.value for run in floor.runs for one in run if one.name == name and one.value is not None]
    called = quoted_as(score.base)
    called = f"{called[0].upper()}{called[1:]}"
    if score.value is None or not seen:
        return f"{called} could not be measured ({score.reason}), as it could in calibration"
    worst, which = (min(seen), "lowest") if score.higher_is_better else (max(seen), "highest")
    mine, edge = shown(score), shown(replace(score, value=worst))
    if mine == edge:
        mine, edge = f"{score.value:.4g}", f"{worst:.4g}"
    return f"{called} {mine} lies outside all {len(floor.runs)} calibration replays ({which} {edge})"


def _inside(scores: Sequence[Score], floor: NoiseFloor) -> str:
    """The most telling score, beside the calibration runs' range."""
    for score in telling_scores(scores):
        seen = [one.value for run in floor.runs for one in run if one.name == score.name and one.value is not None]
        if seen:
            low, high = (shown(replace(score, value=edge)) for edge in (min(seen), max(seen)))
            return f"{quoted_as(score.base)} {shown(score)}, theirs {low} to {high}"
    return telling(scores)


def _bound(floor: NoiseFloor, only: Collection[str] | None) -> str:
    """What a change has to exceed to be seen: the worst of the calibration runs, in up to two telling scores."""
    edges = []
    for score in telling_scores(floor.runs[0]):
        seen = [one.value for run in floor.runs for one in run if one.name == score.name and one.value is not None]
        if (only is None or score.base in only) and seen:
            worst = replace(score, value=min(seen) if score.higher_is_better else max(seen))
            edges.append(f"{quoted_as(score.base)} {'below' if score.higher_is_better else 'above'} {shown(worst)}")
    return f" Two replays with {' or '.join(edges[:2])} would have shown." if edges else ""


def _equal(name: str, scores: Sequence[Score]) -> bool:
    value = next((score.value for score in scores if score.base == name), None)
    if value is None:
        raise ValueError(f"a decision needs the score {name!r}")
    return value == 1


def _sentence(said: str, quoted: str) -> str:
    return f"{said}: {quoted}." if quoted else f"{said}."


def _by_limits(scores: Sequence[Score], limits: Mapping[str, Limit]) -> Verdict:
    broken: list[str] = []
    missing: list[str] = []
    kept: list[str] = []
    for name, limit in limits.items():
        score = next((score for score in scores if f"{score.name}/".startswith(f"{name}/")), None)
        if score is None or score.value is None:
            missing.append(f"{name} ({score.reason if score else 'not measured'})")
            continue
        why = limit.broken_by(score.value)
        (broken.append(f"{score.base} {shown(score)} is {why}") if why else kept.append(f"{score.base} {shown(score)}"))
    if broken:
        return Verdict("drifted", None, f"Outside the policy's limits: {', '.join(broken)}; {_UNSTATED}.")
    if missing:
        return Verdict(
            "undecided", "unmeasured", f"The policy limits what could not be measured: {', '.join(missing)}."
        )
    return Verdict("within-noise", "limits", f"Inside the policy's limits: {', '.join(kept)}; {_UNSTATED}.")
