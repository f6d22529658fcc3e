"""A finding: what one assertion measured on one file, the threshold, and the verdict in a sentence."""

import math
import re
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "failed", "not-applicable"]

_NAME = re.compile(r"[a-z]+\.[a-z_]+/[0-9]+").fullmatch


@dataclass(frozen=True, slots=True)
class Finding:
    """One assertion about one file.

    Attributes:
        name: with version, ``image.black/1``; the version rises whenever a verdict or value may change.
        verdict: ``failed`` is an alarm; ``not-applicable`` says that the question has no answer for this file.
        reason: one sentence for a reader.
        value: what was measured, finite; None where nothing could be.
        unit: of the value and the threshold; "" for none.
        threshold: the value from which the assertion fails; docs/formats/metrics.md says what else must hold.
        fails: whether values ``above`` or ``below`` the threshold are bad.
    """

    name: str
    verdict: Verdict
    reason: str
    value: float | None = None
    unit: str = ""
    threshold: float | None = None
    fails: Literal["above", "below"] = "above"

    def __post_init__(self) -> None:
        """Raises: ValueError, for a mistake in the assertion itself."""
        if not _NAME(self.name) or not self.reason:
            raise ValueError(f"a finding needs a versioned name and a reason, not {self.name!r}, {self.reason!r}")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"{self.name}: the value {self.value} is not finite")

    @property
    def base(self) -> str:
        """The name without its version: ``image.black``."""
        return self.name.partition("/")[0]

    def to_json(self) -> dict[str, object]:
        """Every member, in JSON's own types."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "reason": self.reason,
            "value": None if self.value is None else round(float(self.value), 6),
            "unit": self.unit,
            "threshold": self.threshold,
            "fails": self.fails,
        }
