"""Peak signal-to-noise ratio over all RGB samples (ITU-T J.340 form, peak 255)."""

import numpy as np

from drift.resampling import resized_to
from drift.score import Score
from drift.side import Side
from drift.turning import sideways


class Psnr:
    """10 log10(255^2 / mean squared error) over the three channels together; equal pixels have none."""

    name = "psnr"
    version = 1
    media = "image"
    unit = "dB"
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> Score:
        """Measure RGB; equal pixels give a reason instead of infinity."""
        if why := sideways(reference, candidate):
            return Score("psnr.rgb/1", None, self.unit, why, higher_is_better=True)
        rgb, note = resized_to(candidate.rgb, reference.rgb.shape)
        total = 0
        for ours, theirs in zip(reference.rgb, rgb, strict=True):  # row by row: exact integers, little memory
            difference = ours.astype(np.int32) - theirs
            total += int((difference * difference).sum(dtype=np.int64))
        if total == 0:
            why = "no pixel differs, so there is no error to relate to"
            return Score("psnr.rgb/1", None, self.unit, why, higher_is_better=True, note=note)
        value = 10 * np.log10(255.0**2 * rgb.size / total)
        return Score("psnr.rgb/1", float(value), self.unit, higher_is_better=True, note=note)
