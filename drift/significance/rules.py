"""Which statistics decide which medium, under which name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from drift.media.media import Kind
from drift.significance import clips, pictures, transcripts
from drift.significance.contrasts import Rows
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks, UnfitSamples

Statistics = dict[str, Rows]


@dataclass(frozen=True, slots=True)
class Rules:
    """The statistics of one medium; a set's name rises when any of its values changes.

    Attributes:
        manifest: name of the set for one manifest.
        manifest_size: how many statistics it combines, K.
        manifest_statistics: computes them.
        suite: name of the set for a suite.
        suite_size: how many statistics it combines, K.
        suite_statistics: computes them.
    """

    manifest: str
    manifest_size: int
    manifest_statistics: Callable[[Blocks, Labels], Statistics]
    suite: str
    suite_size: int
    suite_statistics: Callable[[Sequence[Blocks], Sequence[Labels]], Statistics]


_RULES: Mapping[str, Rules] = {
    "image": Rules("manifest/1", 6, pictures.manifest_statistics, "suite/1", 7, pictures.suite_statistics),
    "transcript": Rules(
        "manifest.transcript/1", 7, transcripts.manifest_statistics,
        "suite.transcript/1", 7, transcripts.suite_statistics,
    ),
    "video": Rules(
        "manifest.video/1", 6, clips.manifest_statistics, "suite.video/1", 8, clips.suite_statistics
    ),
}  # fmt: skip


def rules_for(kind: Kind) -> Rules:
    """The statistics of a medium. Raises: UnfitSamples: it has none."""
    try:
        return _RULES[kind]
    except KeyError:
        media = ", ".join(sorted(_RULES))
        raise UnfitSamples(f"there are no statistics of {kind} samples", f"test one of {media}") from None


def suite_rule(kinds: Iterable[Kind]) -> tuple[str, int]:
    """Name and number of statistics of a suite of these media."""
    rules = [rules_for(kind) for kind in sorted(set(kinds))]
    return "+".join(rule.suite for rule in rules), sum(rule.suite_size for rule in rules)
