"""Perceptual hash distance: how many of 64 low-frequency signs of two pictures differ (imagehash.phash)."""

import imagehash
from PIL import Image

from drift.score import Score
from drift.side import Side


class PHash:
    """Hamming distance of imagehash.phash, hash_size 8: same picture or layout; blind to noise, blur and JPEG at 60."""

    name = "phash"
    version = 1
    media = "image"
    unit = "bits"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Hash what a viewer shows (RGB on white), at its own size."""
        ours, theirs = (imagehash.phash(Image.fromarray(side.rgb)) for side in (reference, candidate))
        return Score("phash/1", float(ours - theirs), self.unit)
