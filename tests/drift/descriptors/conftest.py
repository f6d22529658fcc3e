"""Pictures drawn from integers only, and the study code where it is present."""

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
STUDY = ROOT.parent / "shared" / "reference" / "statistics"
FINEST = [*range(32, 38), 54, 57, *range(60, 74)]  # what block glob reads from the native centre

_spec = importlib.util.spec_from_file_location("drawn_pictures", ROOT / "tests/drift/fingerprints/pictures.py")
pictures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pictures)


def picture(name):
    """A picture by name; "cut-256" is a corner of a larger one."""
    return pictures.drawn("large-1024")[:256, 400:656].copy() if name == "cut-256" else pictures.drawn(name)


def study():
    """The study code's descriptor of RGB of any size, by block; of its glob the finest parts from the centre."""
    sys.path.insert(0, str(STUDY))
    try:
        desc = importlib.import_module("desc")
    finally:
        sys.path.remove(str(STUDY))

    def blocks(rgb):
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        work = cv2.resize(bgr, (256, 256), interpolation=cv2.INTER_AREA)
        found = {name: getattr(desc, f"d_{name}")(work) for name in ("glob", "hist", "lay", "scat", "cur")}
        height, width = rgb.shape[:2]
        if min(height, width) >= 256:
            top, left = ((side - 256) // 2 // 8 * 8 for side in (height, width))
            centre = np.ascontiguousarray(bgr[top : top + 256, left : left + 256])
            found["glob"][FINEST] = desc.d_glob(centre)[FINEST]
        return found

    return blocks


@pytest.fixture(scope="session")
def drawn():
    return picture


@pytest.fixture(scope="session")
def studied():
    if not STUDY.is_dir():
        pytest.skip("needs the study code at ../shared/reference/statistics")
    return study()
