"""Decisions on made sounds of two families that share nothing: no alarm without a change, changes found and named."""

import importlib.util
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from drift.significance import sounds
from drift.significance.manifest import decide_manifest
from drift.significance.relabeling import labelings
from drift.significance.samples import stacked
from drift.significance.suite import Prompt, suite_gate

MADE = Path(__file__).parents[2] / "statistics"
FAMILIES = ("workshop", "voices")
FOUND = {"level": "loudness", "tilt": "brightness", "noise": "flatness", "mp3": "treble limit", "shorter": "length"}


def _module(name):
    spec = importlib.util.spec_from_file_location(f"made_{name}", MADE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pools():
    """One prompt of each family: 16 takes and 6 of each change."""
    changes = _module("changing").CHANGES
    kind = partial(_module("drawing").Sounds, {name: changes[name] for name in FOUND})
    return {name: kind(_module(name), (80, number), 16, 6) for number, name in enumerate(FAMILIES)}


@pytest.fixture(scope="module")
def picked():
    return _module("pooling").picked


@pytest.mark.parametrize("family", FAMILIES)
def test_no_change_is_called_drifted_at_most_as_often_as_asked(pools, picked, family):
    rng = np.random.default_rng(1)
    trials, alpha = 150, 0.1
    found = [
        decide_manifest(*picked(rng, pools[family], None, 10, 6), alpha=alpha, seed=seed, relabelings=99)
        for seed in range(trials)
    ]

    assert np.mean([one.answer == "drifted" for one in found]) <= alpha + 2.5 * (alpha * (1 - alpha) / trials) ** 0.5
    assert all(one.facts == () for one in found if one.answer != "drifted")


@pytest.mark.parametrize("change", FOUND)
def test_a_change_is_found_by_name(pools, change):
    said = []
    for family in FAMILIES:
        pool = pools[family]
        found = decide_manifest(pool.base, pool.changed(change), alpha=0.05, seed=1, relabelings=999)
        assert found.answer == "drifted", family
        said.append(found.sentence)

    assert any(f"{FOUND[change]} " in one for one in said), said


def test_a_suite_adds_up_what_one_manifest_hardly_shows(pools):
    prompts = [
        Prompt(pool.base[at : at + 4], pool.changed("level")[at // 4 : at // 4 + 2])
        for pool in pools.values()
        for at in (0, 4, 8, 12)
    ]

    found = suite_gate(prompts, seed=2, relabelings=1_999)
    assert found.answer == "drifted" and found.rule == "suite.audio/1"
    assert any(one.startswith(("loudness \u22121.", "loudness \u22122.")) for one in found.facts)
    quiet = [Prompt(one.baseline[:3], one.baseline[3:]) for one in prompts]
    assert suite_gate(quiet, seed=2, relabelings=1_999).answer == "within-noise"


def test_the_statistics_are_their_definitions(pools):
    pool = pools["workshop"]
    blocks = stacked(pool.base[:8], pool.base[8:13])
    labels = labelings([(8, 5)], seed=3, relabelings=60)[0]
    found = sounds.manifest_statistics(blocks, labels)
    assert list(found) == ["sound.ridge", "facts.max", "spectrum.max", "ripple.max", "sound.energy", "sound.dispersion"]

    def scaled(block):
        centred = block - block.mean(0)
        deviation = centred.std(0)
        return centred / (deviation + 1e-3 * deviation.max() + 1e-9)

    for name in ("facts", "spectrum", "ripple"):
        own = scaled(blocks[name])
        wide = scaled(np.hstack([own, np.abs(own - np.median(own, axis=0))]))
        expected = [np.square(wide[row].sum(0)).max() for row in labels]
        assert found[f"{name}.max"] == pytest.approx(expected)
    every = np.hstack([scaled(blocks[name]) for name in ("facts", "spectrum", "ripple")])
    apart = np.linalg.norm(every[:, None] - every[None], axis=2)

    def energy(row):
        old, new = apart[~row][:, ~row], apart[row][:, row]
        within = old.sum() / (8 * 7) + new.sum() / (5 * 4)
        return 2 * apart[row][:, ~row].mean() - within

    assert found["sound.energy"] == pytest.approx([energy(row) for row in labels])
    alone = sounds.manifest_statistics(stacked(pool.base[:8], pool.base[8:9]), labelings([(8, 1)], seed=1)[0])
    assert "sound.dispersion" not in alone
