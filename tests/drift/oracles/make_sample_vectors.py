"""Write tests/drift/descriptors/sample_vectors.json with the study code at ../shared/reference/statistics."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "descriptors"
STUDY = Path(__file__).resolve().parents[4] / "shared" / "reference" / "statistics"
BLOCKS = ("glob", "flux", "time", "cur", "hist")


def rounded(values):
    return [float(f"{value:.7g}") for value in np.asarray(values, float).ravel()]


def main():
    """Describe transcripts and drawn clips."""
    sys.path.insert(0, str(STUDY))
    text, video = importlib.import_module("text_rep"), importlib.import_module("video_rep")
    spec = importlib.util.spec_from_file_location("moving", FOLDER / "moving.py")
    moving = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(moving)
    words = [text.norm(one) for one in moving.TEXTS]
    document = {
        "words": words,
        "rates": [rounded(text.rates(one)) for one in moving.TEXTS],
        "apart": {
            "words": [rounded([text.ned(a, b) for b in words]) for a in words],
            "raw": [rounded([text.ned(a.split(), b.split()) for b in moving.TEXTS]) for a in moving.TEXTS],
        },
        "kept": {str(anchor): [rounded(row) for row in text.aligned(moving.TEXTS, anchor)] for anchor in (0, 2)},
        "clips": {},
    }
    for name in ("flowing", "halting"):
        blocks = video.rep([np.ascontiguousarray(frame[..., ::-1]) for frame in moving.clip(name)])
        kept = dict(zip(BLOCKS, blocks, strict=True))
        kept["cur"], kept["hist"] = kept["cur"][::8], kept["hist"][::16]
        document["clips"][name] = {block: rounded(values) for block, values in kept.items()}
    (FOLDER / "sample_vectors.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
