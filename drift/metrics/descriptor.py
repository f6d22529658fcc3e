"""Descriptor distance: how far two pictures lie apart in tone, colours, layout and texture, pixels not being compared.

What the level ``semantic`` asks for images: small for two takes of one scene in one style, large for another scene,
another palette or another finish.
"""

import numpy as np
from numpy.typing import NDArray

from drift.descriptor import Descriptor, describe
from drift.descriptors.lay import CELLS
from drift.score import Score
from drift.side import Side

_LEVELS = 25.5  # ten steps of CIE lightness, on the 8-bit scale of the descriptor
_DOUBLING = float(np.log(2))  # of an energy
_SHARE = 0.1  # square root of a hundredth of the picture


class DescriptorDistance:
    """Root mean square of four distances between descriptors ``mm-desc-2``, each of which is a score too.

    1 in ``glob``, ``lay`` or ``scat`` means that its numbers differ, as a root mean square, by ten steps of lightness
    (or of a, b) or by a doubling of energy; ``hist`` is the Hellinger distance of colours: 0 the same, 1 none shared.
    """

    name = "descriptor"
    version = 1
    media = "image"
    unit = ""
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Describe each picture at its own size."""
        parts = descriptor_distances(describe(reference.rgb), describe(candidate.rgb))
        whole = float(np.sqrt(np.mean([value**2 for value in parts.values()])))
        scores = (Score(f"descriptor.{name}/1", value, self.unit) for name, value in parts.items())
        return Score("descriptor/1", whole, self.unit), *scores


def descriptor_distances(first: Descriptor, second: Descriptor) -> dict[str, float]:
    """The distance in each block, ``glob``, ``hist``, ``lay`` and ``scat``; all are metrics in the strict sense."""
    return {
        "glob": _apart(first.glob, second.glob, _GLOB_UNITS),
        "hist": float(np.sqrt(np.square(first.hist.astype(np.float64) - second.hist).sum() / 2)),
        "lay": _apart(first.lay, second.lay, _LAY_UNITS),
        "scat": _apart(first.scat, second.scat, np.full(first.scat.shape, _DOUBLING)),
    }


def _apart(first: NDArray[np.float32], second: NDArray[np.float32], units: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square((first.astype(np.float64) - second) / units))))


def _units(*runs: tuple[int, float]) -> NDArray[np.float64]:
    return np.concatenate([np.full(length, unit) for length, unit in runs])


_GLOB_UNITS = _units((30, _LEVELS), (2, _SHARE), (42, _DOUBLING))  # as drift.descriptors.glob orders them
_LAY_UNITS = _units((CELLS, _LEVELS), (64, _DOUBLING))
