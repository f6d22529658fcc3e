"""Deciding: a level, the scores of a pair and the regime become a verdict with its sentence. Pure functions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from drift.errors import DriftError
from drift.evidence import shown, telling
from drift.floor import Regime
from drift.score import Score

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

    ``reason_code`` is given for not-replayable and undecided ("uncalibrated", "budget", "resolution", "offline",
    "retired", "erased", "unsupported", "alias" ...), None otherwise. ``sentence`` is for people.
    """

    kind: VerdictKind
    reason_code: str | None
    sentence: str

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
    level: Level, scores: Sequence[Score], regime: Regime, *, limits: Mapping[str, Limit] | None = None
) -> Verdict:
    """Decide one replay against its baseline.

    Args:
        level: what the policy asks for.
        scores: of the pair; ``bytes`` and ``decoded`` must be among them, with values.
        regime: what calibration showed.
        limits: a policy's, by score name without version (``ssim``) or with (``ssim/1``).

    Returns:
        In this order: equal bytes or content is ``reproduced`` (at level ``bytes``, equal content in other bytes is
        ``drifted``); a broken limit is ``drifted`` and all limits kept is ``within-noise``, unless a limited score has
        no value, which is ``undecided``; in the deterministic regime different content is ``drifted``, and so it is at
        the levels ``bytes`` and ``decoded`` once calibrated; everything else is ``undecided: uncalibrated``. No score
        passes by itself.

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
    quoted = telling(scores)
    if limits:
        return _by_limits(scores, limits)
    if regime is Regime.DETERMINISTIC:
        known = "The decoded content differs, and earlier runs of this version repeat bit for bit"
        return Verdict("drifted", None, _sentence(known, quoted))
    if regime is not Regime.UNKNOWN and level in {"bytes", "decoded"}:
        known = "The decoded content differs; the policy asks for equal content, which this version does not repeat"
        return Verdict("drifted", None, _sentence(known, quoted))
    sentence = _sentence("The content differs, and it is not known how far honest runs of this version differ", quoted)
    return Verdict(
        "undecided", "uncalibrated", f"{sentence} Without a calibration this is neither a pass nor a failure."
    )


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
