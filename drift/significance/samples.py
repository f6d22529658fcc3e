"""What a test of samples may be given, checked once, at the door."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor
from drift.errors import DriftError

BLOCKS = ("glob", "hist", "lay", "scat", "cur")
MOST_SEED = 2**53 - 1  # the largest integer every JSON reader keeps exactly: a seed must survive being stored

Blocks = dict[str, NDArray[np.float64]]


class UnfitSamples(DriftError):
    """A test cannot be run on what it was given."""

    def __init__(self, why: str, remedy: str) -> None:
        """Say what is missing and what to give."""
        super().__init__(f"the samples cannot be tested: {why}; {remedy}")


def stacked(baseline: Sequence[Descriptor], replays: Sequence[Descriptor], where: str = "the manifest") -> Blocks:
    """Each block as a float64 array of shape (m + n, size), baseline first. Raises: UnfitSamples."""
    if not baseline:
        raise UnfitSamples(f"{where} has no baseline output", "record or approve at least one output")
    if not replays:
        raise UnfitSamples(f"{where} has no replay", "replay it at least once")
    every = [*baseline, *replays]
    return {block: np.array([getattr(one, block) for one in every], np.float64) for block in BLOCKS}


def check_level(alpha: float, seed: int, relabelings: int) -> None:
    """Raises: UnfitSamples: no error rate, no seed that can be stored, or no relabeling."""
    if not 0 < alpha < 1:
        raise UnfitSamples(f"alpha is {alpha}", "give an error rate between 0 and 1, such as 0.01")
    if not 0 <= seed <= MOST_SEED:
        raise UnfitSamples(f"the seed is {seed}", f"give a whole number from 0 to {MOST_SEED}")
    if relabelings < 1:
        raise UnfitSamples(f"{relabelings} relabelings were asked for", "give at least 1; 9,999 is the default")
