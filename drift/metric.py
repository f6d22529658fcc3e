"""What a metric is: a name, a version, a medium, a direction, and compare()."""

from collections.abc import Iterable, Sequence
from typing import Protocol, get_args, runtime_checkable

from drift.errors import DriftError
from drift.media.media import Kind
from drift.score import Score
from drift.side import Side

APPLIES_TO = frozenset({"any", *get_args(Kind)})


@runtime_checkable
class Metric(Protocol):
    """A named, versioned measure of two media of one kind.

    ``media`` is one of ``APPLIES_TO``: the kind it applies to, "any" for all; "audio" also measures the sound of two
    videos. ``unit`` and ``higher_is_better`` are those of its main score. Its scores are called ``name/version`` or
    ``name.part/version``; raising ``version`` is the only way to change a value.
    """

    name: str
    version: int
    media: str
    unit: str
    higher_is_better: bool

    def compare(self, reference: Side, candidate: Side) -> Score | Sequence[Score]:
        """Measure ``candidate`` against ``reference``; what cannot be measured is a score with a reason."""
        ...


class UnknownMetric(DriftError):
    """No metric has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """List the names there are."""
        super().__init__(f"there is no metric {name!r}; known are {', '.join(sorted(known))}")


class BrokenPlugin(DriftError):
    """An installed metric cannot be loaded."""

    exit_code = 3

    def __init__(self, name: str, why: str) -> None:
        """Name the entry point and its error."""
        super().__init__(f"metric plug-in {name!r} cannot be loaded: {why}; repair or uninstall the package it is in")
