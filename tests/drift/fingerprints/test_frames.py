"""Marks of frames: equal in batches and one by one, equal to their definition, and small however long the clip."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn

from drift.fingerprints.frames import MarkedFrames, Marks, frame_distances, marks_of

FIELDS = ("hashes", "waves", "cells", "motion", "change")


def pictures(seed, count):
    """Pictures with low frequencies, uint8 (count, 32, 32)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:32, 0:32] / 32
    waves = rng.normal(0, 30, (count, 4)) @ np.stack([np.cos(np.pi * k * (x + y)).ravel() for k in range(4)])
    return np.clip(128 + waves.reshape(count, 32, 32) + rng.normal(0, 9, (count, 32, 32)), 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_definition(seed):
    batch = pictures(seed, 3)
    found = marks_of(batch)

    for number, picture in enumerate(batch.astype(float)):
        low = dctn(picture)[:8, :8].ravel()
        off = low - np.median(low)
        doubtful = np.minimum(np.abs(off), np.abs(np.abs(off) - 256)) < 0.5  # single precision may round either way
        bits, sure = (
            np.unpackbits(np.asarray(found.hashes[number, k], ">u8").reshape(1).view(np.uint8)) for k in (0, 1)
        )
        assert np.array_equal(bits[~doubtful], (off > 0)[~doubtful])
        assert np.array_equal(sure[~doubtful], (np.abs(off) >= 256)[~doubtful])
        assert np.abs(found.waves[number] - low / 64).max() <= 0.51
        cells = picture.reshape(4, 8, 4, 8).mean((1, 3)).ravel()
        assert found.cells[number].tolist() == (cells * 64).tolist()
        assert found.change[number] == pytest.approx(np.abs(picture - batch[max(number - 1, 0)]).mean(), rel=1e-5)


@settings(deadline=None, max_examples=10)
@given(count=st.integers(1, 200), looks=st.sets(st.integers(1, 199), max_size=4))
def test_batches_do_not_show(count, looks):
    rng = np.random.default_rng(count)
    strided = rng.integers(0, 256, (count, 45, 60), dtype=np.uint8)
    one, other = MarkedFrames(), MarkedFrames()
    for number, picture in enumerate(strided, 1):
        one.add(picture)
        other.add(picture)
        if number in looks:
            other.marks()

    for name in FIELDS:
        assert np.array_equal(getattr(one.marks(), name), getattr(other.marks(), name)), name
    assert len(one) == len(other) == len(one.marks()) == count
    assert not one.marks().motion[0].any() and one.marks().change[0] == 0


def test_a_frame_costs_a_few_hundred_bytes():
    marks = marks_of(pictures(0, 50))

    assert sum(getattr(marks, name).nbytes for name in FIELDS) / 50 <= 260
    assert len(Marks.joined([marks, marks]).taken(np.arange(0, 100, 3))) == 34


def test_distance_counts_bits_sure_in_either():
    a = np.asarray([[0b1100, 0b0100]], np.uint64)
    b = np.asarray([[0b0011, 0b0010]], np.uint64)

    assert frame_distances(a, b).tolist() == [2] and frame_distances(a, a).tolist() == [0]


PEAK = """
import sys
from pathlib import Path
from drift.side import Side
from drift.timelines import measure
found = measure(*(Side(Path(name)) for name in sys.argv[1:]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(len(found.reference), peak.split()[1])
"""


def test_memory_grows_by_marks_alone(make, tmp_path):
    pytest.importorskip("resource")
    film = [make.picture(160, 120, shift=3 * n) for n in range(25)]
    sizes = {}
    for repeats in (12, 36):
        pair = [make.video(tmp_path / f"{q}-{repeats}.mp4", film * repeats, quality=q) for q in (30, 45)]
        said = subprocess.run([sys.executable, "-c", PEAK, *map(str, pair)], capture_output=True, check=True).stdout
        count, kilobytes = map(int, said.split())
        assert count == 25 * repeats
        sizes[count] = kilobytes

    grown = (sizes[900] - sizes[300]) * 1024 / 600
    assert grown < 12_000, f"{grown:.0f} bytes a frame"  # the pictures of both clips would be 38,400
