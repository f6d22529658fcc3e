"""Write tests/drift/descriptors/descriptor_vectors.json with the study code at ../shared/reference/statistics."""

import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "descriptors"
NAMES = ["cut-256", "square-512", "wide-512x300", "tall-201x512", "odd-511x513", "small-64", "flat-128", "large-1024"]


def rows(values):
    """Sum, norm, and about every eighth part of a block."""
    values = values.astype(float)
    every = max(1, len(values) // 8)
    return {
        "sum": round(float(values.sum()), 5),
        "norm": round(float(np.linalg.norm(values)), 5),
        "every": every,
        "values": [round(float(value), 5) for value in values[::every]],
    }


def main():
    """Describe drawn pictures."""
    spec = importlib.util.spec_from_file_location("descriptor_pictures", FOLDER / "conftest.py")
    shared = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shared)
    describe = shared.study()
    document = {}
    for name in NAMES:
        rgb = shared.picture(name)
        blocks = {block: rows(values) for block, values in describe(rgb).items()}
        document[name] = {"sha256": hashlib.sha256(rgb.tobytes()).hexdigest(), **blocks}
    (FOLDER / "descriptor_vectors.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
