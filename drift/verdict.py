"""Deciding: a level, the scores of a pair and the regime become a verdict with its sentence. Pure functions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from drift.assertions.finding import Finding
from drift.errors import DriftError
from drift.evidence import quoted_as, shown, telling
from drift.floor import NoiseFloor, Regime, distance
from drift.media.media import Kind
from drift.score import Score
from drift.significance.decision import Decision
from drift.significance.seeded import SeededDecision, decide_seeded
from drift.significance.sensitivity import Sensitivity
from drift.significance.sequential import SequentialDecision

Level = Literal["bytes", "decoded", "perceptual", "semantic", "statistical"]
VerdictKind = Literal["reproduced", "within-noise", "drifted", "not-replayable", "undecided"]
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
    "offline", "retired", "erased", "unsupported", "alias" ...), None otherwise. ``sentence`` is for people. ``test`` is
    the statistical test that decided, where one did, in JSON's own types.
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


def decide(
    level: Level,
    scores: Sequence[Score],
    floor: NoiseFloor,
    kind: Kind,
    *,
    limits: Mapping[str, Limit] | None = None,
    confirmation: Sequence[Score] | None = None,
    alpha: float = 0.01,
) -> Verdict:
    """Decide one replay against its baseline.

    Args:
        level: what the policy asks for.
        scores: of the pair; ``bytes`` and ``decoded`` must be among them, with values.
        floor: what calibration showed.
        kind: the medium.
        limits: a policy's, by score name without version (``ssim``) or with (``ssim/1``).
        confirmation: scores of a second replay; in the seeded regime one alone never drifts.
        alpha: the error rate of the seeded regime.

    Returns:
        In this order: equal bytes or content is ``reproduced`` (at level ``bytes``, equal content in other bytes is
        ``drifted``); a broken limit is ``drifted`` and all limits kept is ``within-noise``, unless a limited score has
        no value, which is ``undecided``; in the deterministic regime different content is ``drifted``, and so it is at
        the levels ``bytes`` and ``decoded`` once calibrated; in the seeded regime a replay inside the floor is
        ``within-noise``, one beyond it ``undecided: confirmation`` until a second one is beyond it too; free samples
        are ``undecided: samples``, since only many of them can be judged (``of_samples``); everything else is
        ``undecided: uncalibrated``. No score passes by itself.

    Raises:
        ValueError: ``bytes`` or ``decoded`` is missing.
    """
    same_bytes, same_content = _equal("bytes", scores), _equal("decoded", scores)
    if same_bytes:
        return Verdict("reproduced", None, "The file is byte for byte the recorded one.")
    if same_content and level != "bytes":
        return Verdict("reproduced", None, "The file decodes to exactly the recorded content; only its bytes differ.")
    if same_content:
        sentence = "The bytes differ, and the policy asks for equal bytes; the decoded content is the same."
        return Verdict("drifted", None, sentence)
    if limits:
        return _by_limits(scores, limits)
    quoted = telling(scores)
    match floor.regime:
        case Regime.DETERMINISTIC:
            known = "The decoded content differs, and earlier runs of this version repeat bit for bit"
            return Verdict("drifted", None, _sentence(known, quoted))
        case Regime.SEEDED | Regime.UNSEEDED if level in {"bytes", "decoded"}:
            known = "The decoded content differs; the policy asks for equal content, which this version does not repeat"
            return Verdict("drifted", None, _sentence(known, quoted))
        case Regime.SEEDED:
            return _by_floor(scores, confirmation, floor, kind, alpha)
        case Regime.UNSEEDED:
            known = "This version draws a new sample every time, so one replay says nothing about it"
            return Verdict("undecided", "samples", f"{known}; replay it 5 times or more.")
    said = _sentence("The content differs, and it is not known how far honest runs of this version differ", quoted)
    return Verdict("undecided", "uncalibrated", f"{said} Without a calibration this is neither a pass nor a failure.")


def decide_each(
    level: Level,
    scored: Sequence[Sequence[Score]],
    floor: NoiseFloor,
    kind: Kind,
    *,
    limits: Mapping[str, Limit] | None = None,
    alpha: float = 0.01,
) -> list[Verdict]:
    """Decide replays in the order they were made: one beyond a seeded floor is confirmed or cleared by the next.

    Two that are both beyond it share their verdict. The last one may be left ``undecided: confirmation``.
    Arguments and errors are those of ``decide``.
    """
    found: list[Verdict] = []
    for n, scores in enumerate(scored):
        alone = decide(level, scores, floor, kind, limits=limits, alpha=alpha)
        if alone.reason_code == "confirmation" and n and found[-1].kind == "drifted":
            alone = found[-1]
        elif alone.reason_code == "confirmation" and n + 1 < len(scored):
            after = scored[n + 1]
            alone = decide(level, scores, floor, kind, limits=limits, confirmation=after, alpha=alpha)
        found.append(alone)
    return found


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


def of_assertions(recorded: Sequence[Finding], replayed: Sequence[Finding]) -> Verdict | None:
    """``drifted`` where a replay fails an assertion that the recorded output does not fail; one sample is enough."""
    known = {found.name for found in recorded if found.verdict == "failed"}
    broken = [found for found in replayed if found.verdict == "failed" and found.name not in known]
    if not broken:
        return None
    said = "; ".join(found.reason.rstrip(".") for found in broken)
    return Verdict("drifted", None, f"The replay fails what every output must hold, the recorded one holds it: {said}.")


def _by_floor(
    scores: Sequence[Score], confirmation: Sequence[Score] | None, floor: NoiseFloor, kind: Kind, alpha: float
) -> Verdict:
    second = None if confirmation is None else distance(kind, confirmation)
    found = decide_seeded(floor.distances, distance(kind, scores), second, alpha=alpha)
    test = _seeded_json(found)
    runs = f"all {found.floor} calibration replays"
    beyond = _outside(scores, floor) or f"its distance {distance(kind, scores):.3g} lies above {runs}"
    match found.answer:
        case "undecided":
            why = f"{found.floor} calibration replays cannot decide at {alpha:g}; {found.needed} can"
            return Verdict("undecided", "resolution", f"{_sentence(why, telling(scores))}", test)
        case "confirm":
            said = f"{beyond[0].upper()}{beyond[1:]}; a second replay must confirm it."
            return Verdict("undecided", "confirmation", said, test)
        case "drifted":
            said = f"{beyond[0].upper()}{beyond[1:]} twice in a row, p = {found.p:.2g}."
            return Verdict("drifted", None, said, test)
    inside = f"No further from the recorded output than {found.floor} calibration replays of this version"
    again = "; the first replay lay beyond them, its confirmation does not" if confirmation is not None else ""
    return Verdict("within-noise", None, _sentence(f"{inside}{again}", _inside(scores, floor)), test)


def _outside(scores: Sequence[Score], floor: NoiseFloor) -> str | None:
    """The first telling score outside what every calibration run scored, beside the nearest of those."""
    for name, seen in floor.seen.items():
        score = next((score for score in scores if score.base == name and score.value is not None), None)
        if score is None or score.value is None or len(seen) < len(floor.distances):
            continue
        worst, which = (min(seen), "lowest") if score.higher_is_better else (max(seen), "highest")
        if (score.value < worst) if score.higher_is_better else (score.value > worst):
            edge = shown(replace(score, value=worst))
            return f"{quoted_as(name)} {shown(score)} lies outside all {len(seen)} calibration replays ({which} {edge})"
    return None


def _inside(scores: Sequence[Score], floor: NoiseFloor) -> str:
    """The first score of the distance that has a value, beside the calibration runs' range."""
    for name, seen in floor.seen.items():
        score = next((score for score in scores if score.base == name and score.value is not None), None)
        if score is not None:
            low, high = (shown(replace(score, value=edge)) for edge in (min(seen), max(seen)))
            return f"{quoted_as(name)} {shown(score)}, theirs {low} to {high}"
    return telling(scores)


def _seeded_json(found: SeededDecision) -> dict[str, object]:
    return {
        "rule": "seeded/1",
        "answer": found.answer,
        "p": found.p,
        "attainable": found.attainable,
        "alpha": found.alpha,
        "baseline": found.floor,
        "needed": found.needed,
    }


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
        score = next((score for score in scores if name in {score.base, score.name}), None)
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
    return Verdict("within-noise", None, f"Inside the policy's limits: {', '.join(kept)}; {_UNSTATED}.")
