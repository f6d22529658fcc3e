"""What a changed model looks like to the rules: how often each change is found, with how many replays."""

import cv2
import numpy as np
import pytest

from drift.descriptor import describe
from drift.significance.manifest import decide_manifest
from drift.significance.sequential import sequential
from drift.significance.suite import Prompt, suite_gate

pytestmark = pytest.mark.timeout(3600)
ALPHA = 0.01
NAMES = ("terrain", "collage")
CHANGES = (
    "tone", "saturation", "sharpen", "jpeg", "resample", "shifted", "hue", "variety", "watermark",
    "placing", "absent", "broken",
)  # fmt: skip
SEQUENTIAL = {"tone": 0.8, "hue": 0.8, "variety": 0.8, "sharpen": 0.94, "jpeg": 0.94}  # promised on mixed families
SUITE = {"absent": 0.8, "broken": 0.5}  # everything else 0.95
RARE = "broken"  # a tenth of the outputs: nothing is promised on one manifest


@pytest.mark.parametrize("change", CHANGES)
def test_one_manifest(pools, pooling, trials, table, change):
    rng = np.random.default_rng(20)
    count = trials(100)
    for name in NAMES:
        found = 0
        for number in range(count):
            deep = [pool for pool in pools[name] if len(pool.base) >= 40]
            pair = pooling.picked(rng, deep[number % len(deep)], change, 20, 12)
            found += decide_manifest(*pair, alpha=ALPHA, seed=number, relabelings=999).answer == "drifted"

        share, _ = table(f"power: {change}, one manifest, m 20, n 12, {name}", found, count)
        assert share > 5 * ALPHA or change == RARE


@pytest.mark.parametrize("change", CHANGES)
def test_suite_gate(pools, pooling, trials, table, change):
    rng = np.random.default_rng(21)
    count = trials(40)
    found = 0
    for number in range(count):
        pairs = [pooling.picked(rng, pool, change, 5, 2) for pool in pools[NAMES[number % 2]]]
        decided = suite_gate([Prompt(*pair) for pair in pairs], alpha=ALPHA, seed=number, relabelings=999)
        found += decided.answer == "drifted"

    share, error = table(f"power: {change}, suite, {len(pairs)} prompts, m 5, n 2, both families", found, count)
    assert share + 2 * error >= SUITE.get(change, 0.95 if len(pairs) >= 40 else 0.7)


@pytest.mark.parametrize("change", CHANGES)
def test_sequential_looks(pools, pooling, trials, table, change):
    rng = np.random.default_rng(22)
    count = trials(100)
    found = used = 0
    for number in range(count):
        deep = [pool for pool in pools[NAMES[number % 2]] if len(pool.base) >= 40]
        pair = pooling.picked(rng, deep[number // 2 % len(deep)], change, 20, 20)
        decided = sequential(*pair, alpha=ALPHA, seed=number, relabelings=2_999)
        found += decided.answer == "drifted"
        used += decided.used

    what = f"power: {change}, sequential, m 20, both families"
    share, error = table(what, found, count, f"{used / count:.1f} replays")
    assert share + 2 * error >= SEQUENTIAL.get(change, 0)
    if change in SEQUENTIAL:
        assert used / count <= 10


@pytest.mark.parametrize("change", ["sharpen", "jpeg", "resample"])
def test_large_pictures_need_their_native_centre(families, pooling, trials, table, change):
    """Of larger pictures the resized picture has lost what a coder or a sharpening did; the centre has not."""
    altered = pooling.PIXELS[change]
    found = dict.fromkeys(("with the centre", "resized only"), 0)
    count = 2 * trials(40)
    for seed, family in enumerate(families.values()):
        rng = np.random.default_rng(30 + seed)
        for number in range(4):
            scene = family.scene(rng)
            baseline = [_both(pooling.coded(family.sample(rng, scene, size=512))) for _ in range(20)]
            replays = [_both(altered(family.sample(rng, scene, size=512))) for _ in range(12)]
            for _ in range(count // 8):
                chosen = rng.permutation(20)[:16], rng.permutation(12)[:8]
                for which, how in enumerate(found):
                    parts = (
                        [group[i][which] for i in picks]
                        for group, picks in zip((baseline, replays), chosen, strict=True)
                    )
                    found[how] += decide_manifest(*parts, alpha=ALPHA, seed=number, relabelings=999).answer == "drifted"

    shares = {
        how: table(f"power: {change} at 512x512, m 16, n 8, {how}", hits, count)[0] for how, hits in found.items()
    }
    assert shares["with the centre"] >= shares["resized only"]


def _both(rgb):
    return describe(rgb), describe(cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA))
