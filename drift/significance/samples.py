"""What a test of samples may be given, checked once, at the door."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor
from drift.descriptors.clip import Clip
from drift.descriptors.sound import Sound
from drift.descriptors.wording import Wording, edit_distances, medoid, not_reproduced
from drift.errors import DriftError
from drift.media.media import Kind

BLOCKS = ("glob", "hist", "lay", "scat", "cur")
MOST_SEED = 2**53 - 1  # the largest integer every JSON reader keeps exactly: a seed must survive being stored

_BLOCKS: Mapping[Kind, tuple[str, ...]] = {
    "image": BLOCKS,
    "video": ("glob", "flux", "time", "hist", "cur"),
    "audio": ("facts", "spectrum", "ripple"),
}

Sample = Descriptor | Wording | Clip | Sound
Blocks = dict[str, NDArray[np.float64]]
KINDS: Mapping[type, Kind] = {Descriptor: "image", Wording: "transcript", Clip: "video", Sound: "audio"}


class UnfitSamples(DriftError):
    """A test cannot be run on what it was given."""

    def __init__(self, why: str, remedy: str) -> None:
        """Say what is missing and what to give."""
        super().__init__(f"the samples cannot be tested: {why}; {remedy}")


def kind_of(samples: Sequence[Sample], where: str = "the manifest") -> Kind:
    """The medium of all samples. Raises: UnfitSamples: there is none, or more than one."""
    kinds = sorted({KINDS[type(one)] for one in samples})
    if len(kinds) != 1:
        why = f"{where} has samples of {' and '.join(kinds) or 'no medium'}"
        raise UnfitSamples(why, "give the outputs of one manifest, all of one medium")
    return kinds[0]


def stacked(baseline: Sequence[Sample], replays: Sequence[Sample], where: str = "the manifest") -> Blocks:
    """What the statistics of one prompt are computed on: arrays whose first axis is the samples, baseline first.

    Pictures, clips and sounds give their blocks, shape (m + n, size). Transcripts give what all of them together show,
    whatever they are called: ``raw`` and ``words``, edit distances of shape (m + n, m + n); ``rates``, shape
    (m + n, 40); ``kept``, shape (m + n, words + 10), which words of the medoid are not reproduced.

    Raises:
        UnfitSamples: no baseline, no replay, or more than one medium.
    """
    if not baseline:
        raise UnfitSamples(f"{where} has no baseline output", "record or approve at least one output")
    if not replays:
        raise UnfitSamples(f"{where} has no replay", "replay it at least once")
    every = [*baseline, *replays]
    kind = kind_of(every, where)
    if kind == "transcript":
        return _compared([one for one in every if isinstance(one, Wording)])
    return {block: np.array([getattr(one, block) for one in every], np.float64) for block in _BLOCKS[kind]}


def _compared(every: Sequence[Wording]) -> Blocks:
    texts = [one.words for one in every]
    words = edit_distances(texts)
    anchor = texts[medoid(words, texts)]
    return {
        "raw": edit_distances([one.raw for one in every]),
        "words": words,
        "rates": np.array([one.rates for one in every], np.float64),
        "kept": not_reproduced(anchor, texts),
    }


def check_level(alpha: float, seed: int, relabelings: int) -> None:
    """Raises: UnfitSamples: no error rate, no seed that can be stored, or no relabeling."""
    if not 0 < alpha < 1:
        raise UnfitSamples(f"alpha is {alpha}", "give an error rate between 0 and 1, such as 0.01")
    if not 0 <= seed <= MOST_SEED:
        raise UnfitSamples(f"the seed is {seed}", f"give a whole number from 0 to {MOST_SEED}")
    if relabelings < 1:
        raise UnfitSamples(f"{relabelings} relabelings were asked for", "give at least 1; 9,999 is the default")
