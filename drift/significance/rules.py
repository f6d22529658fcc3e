"""Which statistics decide which medium, under which name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from drift.media.media import Kind
from drift.significance import clips, pictures, sounds, transcripts
from drift.significance.contrasts import Rows
from drift.significance.relabeling import Labels
from drift.significance.samples import Blocks

Statistics = dict[str, Rows]


def _nothing(_: Sequence[Blocks], __: Sequence[int]) -> tuple[str, ...]:
    return ()


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
        moved: facts with a name and a unit that moved, for the sentence; of blocks and the sizes of their baselines.
    """

    manifest: str
    manifest_size: int
    manifest_statistics: Callable[[Blocks, Labels], Statistics]
    suite: str
    suite_size: int
    suite_statistics: Callable[[Sequence[Blocks], Sequence[Labels]], Statistics]
    moved: Callable[[Sequence[Blocks], Sequence[int]], tuple[str, ...]] = _nothing


_RULES: Mapping[Kind, Rules] = {
    "image": Rules("manifest/1", 6, pictures.manifest_statistics, "suite/1", 7, pictures.suite_statistics),
    "transcript": Rules(
        "manifest.transcript/1", 7, transcripts.manifest_statistics,
        "suite.transcript/1", 7, transcripts.suite_statistics,
    ),
    "video": Rules(
        "manifest.video/1", 6, clips.manifest_statistics, "suite.video/1", 8, clips.suite_statistics
    ),
    "audio": Rules(
        "manifest.audio/1", 6, sounds.manifest_statistics, "suite.audio/1", 7, sounds.suite_statistics,
        sounds.moved_facts,
    ),
}  # fmt: skip


def rules_for(kind: Kind) -> Rules:
    """The statistics of a medium."""
    return _RULES[kind]


def suite_rule(kinds: Iterable[Kind]) -> tuple[str, int]:
    """Name and number of statistics of a suite of these media."""
    rules = [rules_for(kind) for kind in sorted(set(kinds))]
    return "+".join(rule.suite for rule in rules), sum(rule.suite_size for rule in rules)
