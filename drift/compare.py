"""Use case: every applicable metric of a pair of files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from drift.assertions.checking import check_side
from drift.assertions.finding import Finding
from drift.errors import MintmarkError, NotComparable
from drift.evidence import telling
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.metric import Metric
from drift.metrics.listing import BUILT_IN, chosen
from drift.score import Score
from drift.side import Side, side_of
from drift.turning import turn, turned_words

FORMAT = "mintmark/comparison/v1"
_IDENTICAL = "the files are byte for byte the same; no other metric was computed"


@dataclass(frozen=True)
class Comparison:
    """Two media of one kind and what was measured between them.

    ``findings`` are those of the assertions on the reference and on the candidate, None where nobody asked for them.
    ``turned`` says how a turned copy of a picture lies, one of ``drift.fingerprints.pdq.DIHEDRAL``.
    ``details`` holds, by score name, what a report draws: maps, timelines, aligned words. It is no part of the result.
    """

    reference: Side
    candidate: Side
    scores: tuple[Score, ...]
    notes: tuple[str, ...]
    findings: tuple[tuple[Finding, ...], tuple[Finding, ...]] | None = None
    turned: str | None = None

    @property
    def media(self) -> tuple[Media, Media]:
        """What the two files are."""
        return self.reference.media, self.candidate.media

    @cached_property
    def details(self) -> Mapping[str, object]:
        """What the scores carry for reports, by score name."""
        return {score.name: score.detail for score in self.scores if score.detail is not None}

    def score(self, name: str) -> Score | None:
        """The score of that name, with versions (``ssim/1``) or without (``ssim``)."""
        return next((s for s in self.scores if name in {s.name, s.base}), None)

    @property
    def summary(self) -> str:
        """The most exact thing that can be said of the pair, in one sentence."""
        if self.reference.digest == self.candidate.digest:
            return "The files are byte for byte the same."
        if self.reference.content == self.candidate.content:
            return "The files differ, what they decode to is the same."
        if self.turned:
            return f"The content differs: {turned_words(self.turned)}."
        quoted = telling(self.scores)
        return "The content differs" + (f": {quoted}." if quoted else ".")

    def to_json(self) -> dict[str, object]:
        """The document of schemas/comparison/v1.schema.json; only finite numbers, so it has a canonical form."""
        document: dict[str, object] = {
            "format": FORMAT,
            "reference": self.reference.described(),
            "candidate": self.candidate.described(),
            "scores": [score.to_json() for score in self.scores],
            "notes": list(self.notes),
        }
        if self.findings is not None:
            ours, theirs = ([finding.to_json() for finding in side] for side in self.findings)
            document["findings"] = {"reference": ours, "candidate": theirs}
        return document


def compare(
    reference: Path,
    candidate: Path,
    *,
    metrics: Sequence[str] | None = None,
    without: Collection[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    names: tuple[str, str] | None = None,
    assertions: bool = False,
) -> Comparison:
    """Measure ``candidate`` against ``reference``.

    ``metrics`` names the metrics to run; by default all that apply, or only ``bytes`` and ``decoded`` where the files
    are identical. ``without`` names those to leave out of these. ``names`` is what readers call the two, by default
    their file names. ``assertions`` checks each of them on its own as well.

    Raises:
        MediaRefused: one of the files is unusable.
        NotComparable: they are of different kinds.
        UnknownMetric, BrokenPlugin: see ``drift.metrics.listing``.
    """
    wanted = [metric for metric in chosen(metrics) if metric.name not in without]
    called = names or (reference.name, candidate.name)
    ours, theirs = side_of(reference, limits=limits, name=called[0]), side_of(candidate, limits=limits, name=called[1])
    if ours.media.kind != theirs.media.kind:
        raise NotComparable(_named(ours), _named(theirs))
    notes: list[str] = []
    same = ours.digest == theirs.digest
    if same:
        theirs = ours  # decode once
        if metrics is None:
            wanted = [metric for metric in wanted if metric.name in {"bytes", "decoded"}]
            notes.append(_IDENTICAL)
    scores: list[Score] = []
    for metric in wanted:
        if applies(metric, ours, theirs):
            scores += _measured(metric, ours, theirs)
        elif metrics is not None:
            why = f"it measures {metric.media}, these are {ours.media.kind}"
            scores.append(_unmeasured(metric, why))
    turned = None
    if ours.media.kind == "image" and not same:
        turned = turn(ours, theirs)
        notes += [turned_words(turned)] if turned else []
        notes += _first_frames(ours, theirs)
    notes += [f"{score.base}: {score.note}" for score in scores if score.note]
    findings = None
    if assertions:
        checked = check_side(ours)
        findings = checked, checked if same else check_side(theirs)
    return Comparison(ours, theirs, tuple(scores), tuple(notes), findings, turned)


def _unmeasured(metric: Metric, why: str) -> Score:
    return Score(f"{metric.name}/{metric.version}", None, metric.unit, why, metric.higher_is_better)


def _named(side: Side) -> str:
    return f"{side.name} ({side.media.kind}, {side.media.media_type})"


def _first_frames(reference: Side, candidate: Side) -> list[str]:
    """Which of two pictures are animations, of which only the beginning is looked at."""
    return [
        f"only the first of the {side.frames} frames of the {which} is compared, save by bytes and decoded"
        for which, side in (("reference", reference), ("candidate", candidate))
        if side.frames > 1
    ]


def applies(metric: Metric, reference: Side, candidate: Side) -> bool:
    """Whether a metric's medium is that of the pair; audio metrics also take two videos with sound."""
    if metric.media in {"any", reference.media.kind}:
        return True
    return metric.media == "audio" and all(side.media.facts.get("has_audio") for side in (reference, candidate))


def _measured(metric: Metric, reference: Side, candidate: Side) -> tuple[Score, ...]:
    if isinstance(metric, BUILT_IN):
        found = metric.compare(reference, candidate)
    else:
        try:
            found = metric.compare(reference, candidate)
        except MintmarkError:
            raise
        except Exception as error:  # a plug-in's failure is its own score's reason, not the end of the comparison
            why = f"the plug-in failed: {type(error).__name__}: {error}"
            found = _unmeasured(metric, why)
    return (found,) if isinstance(found, Score) else tuple(found)
