"""The smallest effect: repeatable, honest about what is missed, larger where samples are fewer; accepted replays."""

from dataclasses import fields

import cv2
import numpy as np
import pytest

from drift.descriptor import Descriptor, describe
from drift.descriptors.clip import Clip
from drift.descriptors.sound import FACTS, Sound, describe_sound
from drift.descriptors.wording import describe_text
from drift.significance.accepting import joined
from drift.significance.effects import EFFECTS, shortened
from drift.significance.manifest import decide_manifest
from drift.significance.samples import UnfitSamples
from drift.significance.sensitivity import power_for, smallest_effects, suite_smallest_effects
from drift.significance.suite import Prompt


def picture(rng, light=0.0, colour=1.0):
    """A small scene that differs from sample to sample."""
    y, x = np.mgrid[0:64, 0:64] / 64
    base = 90 + 60 * x[..., None] * (1 + 0.2 * rng.standard_normal(3)) + 30 * y[..., None] * rng.standard_normal(3)
    base = base.mean(2, keepdims=True) + colour * (base - base.mean(2, keepdims=True))
    return np.clip(base + light + 6 * rng.standard_normal((64, 64, 1)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def outputs():
    rng = np.random.default_rng(1)
    return [describe(picture(rng)) for _ in range(32)]


def test_what_would_have_shown_is_named_and_repeatable(outputs):
    found = smallest_effects(outputs[:20], outputs[20:], seed=5)

    assert [one.name for one in found.effects] == ["lightness", "colour", "detail", "variety"]
    assert any(one.size is not None for one in found.effects)
    assert found == smallest_effects(outputs[:20], outputs[20:], seed=5)
    assert found.of == "replays" and found.sentence.startswith("It would have shown, in 8 of 10 simulated tests: ")
    assert found.to_json()["effects"][0].keys() == {"name", "size", "means"}
    lightness = found.effects[0]
    assert f"pictures lighter by {lightness.size:g} of 255 levels" in found.sentence


def test_the_named_effect_is_found_and_a_far_smaller_one_is_not(outputs):
    prompts = [Prompt(outputs[:20], outputs[20:])]
    size = {one.name: one.size for one in smallest_effects(*_sides(prompts), seed=5).effects}["detail"]

    assert power_for(prompts, "detail", size, seed=5) >= 0.8
    assert power_for(prompts, "detail", size / 100, seed=5) <= 0.2
    with pytest.raises(UnfitSamples, match=r"no effect 'smell' for image samples; give one of lightness"):
        power_for(prompts, "smell", 1, seed=5)


def _sides(prompts):
    return prompts[0].baseline, prompts[0].replays


def test_a_test_of_few_samples_sees_less(outputs):
    many = smallest_effects(outputs[:20], outputs[20:], alpha=0.05, seed=5)
    few = smallest_effects(outputs[:5], outputs[20:24], alpha=0.05, seed=5)

    for fewer, more in zip(few.effects, many.effects, strict=True):
        assert (fewer.size or 1e9) >= (more.size or 1e9)
    blind = smallest_effects(outputs[:3], outputs[20:22], seed=5)
    assert all(one.size is None for one in blind.effects) and blind.share is None
    assert blind.sentence.startswith("No change tried would have shown") and "Not even: " in blind.sentence


def test_the_prediction_holds_for_a_change_of_the_pictures_themselves(outputs):
    """Lightness is moved in the numbers it is known to move; moving it in the pixels shows at that size too."""
    size = smallest_effects(outputs[:20], outputs[20:], seed=5).effects[0].size
    assert size is not None
    rng = np.random.default_rng(7)

    brighter = [describe(picture(rng, light=1.2 * size)) for _ in range(12)]
    assert decide_manifest(outputs[:20], brighter, seed=1, relabelings=999).answer == "drifted"


def scene(rng, colour):
    """Soft patches of colour on a gradient under grey grain; ``colour`` is how strong they are, in levels."""
    coarse = rng.standard_normal((6, 6, 3)).astype(np.float32)
    field = cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)
    grey = field.mean(2, keepdims=True)
    light = 60 + np.linspace(0, 110, 128)[:, None, None] + 25 * grey
    tint = colour * (field - grey + np.array([0.8, 0.1, -0.9]))
    return np.clip(np.rint(light + tint + 5 * rng.standard_normal((128, 128, 1))), 0, 255).astype(np.uint8)


def paler(rgb, percent):
    """The pixels themselves with weaker colours."""
    grey = (rgb @ np.array([0.299, 0.587, 0.114]))[..., None]
    return np.clip(np.rint(grey + (rgb - grey) * (1 - percent / 100)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [45, 3])
def test_the_colour_named_is_found_in_real_pixels_as_well(colour):
    """On nearly colourless pictures a few percent are less than one level of 8 bits, which no test can see."""
    rng = np.random.default_rng(1)
    pictures = [scene(rng, colour) for _ in range(32)]
    plain = [describe(one) for one in pictures]

    size = smallest_effects(plain[:20], plain[20:], seed=5).effects[1].size
    assert size is not None

    changed = [describe(paler(one, size)) for one in pictures]
    orders = [np.random.default_rng([1, trial]).permutation(32) for trial in range(10)]
    found = [
        decide_manifest([plain[i] for i in order[:20]], [changed[i] for i in order[20:]], seed=1, relabelings=999)
        for order in orders
    ]
    assert sum(one.answer == "drifted" for one in found) >= 8


def test_a_suite_names_the_share_of_prompts(samples):
    rng = np.random.default_rng(3)
    prompts = [Prompt(samples(rng, 5), samples(rng, 2)) for _ in range(10)]

    found = suite_smallest_effects(prompts, seed=2, trials=5)
    assert found.of == "prompts" and found.trials == 5 and found == suite_smallest_effects(prompts, seed=2, trials=5)
    assert found.share is not None and "of the prompts have to change" in found.sentence
    with pytest.raises(UnfitSamples, match="no prompt"):
        suite_smallest_effects([], seed=2)
    with pytest.raises(UnfitSamples, match="4 trials say nothing"):
        suite_smallest_effects(prompts, seed=2, trials=4)
    with pytest.raises(UnfitSamples, match="prompt 2 has no replay"):
        suite_smallest_effects([prompts[0], Prompt(samples(rng, 3), [])], seed=2)


def texts(rng, count):
    said = 3 * "Over there the old harbour sleeps, and nobody knows why. Ask them again, um, later. "
    return [describe_text(" ".join(w for w in said.split() if rng.random() > 0.05)) for _ in range(count)]


def test_transcripts_are_changed_in_their_text():
    rng = np.random.default_rng(4)
    every = texts(rng, 24)

    found = smallest_effects(every[:16], every[16:], alpha=0.05, seed=1)
    sizes = {one.name: one.size for one in found.effects}
    assert set(sizes) == {"words", "marks", "capitals", "hesitations"} and sizes["words"] is not None
    long = describe_text("word " * 1_000)
    assert len(shortened(long).raw) == 300 and shortened(every[0]) is every[0]


@pytest.mark.parametrize("kind", EFFECTS)
def test_every_effect_moves_its_numbers_the_more_the_larger_it_is(kind, samples):
    rng = np.random.default_rng(6)
    every = {"image": lambda: [describe(picture(rng)) for _ in range(4)], "transcript": lambda: texts(rng, 4)}
    every["audio"] = lambda: [recording(rng) for _ in range(4)]
    made = every.get(kind, lambda: [film(rng) for _ in range(4)])()
    for effect in EFFECTS[kind]:
        moved = [_moved(made[0], effect.apply(made[0], made, size, 99)) for size in effect.sizes]
        assert moved[0] >= 0 and moved[-1] > 0 and moved == sorted(moved), effect.name
        assert effect.told(effect.sizes[0]).count("{") == 0


def film(rng):
    sizes = {"glob": 74, "flux": 74, "time": 9, "hist": 864, "cur": 202}
    return Clip(**{name: rng.random(size).astype(np.float32) for name, size in sizes.items()})


def recording(rng, finish=lambda sound: sound):
    hum = 0.2 * np.sin(2 * np.pi * rng.uniform(180, 220) * np.arange(16_000) / 16_000)
    sound = finish(hum + 0.02 * rng.standard_normal(16_000))
    return describe_sound([(sound.astype(np.float32)[:, None], 16_000, "mono")])


def _moved(before, after):
    if isinstance(before, Descriptor | Clip | Sound):
        return float(sum(np.abs(getattr(before, f.name) - getattr(after, f.name)).sum() for f in fields(before)))
    return sum(a != b for a, b in zip(before.raw, after.raw, strict=False)) + abs(len(before.raw) - len(after.raw))


def test_effects_on_sounds_are_those_of_samples():
    """What is added to the numbers is what changing the sound does to them."""
    kept = recording(np.random.default_rng(5))
    quiet = recording(np.random.default_rng(5), lambda sound: sound * 10 ** (-4 / 20))
    brief = recording(np.random.default_rng(5), lambda sound: sound[:-3_200])
    effects = {one.name: one for one in EFFECTS["audio"]}

    told = effects["level"].apply(kept, [kept], 4, 0)
    assert told.facts == pytest.approx(quiet.facts, abs=0.01)
    assert told.spectrum == pytest.approx(quiet.spectrum, abs=0.01)
    length = list(FACTS).index("length")
    assert effects["length"].apply(kept, [kept], 20, 0).facts[length] == pytest.approx(brief.facts[length])


def test_effects_are_those_of_pixels():
    """What is added to the numbers is what changing the pixels does to them, for grey light and for colour."""
    base, bright = (describe(picture(np.random.default_rng(2), light=light)) for light in (0, 10))
    levels = float(bright.glob[7] - base.glob[7])
    effects = {one.name: one for one in EFFECTS["image"]}

    told = effects["lightness"].apply(base, [base], levels, 0)
    for block in ("glob", "lay", "cur"):
        size = {"glob": 8, "lay": 1008, "cur": 192}[block]
        assert getattr(told, block)[:size] == pytest.approx(getattr(bright, block)[:size], abs=2.5), block
    pale = describe(picture(np.random.default_rng(2), colour=0.5))
    told = effects["colour"].apply(base, [base], 50 / 0.75, 0)  # three quarters of a size are sure to arrive
    assert told.glob[27] == pytest.approx(pale.glob[27], rel=0.15)
    tinted = np.arange(1008) % 3 > 0
    told_cells, pale_cells, cells = (one.lay[:1008][tinted] for one in (told, pale, base))
    assert np.abs(told_cells - pale_cells).mean() < 0.4 * np.abs(pale_cells - cells).mean()


def test_accepted_replays_join_and_the_first_baseline_stays(samples):
    rng = np.random.default_rng(1)
    first, older, newer = samples(rng, 5), samples(rng, 4), samples(rng, 3)

    assert joined(first, [older, newer]) == (*first, *older, *newer)
    assert joined(first, [older, newer], most=9) == (*first, older[-1], *newer)
    assert joined(first, [older], most=2) == tuple(first) == joined(first, [])
    with pytest.raises(UnfitSamples, match="no first baseline"):
        joined([], [older])
    with pytest.raises(UnfitSamples, match="holds none"):
        joined(first, [older], most=0)
    with pytest.raises(UnfitSamples, match="the baseline has samples of image and transcript"):
        joined(first, [[describe_text("a")]])


def test_an_alpha_nothing_can_reach_is_said_not_computed_at_length(outputs):
    found = smallest_effects(outputs[:6], outputs[20:24], alpha=1e-6, seed=1, trials=5)

    assert found.share is None and all(one.size is None for one in found.effects)
