"""A pair of images on a page: side by side, swipe, and where SSIM says they differ."""

import numpy as np

from drift.compare import Comparison
from drift.report.picture import data_uri, heat
from drift.resampling import resized_to


def image_section(comparison: Comparison) -> dict[str, object]:
    """What ``image.html.j2`` draws; the map is None where SSIM was not measured."""
    reference = comparison.reference.rgb
    candidate, _ = resized_to(comparison.candidate.rgb, reference.shape)
    found = comparison.details.get("ssim/1")
    seen = None
    if isinstance(found, np.ndarray):
        seen = data_uri(np.pad(heat(1 - found, 0.0, 1.0), ((5, 5), (5, 5), (0, 0))))
    height, width = reference.shape[:2]
    return {
        "reference": data_uri(reference),
        "candidate": data_uri(candidate),
        "map": seen,
        "ratio": f"{width} / {height}",
    }
