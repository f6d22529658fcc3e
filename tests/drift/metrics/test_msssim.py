"""MS-SSIM: the float64 definition by another road, values known in closed form, small pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.signal import convolve2d

from drift.compare import compare
from drift.metrics.msssim import SMALLEST, WEIGHTS, msssim


def wang_2003(x, y):
    """The definition, written out: two-dimensional convolutions, block means, products of powers."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = 2.55**2, 7.65**2
    x, y = x.astype(float), y.astype(float)
    result = 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        mx, my, xx, yy, xy = (convolve2d(p, window, "valid") for p in (x, y, x * x, y * y, x * y))
        cs = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
        light = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        result *= max(0, (cs * light if scale == 4 else cs).mean()) ** weight
        x, y = (block_means(np.vstack([p, p[-1:]])[: -(-p.shape[0] // 2) * 2]) for p in (x, y))
    return result


def block_means(p):
    p = np.hstack([p, p[:, -1:]])[:, : -(-p.shape[1] // 2) * 2]
    return p.reshape(p.shape[0] // 2, 2, -1, 2).mean((1, 3))


@pytest.mark.parametrize("shape", [(161, 161), (176, 240), (323, 205), (400, 512)])
@pytest.mark.parametrize("spread", [3, 25, 90])
def test_the_definition(make, shape, spread):
    x = make.picture(shape[1], shape[0])[..., 0]
    y = np.clip(x + np.random.default_rng(0).normal(0, spread, shape), 0, 255).astype(np.uint8)

    assert msssim(x, y) == pytest.approx(wang_2003(x, y), abs=1e-9)


def test_values_known_in_closed_form():
    flat = [np.full((200, 180), level, np.uint8) for level in (0, 80, 120)]
    light = (2 * 80 * 120 + 2.55**2) / (80**2 + 120**2 + 2.55**2)

    assert msssim(flat[1], flat[2]) == pytest.approx(light**0.1333, abs=1e-12)  # only the last scale sees light
    assert msssim(flat[0], flat[1]) == pytest.approx((2.55**2 / (80**2 + 2.55**2)) ** 0.1333, abs=1e-12)
    assert sum(WEIGHTS) == pytest.approx(1, abs=2e-4)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), amount=st.integers(0, 255))
def test_identity_is_best_order_does_not_matter_and_it_stays_in_range(seed, amount):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (161, 170)).astype(np.uint8)
    y = np.clip(x + rng.integers(-amount, amount + 1, x.shape), 0, 255).astype(np.uint8)

    assert msssim(x, x) == pytest.approx(1, abs=1e-12)
    assert 0 <= msssim(x, y) <= 1 and msssim(x, y) == pytest.approx(msssim(y, x), abs=1e-12)
    assert msssim(x, 255 - x) < 0.05


def test_a_small_picture_has_a_reason_and_a_large_one_a_score(make, tmp_path):
    for name, side in (("small", SMALLEST - 1), ("large", SMALLEST)):
        Image.fromarray(make.picture(200, side)).save(tmp_path / f"{name}.png")
        Image.fromarray(make.picture(200, side)).save(tmp_path / f"{name}.jpg", quality=60)

    small = compare(tmp_path / "small.png", tmp_path / "small.jpg").score("msssim")
    large = compare(tmp_path / "large.png", tmp_path / "large.jpg").score("msssim")
    other = compare(tmp_path / "large.png", tmp_path / "small.jpg").score("msssim")

    assert small.value is None and "161 pixels" in small.reason
    assert 0.9 < large.value < 1
    assert 0.5 < other.value < 1 and "resampled" in other.note


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="161x161"):
        msssim(np.zeros((160, 300), np.uint8), np.zeros((160, 300), np.uint8))
    with pytest.raises(ValueError, match="one size"):
        msssim(np.zeros((200, 300), np.uint8), np.zeros((300, 200), np.uint8))
