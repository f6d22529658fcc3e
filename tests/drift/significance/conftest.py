"""Descriptors made of random numbers, and the study code where it is present."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drift.descriptor import Descriptor

SIZES = {"glob": 74, "hist": 864, "lay": 1072, "scat": 408, "cur": 202}
STUDY = Path(__file__).parents[4] / "shared" / "reference" / "statistics"


def sample(rng, shift=0.0, scale=1.0):
    """One descriptor of independent normal numbers."""
    return Descriptor(
        **{name: (shift + scale * rng.standard_normal(size)).astype(np.float32) for name, size in SIZES.items()}
    )


@pytest.fixture(scope="session")
def samples():
    """``samples(rng, 5, shift=0.3)``: five descriptors."""
    return lambda rng, count, **options: [sample(rng, **options) for _ in range(count)]


@pytest.fixture
def reference(monkeypatch):
    """The study's module of ready statistics; its functions return the statistics before they are combined."""
    if not STUDY.is_dir():
        pytest.skip("needs the study code at ../shared/reference/statistics")
    monkeypatch.syspath_prepend(str(STUDY))
    module = importlib.import_module("reference")
    monkeypatch.setattr(module, "combine", lambda statistics: statistics)
    yield module
    for name in ("reference", "st"):
        sys.modules.pop(name, None)


@pytest.fixture
def printed_elsewhere():
    """What a program prints in two other processes, with other numbers of threads and other hashes."""

    def run(program, *arguments):
        return [
            subprocess.run(
                [sys.executable, "-c", program, *arguments],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            ).stdout
            for threads in ("1", "2")
        ]

    return run
