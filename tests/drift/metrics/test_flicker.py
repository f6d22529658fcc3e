"""Flicker: brightness that jumps back and forth is measured in grey levels; fades, pans and cuts are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.compare import compare
from drift.metrics.flicker import flicker


def brighter(picture, levels):
    return np.clip(picture.astype(int) + levels, 0, 255).astype(np.uint8)


def test_the_definition():
    cells = np.zeros((5, 16), np.uint16)
    cells[2, 0] = 64 * 16  # one of sixteen cells stands off by 16 levels: 1 on average, half of it seen by neighbours

    assert flicker(cells).tolist() == [0.5, 1.0, 0.5]
    assert flicker(np.repeat(np.arange(9, dtype=np.uint16)[:, None] * 64, 16, axis=1)).tolist() == [0.0] * 7


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_it_is_what_its_formula_says(seed):
    cells = np.random.default_rng(seed).integers(0, 16_320, (7, 16)).astype(np.uint16)
    expected = [
        np.mean([abs(int(b) - (int(a) + int(c)) / 2) / 64 for a, b, c in zip(*cells[k - 1 : k + 2], strict=True)])
        for k in range(1, 6)
    ]
    assert flicker(cells) == pytest.approx(expected)
    assert flicker(cells[::-1]) == pytest.approx(expected[::-1])


def test_flickering_light_is_measured_and_said(clip, panning, tmp_path):
    steady = panning(1, 40)
    a = clip(tmp_path / "a.mp4", [brighter(p // 2 + 40, 0) for p in steady])
    b = clip(tmp_path / "b.mp4", [brighter(p // 2 + 40, 4 * (-1) ** n) for n, p in enumerate(steady)])

    there, back = compare(a, b), compare(b, a)

    # Luma steps between -4 and +4 levels of full range: 8 levels off the neighbours' mean, 219/255 of it in the file.
    assert there.score("flicker").value == pytest.approx(8 * 219 / 255, rel=0.15)
    assert back.score("flicker").value == there.score("flicker").value
    assert "grey levels" in there.score("flicker").note


def test_fades_and_cuts_are_no_flicker(clip, panning, tmp_path):
    still = panning(1, 1)[0] // 2
    a = clip(tmp_path / "a.mp4", [still] * 30)
    fade = clip(tmp_path / "fade.mp4", [brighter(still, 3 * n) for n in range(30)])
    cut = clip(tmp_path / "cut.mp4", [still] * 15 + [panning(2, 1)[0]] * 15)

    assert compare(a, fade).score("flicker").value < 0.35  # rounding to whole levels
    assert compare(a, cut).score("flicker").value < 0.1


def test_too_few_frames_have_a_reason(clip, panning, tmp_path):
    a, b = (clip(tmp_path / f"{s}.mp4", panning(1, 2), quality=q) for s, q in (("a", 0), ("b", 30)))

    for score in compare(a, b, metrics=["flicker"]).scores:
        assert score.value is None and "three" in score.reason


def test_a_clip_does_not_flicker_more_than_itself(media, make, tmp_path):
    make.remux(media / "fast.mp4", tmp_path / "b.mkv")

    for score in compare(media / "fast.mp4", tmp_path / "b.mkv", metrics=["flicker", "motion", "cuts"]).scores:
        assert score.value == 0, score.name
