"""A pair of images on a page: swipe, side by side, and where SSIM says they differ."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.compare import Comparison
from drift.report.picture import data_uri, heat, over
from drift.resampling import resized_to
from drift.turning import sideways, turned_words

_BESIDE = 560  # pixels of a long side, where pictures stand beside one another
_SAME = 1e-3  # 1 - SSIM from which a picture is drawn as differing
_DIFFERS = 0.1  # 1 - SSIM of a window that counts as differing


def image_section(comparison: Comparison) -> dict[str, object]:
    """What ``image.html.j2`` draws; the map is None where SSIM was not measured.

    A candidate that lies on its side is drawn as it is, beside the reference and not over it.
    """
    reference, candidate = comparison.reference.rgb, comparison.candidate.rgb
    lies = sideways(comparison.reference, comparison.candidate) is not None
    shown, note = (candidate, None) if lies else resized_to(candidate, reference.shape)
    height, width = reference.shape[:2]
    return {
        "reference": data_uri(reference),
        "beside": [data_uri(reference, most=_BESIDE), data_uri(candidate, most=_BESIDE)],
        "over": None if lies else data_uri(shown),
        "note": note,
        "turned": turned_words(comparison.turned) if comparison.turned else None,
        "map": _map(comparison, reference),
        "ratio": f"{width} / {height}",
        "tall": f"{width / height:.4f}",
        "sizes": [
            f"{side.rgb.shape[1]} x {side.rgb.shape[0]}" for side in (comparison.reference, comparison.candidate)
        ],
        "same": comparison.reference.content == comparison.candidate.content,
    }


def _map(comparison: Comparison, reference: NDArray[np.uint8]) -> dict[str, object] | None:
    """The heat map of 1 - SSIM, alone and over the reference; the share that differs, and where it differs most."""
    found = comparison.details.get("ssim/1")
    if not isinstance(found, np.ndarray):
        return None
    off = np.pad(1 - found, 5, mode="edge")
    if float(off.max()) < _SAME:
        return None
    coloured = heat(np.asarray(off, np.float32), 0.0, 1.0)
    wide = max(3, min(off.shape) // 12)
    middle = cv2.blur(off, (wide, wide), borderType=cv2.BORDER_REFLECT)
    row, column = np.unravel_index(int(np.argmax(middle)), off.shape)
    return {
        "alone": data_uri(coloured, most=_BESIDE),
        "over": data_uri(over(reference, coloured, np.asarray(off, np.float32))),
        "share": f"{float(np.mean(off > _DIFFERS)):.0%}",
        "worst": f"{float(column) / off.shape[1]:.0%} from the left and {float(row) / off.shape[0]:.0%} from the top",
    }
