"""Write tests/drift/fingerprints/pdq_vectors.json with the reference implementation, the pdqhash package.

It needs a compiler, so it is no dependency: install pdqhash, numpy, pillow and opencv-python-headless into a private
environment and run this file there with the project's root on PYTHONPATH.
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import pdqhash

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "drift" / "fingerprints")]

from pictures import PICTURES, canonical, drawn  # noqa: E402

from drift.media.image import load_rgb  # noqa: E402

OUT = ROOT / "tests" / "drift" / "fingerprints" / "pdq_vectors.json"
PUBLIC = ROOT.parent / "shared" / "vectors" / "pdq"


def expected(rgb):
    """Hex hashes of the eight forms, and the quality."""
    forms, quality = pdqhash.compute_dihedral(np.ascontiguousarray(rgb))
    return {"hashes": [np.packbits(form).tobytes().hex() for form in forms], "quality": int(quality)}


def main():
    """Hash drawn pictures as they are, and the public files in canonical form."""
    rows = {"drawn": {}, "files": {}}
    for name in PICTURES:
        rgb = drawn(name)
        rows["drawn"][name] = {"sha256": hashlib.sha256(rgb.tobytes()).hexdigest(), **expected(rgb)}
    for path in sorted(PUBLIC.iterdir()):
        rows["files"][path.name] = expected(canonical(load_rgb(path)))
    OUT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
