"""Difference hash distance: how many of 64 horizontal gradients of two pictures differ (imagehash.dhash)."""

import imagehash
from PIL import Image

from drift.score import Score
from drift.side import Side


class DHash:
    """Hamming distance of imagehash.dhash, hash_size 8: layout of light and dark; sees crops before it sees edits."""

    name = "dhash"
    version = 1
    media = "image"
    unit = "bits"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Hash what a viewer shows (RGB on white), at its own size."""
        ours, theirs = (imagehash.dhash(Image.fromarray(side.rgb)) for side in (reference, candidate))
        return Score("dhash/1", float(ours - theirs), self.unit)
