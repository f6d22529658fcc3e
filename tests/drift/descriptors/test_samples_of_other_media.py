"""Transcripts and clips as samples: the study's numbers, any language, any length of clip, files."""

import importlib.util
import json
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drift.descriptor import Descriptor, describe
from drift.descriptors.clip import describe_clip, motion
from drift.descriptors.wording import describe_text, edit_distances, medoid, not_reproduced
from drift.side import Side
from drift.significance.sampling import sample_of

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "sample_vectors.json").read_text())
_spec = importlib.util.spec_from_file_location("moving_clips", HERE / "moving.py")
moving = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(moving)


def test_the_words_and_rates_of_a_transcript_are_the_studys():
    for text, words, rates in zip(moving.TEXTS, VECTORS["words"], VECTORS["rates"], strict=True):
        found = describe_text(text)

        assert list(found.words) == words and found.rates.shape == (40,)
        assert found.rates == pytest.approx(rates, rel=1e-4, abs=1e-4)


def test_the_distances_and_what_is_not_reproduced_are_the_studys():
    found = [describe_text(text) for text in moving.TEXTS]
    words = [one.words for one in found]

    assert edit_distances(words) == pytest.approx(np.array(VECTORS["apart"]["words"]), abs=1e-6)
    assert edit_distances([one.raw for one in found]) == pytest.approx(np.array(VECTORS["apart"]["raw"]), abs=1e-6)
    for anchor, rows in VECTORS["kept"].items():
        assert not_reproduced(words[int(anchor)], words) == pytest.approx(np.array(rows), abs=1e-4)


@pytest.mark.parametrize("name", ["flowing", "halting"])
def test_a_clip_is_the_studys(name):
    found = describe_clip(moving.clip(name))

    every = {"cur": 8, "hist": 16}
    for block, values in VECTORS["clips"][name].items():
        ours = getattr(found, block)[:: every.get(block, 1)]
        assert ours == pytest.approx(values, rel=1e-4, abs=1e-4 * float(np.abs(values).max())), block


def test_repeated_frames_and_flicker_show_in_the_facts_of_motion():
    flowing, halting = (describe_clip(moving.clip(name)).time for name in ("flowing", "halting"))
    wavering = describe_clip([(f * (0.9 if i % 2 else 1)).astype(np.uint8) for i, f in enumerate(moving.clip("x"))])

    assert flowing[5] == 0 < halting[5] and wavering.time[4] > flowing[4] + 1


@pytest.mark.parametrize(("step", "share"), [(0, 0.2), (3, 0.2), (4, 0)])
def test_a_frame_counts_as_repeated_where_it_moves_by_less_than_a_third_of_the_usual(step, share):
    levels = np.cumsum([0, 10, 10, step, 10, 10])

    assert motion(np.full((64, 64), level, np.float32) for level in levels)[5] == pytest.approx(share)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_and_the_flattest_clips_have_finite_numbers(count):
    for frame in (np.zeros((8, 8, 3), np.uint8), moving.clip("flowing")[0]):
        found = describe_clip([frame] * count)
        assert all(np.isfinite(getattr(found, block)).all() for block in ("glob", "flux", "time", "hist", "cur"))
    with pytest.raises(ValueError, match="at least one frame"):
        describe_clip([])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Grüße, ÄHM Straße!", ("grüsse", "ähm", "strasse")),
        ("Don\u2019t", ("don't",)),
        ("हिन्दी में", ("हिन्दी", "में")),
        ("今日は、晴れ。", ("今", "日", "は", "晴", "れ")),
        ("... - ?!", ()),
    ],
)
def test_words_of_any_script(text, words):
    assert describe_text(text).words == words


@settings(deadline=None)
@given(st.text())
def test_any_text_has_finite_numbers(text):
    assert np.isfinite(describe_text(text).rates).all()


def test_the_medoid_does_not_depend_on_the_order_of_samples():
    texts = [("a", "b"), ("a", "c"), ("a", "d")]  # all equally far from each other

    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        mixed = [texts[i] for i in order]
        assert mixed[medoid(edit_distances(mixed), mixed)] == ("a", "b")


def written(path, frames):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264rgb", rate=10, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "rgb24"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def test_files_become_samples(tmp_path):
    rgb = moving.clip("flowing")[0]
    Image.fromarray(rgb).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text(moving.TEXTS[0])
    written(tmp_path / "a.mkv", moving.clip("flowing"))

    picture = sample_of(tmp_path / "a.png")
    assert isinstance(picture, Descriptor) and (picture.lay == describe(rgb).lay).all()
    assert sample_of(Side(tmp_path / "a.txt")).words == describe_text(moving.TEXTS[0]).words
    clip, expected = sample_of(tmp_path / "a.mkv"), describe_clip(moving.clip("flowing"))
    assert (clip.time == expected.time).all() and (clip.glob == expected.glob).all()
