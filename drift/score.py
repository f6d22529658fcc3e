"""A score: a number with name, version and unit, or the reason why there is none."""

import math
import re
from dataclasses import dataclass, field

from drift.errors import DriftError

_NAME = re.compile(r"[a-z0-9_.]+/[0-9]+(?:/[a-z0-9_.-]+/[0-9]+)*").fullmatch


class InvalidScore(DriftError):
    """A metric returned something that is no score; the metric is at fault, not the files."""

    exit_code = 3

    def __init__(self, name: str, why: str) -> None:
        """Name the metric and what it broke."""
        super().__init__(f"metric {name} broke its contract: {why}; fix or uninstall it")


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of a pair.

    Attributes:
        name: with version, ``ssim/1``; the version rises whenever a value changes. What else the value depends on
            follows with its own version: ``wer.norm/1/english/1``.
        value: finite, or None together with a ``reason``; never NaN or infinite.
        unit: of the value ("bits", "dB", "ratio" ...); "" for none.
        reason: why there is no value, for a reader.
        higher_is_better: direction; meaningless for plain counts, where lower is taken as better.
        note: what a reader must know to read the value ("the candidate was resampled").
        detail: what a report draws (a map, a timeline); not part of the result, never serialised.
    """

    name: str
    value: float | None
    unit: str = ""
    reason: str | None = None
    higher_is_better: bool = False
    note: str | None = None
    detail: object = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raises: InvalidScore."""
        if not _NAME(self.name):
            raise InvalidScore(self.name, "its score's name is not of the form 'ssim/1'")
        if self.value is None and not self.reason:
            raise InvalidScore(self.name, "no value and no reason")
        if self.value is not None and not math.isfinite(self.value):
            raise InvalidScore(self.name, f"the value {self.value} is not finite")
        if self.value is not None and self.reason:
            raise InvalidScore(self.name, "a value and a reason against it")

    @property
    def base(self) -> str:
        """The name without any version: ``ssim``."""
        return self.name.partition("/")[0]

    def to_json(self) -> dict[str, object]:
        """Every member, in JSON's own types."""
        return {
            "name": self.name,
            "value": None if self.value is None else float(self.value),
            "unit": self.unit,
            "reason": self.reason,
            "higher_is_better": self.higher_is_better,
        }
