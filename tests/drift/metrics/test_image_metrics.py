"""Image metrics against their definitions, other libraries, and what must hold for any pair."""

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import correlate1d
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from drift.compare import compare
from drift.metrics.color import ciede2000
from drift.metrics.ssim import ssim, ssim_map


def wang(x, y):
    """SSIM as the paper writes it, in float64."""
    weights = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()

    def mean(a):
        return correlate1d(correlate1d(a, weights, axis=0), weights, axis=1)[5:-5, 5:-5]

    x, y = x.astype(float), y.astype(float)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))


def noisy(picture, amount, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(picture + rng.normal(0, amount, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(11, 11), (64, 96), (200, 137), (300, 12)])
@pytest.mark.parametrize("kind", ["texture", "flat", "bright", "extremes"])
def test_ssim_is_the_definition_to_a_millionth(make, shape, kind):
    grey = make.picture(shape[1], shape[0])[..., 0]
    x = {
        "texture": grey,
        "flat": np.full(shape, 255, np.uint8),
        "bright": grey // 64 + 190,
        "extremes": np.where(grey > 128, 255, 0).astype(np.uint8),
    }[kind]
    y = noisy(x, 12)

    assert abs(ssim(x, y) - wang(x, y).mean()) < 1e-6
    assert np.abs(ssim_map(x, y) - wang(x, y)).max() < 1e-4


def test_ssim_is_scikit_images_with_the_papers_settings(make):
    x = make.picture(200, 150)[..., 1]
    y = noisy(x, 20)

    _, full = structural_similarity(
        x, y, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert abs(ssim(x, y) - full[5:-5, 5:-5].mean()) < 1e-6


pictures = st.tuples(st.integers(11, 40), st.integers(11, 40), st.integers(0, 2**31)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(0, 256, drawn[:2], dtype=np.uint8)
)


@settings(deadline=None, max_examples=40)
@given(x=pictures)
def test_ssim_of_a_picture_with_itself_is_one_and_it_is_symmetric(x):
    y = noisy(x, 30)

    assert abs(ssim(x, x) - 1) < 1e-6
    assert abs(ssim(x, y) - ssim(y, x)) < 1e-7
    assert -1 <= ssim(x, 255 - x) < ssim(x, y) < 1


@pytest.mark.parametrize("shapes", [((10, 20), (10, 20)), ((20, 20), (20, 21))])
def test_ssim_refuses_what_it_would_have_to_resample(shapes):
    with pytest.raises(ValueError, match="11x11"):
        ssim(np.zeros(shapes[0], np.uint8), np.zeros(shapes[1], np.uint8))


@pytest.fixture
def pair(make, tmp_path):
    x = make.picture(320, 200)
    y = noisy(x, 15)
    Image.fromarray(x).save(tmp_path / "x.png")
    Image.fromarray(y).save(tmp_path / "y.png")
    return tmp_path / "x.png", tmp_path / "y.png", x, y


def test_psnr_is_scikit_images(pair):
    a, b, x, y = pair

    value = compare(a, b, metrics=["psnr"]).score("psnr.rgb").value
    assert value == pytest.approx(peak_signal_noise_ratio(x, y, data_range=255), abs=1e-9)


def test_psnr_of_equal_pixels_is_a_reason_not_infinity(pair, tmp_path):
    Image.fromarray(pair[2]).save(tmp_path / "again.bmp")

    score = compare(pair[0], tmp_path / "again.bmp", metrics=["psnr"]).score("psnr.rgb")
    assert score.value is None and "no pixel differs" in score.reason


@pytest.mark.parametrize("name", ["phash", "dhash"])
def test_hashes_are_imagehashs(pair, make, tmp_path, name):
    other = tmp_path / "other.png"
    Image.fromarray(make.picture(250, 240, shift=90)).save(other)

    found = compare(pair[0], other, metrics=[name]).score(name).value
    hashed = [getattr(imagehash, name)(Image.open(path)) for path in (pair[0], other)]
    assert found == hashed[0] - hashed[1] > 0


def test_color_is_ciede2000_of_the_published_pairs():
    # Sharma, Wu, Dalal 2005, table 1: pairs 1, 7, 9, 13, 17, 24, 34.
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ]
    for first, second, expected in pairs:
        assert ciede2000(np.array(first, float), np.array(second, float)) == pytest.approx(expected, abs=1e-4)


def test_color_is_scikit_images_on_random_colours():
    rng = np.random.default_rng(0)
    labs = [rgb2lab(rng.random((50, 50, 3))) for _ in range(2)]

    assert np.abs(ciede2000(*labs) - deltaE_ciede2000(*labs)).max() < 1e-6


def test_color_of_a_file_pair(pair):
    a, b, *_ = pair
    found = compare(a, b, metrics=["color"])

    mean, p95 = found.score("color.mean").value, found.score("color.p95").value
    assert 0 < mean < p95 < 100


def test_another_size_is_resampled_and_said(pair, make, tmp_path):
    Image.fromarray(make.picture(160, 100)).save(tmp_path / "small.png")

    found = compare(pair[0], tmp_path / "small.png")
    assert found.score("ssim").value < 1
    assert "ssim: the candidate was resampled from 160x100 to 320x200" in found.notes


def test_pictures_smaller_than_the_window_have_a_reason(tmp_path):
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (10, 40), colour).save(tmp_path / name)

    score = compare(tmp_path / "a.png", tmp_path / "b.png").score("ssim")
    assert score.value is None and "11x11" in score.reason
