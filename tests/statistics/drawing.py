"""Pools of described transcripts, clips and sounds per prompt, and trials drawn from any pool."""

import numpy as np

from drift.descriptors.clip import describe_clip
from drift.descriptors.sound import describe_sound
from drift.descriptors.wording import describe_text

WRITTEN = {
    "marks": {"marks": 0.8},
    "fillers": {"fillers": 0.045},
    "casing": {"casing": 0.85},
    "variety": {"variety": 0.6},
    "errors": {"errors": 1.5},
    "misheard": {"misheard": 0.35},
}
FILMED = ("tone", "duplicated", "codec", "flicker")


class Texts:
    """One prompt's transcripts: so many unchanged, and changed ones drawn when first asked for."""

    def __init__(self, family, seed, outputs, replays):
        self._family, self._seed, self._replays = family, seed, replays
        rng = np.random.default_rng([*seed, 0])
        self._scene = family.scene(rng)
        self.base = [describe_text(family.sample(rng, self._scene)) for _ in range(outputs)]
        self._changed = {}

    def changed(self, name):
        if name not in self._changed:
            rng = np.random.default_rng([*self._seed, list(WRITTEN).index(name) + 1])
            fresh = (self._family.sample(rng, self._scene, **WRITTEN[name]) for _ in range(self._replays))
            self._changed[name] = [describe_text(text) for text in fresh]
        return self._changed[name]


class Clips:
    """The same for clips."""

    def __init__(self, family, seed, outputs, replays):
        self._family, self._seed, self._replays = family, seed, replays
        rng = np.random.default_rng([*seed, 0])
        self._scene = family.scene(rng)
        self.base = [describe_clip(family.coded(family.sample(rng, self._scene))) for _ in range(outputs)]
        self._changed = {}

    def changed(self, name):
        if name not in self._changed:
            rng = np.random.default_rng([*self._seed, FILMED.index(name) + 1])
            finish = self._family.CHANGES.get(name, self._family.coded)
            options = {"flicker": 0.004} if name == "flicker" else {}
            fresh = (self._family.sample(rng, self._scene, **options) for _ in range(self._replays))
            self._changed[name] = [describe_clip(finish(frames)) for frames in fresh]
        return self._changed[name]


class Sounds:
    """The same for sounds; ``changes`` are applied to the same fresh takes."""

    def __init__(self, changes, family, seed, outputs, replays):
        self._changes, self._family, self._seed, self._replays = changes, family, seed, replays
        rng = np.random.default_rng([*seed, 0])
        self._scene = family.scene(rng)
        self.base = [self._described(family.sample(rng, self._scene)) for _ in range(outputs)]
        self._changed = {}

    def changed(self, name):
        if not self._changed:
            rng = np.random.default_rng([*self._seed, 1])
            fresh = [self._family.sample(rng, self._scene) for _ in range(self._replays)]
            for each, change in self._changes.items():
                self._changed[each] = [self._described(change(sound, self._family.RATE)) for sound in fresh]
        return self._changed[name]

    def _described(self, sound):
        return describe_sound([(sound, self._family.RATE, "stereo" if sound.shape[1] == 2 else "mono")])


def pools(kind, family, number, *, deep, broad):
    """``deep`` and ``broad`` are (prompts, outputs, replays of each change)."""
    return {
        "deep": [kind(family, (number, prompt), *deep[1:]) for prompt in range(deep[0])],
        "broad": [kind(family, (number, 100 + prompt), *broad[1:]) for prompt in range(broad[0])],
    }
