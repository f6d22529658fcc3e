"""Pools of described pictures per prompt, unchanged and changed in many ways, from which trials draw."""

import cv2
import numpy as np
from PIL import Image, ImageFilter

from drift.descriptor import describe


def coded(rgb, quality=95):
    """What a provider hands out: JPEG."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def tone(rgb):
    """Gamma 0.85: brighter midtones."""
    return coded(np.rint(255 * (rgb / 255) ** 0.85).astype(np.uint8))


def saturation(rgb):
    """Colours four fifths as far from grey."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return coded(np.clip(np.rint(grey + 0.8 * (rgb - grey)), 0, 255).astype(np.uint8))


def sharpen(rgb):
    """Pillow's SHARPEN kernel."""
    return coded(np.asarray(Image.fromarray(rgb).filter(ImageFilter.SHARPEN)))


def jpeg(rgb):
    """Quality 80 instead of 95."""
    return coded(rgb, 80)


def resample(rgb):
    """Down to seven eighths and back."""
    size = rgb.shape[0]
    small = cv2.resize(rgb, (size * 7 // 8, size * 7 // 8), interpolation=cv2.INTER_AREA)
    return coded(cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC))


def shifted(rgb):
    """Zoomed by 3 % and moved by 3 %."""
    size = rgb.shape[0]
    matrix = np.float32([[1.03, 0, 0.015 * size], [0, 1.03, -0.03 * size]])
    return coded(cv2.warpAffine(rgb, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101))


def watermark(rgb):
    """A half transparent word in the lower right corner."""
    size = rgb.shape[0]
    over = rgb.copy()
    place = (int(0.7 * size), int(0.95 * size))
    cv2.putText(over, "sample", place, cv2.FONT_HERSHEY_SIMPLEX, size / 512, (255, 255, 255), size // 128, cv2.LINE_AA)
    return coded(np.rint(0.5 * rgb + 0.5 * over).astype(np.uint8))


def broken(rng, rgb):
    """One in ten black, cut off below, or noise."""
    draw = rng.random()
    if draw >= 0.1:
        return rgb
    if draw < 0.033:
        return np.zeros_like(rgb)
    if draw < 0.067:
        return np.where(np.arange(len(rgb))[:, None, None] < len(rgb) // 2, rgb, 128).astype(np.uint8)
    return rng.integers(0, 256, rgb.shape, np.uint8)


PIXELS = {f.__name__: f for f in (tone, saturation, sharpen, jpeg, resample, shifted, watermark)}
DRAWN = {
    "hue": {"hue": 30.0},
    "variety": {"variety": 0.5, "fields": 0.5},
    "placing": {"variety": 0.5},
    "absent": {"absent": 0.5},
    "broken": {},
}
CHANGES = (*PIXELS, *DRAWN)


class Pool:
    """One prompt's descriptors: unchanged ones at once, changed ones when first asked for; none share a picture."""

    def __init__(self, family, seed, outputs, replays):
        self._family, self._seed, self._replays = family, seed, replays
        rng = np.random.default_rng([*seed, 0])
        self._scene = family.scene(rng)
        self.base = [describe(coded(family.sample(rng, self._scene))) for _ in range(outputs)]
        self._changed = {}

    def changed(self, name):
        """Described outputs of the changed model; those of pixel changes start from the same pictures."""
        if name not in self._changed:
            number = CHANGES.index(name) + 1 if name in DRAWN else 99
            rng = np.random.default_rng([*self._seed, number])
            fresh = (self._family.sample(rng, self._scene, **DRAWN.get(name, {})) for _ in range(self._replays))
            finish = PIXELS.get(name, coded)
            if name == "broken":
                finish = lambda rgb: coded(broken(rng, rgb))  # noqa: E731
            self._changed[name] = [describe(finish(rgb)) for rgb in fresh]
        return self._changed[name]


def drawn(family, number, *, small=False, deep=10, broad=30):
    """``deep`` prompts with 42 outputs and 20 of each change, then ``broad`` with 12 and 3."""
    if small:
        deep, broad = 6, 18
    sizes = [(42, 20)] * deep + [(12, 3)] * broad
    return [Pool(family, (number, prompt), *size) for prompt, size in enumerate(sizes)]


def picked(rng, pool, change, m, n):
    """m unchanged outputs and n replays of one prompt; ``change`` None draws these from the same pool."""
    order = rng.permutation(len(pool.base))
    baseline = [pool.base[i] for i in order[:m]]
    if change is None:
        return baseline, [pool.base[i] for i in order[m : m + n]]
    replays = pool.changed(change)
    return baseline, [replays[i] for i in rng.permutation(len(replays))[:n]]
