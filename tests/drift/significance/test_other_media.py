"""Transcripts, clips and sounds in the same tests as pictures: the study's statistics, mixed suites, the same bits."""

import json
import os

import numpy as np
import pytest

from drift.descriptor import Descriptor
from drift.descriptors.clip import Clip
from drift.descriptors.sound import Sound
from drift.descriptors.wording import describe_text
from drift.significance import clips, transcripts
from drift.significance.decision import Component
from drift.significance.manifest import decide_manifest
from drift.significance.pooling import repeated
from drift.significance.relabeling import distinct, labelings
from drift.significance.rules import rules_for
from drift.significance.samples import UnfitSamples, stacked
from drift.significance.sensitivity import smallest_effects
from drift.significance.sequential import baseline_needed, looks_that_can_reject, sequential
from drift.significance.suite import Prompt, suite_gate, suite_replays_needed

SIZES = {"glob": 74, "flux": 74, "time": 9, "hist": 864, "cur": 202}
SPOKEN = "the old river carried a quiet letter past golden harbour towers while seven painters watched it go"


def texts(rng, count, errors=0.1, marks=0.9):
    """Samples of one transcript of 60 words, heard with errors and with its full stops mostly written."""
    vocabulary = SPOKEN.split()
    said = [vocabulary[i] for i in np.random.default_rng(1).integers(0, len(vocabulary), 60)]
    found = []
    for _ in range(count):
        words = [word if rng.random() > errors else f"{word[::-1]}" for word in said]
        words = [f"{w}." if i % 6 == 5 and rng.random() < marks else w for i, w in enumerate(words)]
        found.append(describe_text(" ".join(words)))
    return found


def films(rng, count, shift=0.0, scale=1.0):
    return [
        Clip(**{name: (shift + scale * rng.standard_normal(size)).astype(np.float32) for name, size in SIZES.items()})
        for _ in range(count)
    ]


def stills(rng, count):
    sizes = {"glob": 74, "hist": 864, "lay": 1072, "scat": 408, "cur": 202}
    return [
        Descriptor(**{name: rng.standard_normal(size).astype(np.float32) for name, size in sizes.items()})
        for _ in range(count)
    ]


def recordings(rng, count, shift=0.0):
    sizes = {"facts": 24, "spectrum": 40, "ripple": 40}
    return [
        Sound(**{name: (shift + rng.standard_normal(size)).astype(np.float32) for name, size in sizes.items()})
        for _ in range(count)
    ]


MEDIA = {"transcript": texts, "video": films, "audio": recordings}
CHANGED = {"transcript": {"errors": 0.35}, "video": {"shift": 0.6}, "audio": {"shift": 0.8}}


@pytest.mark.parametrize(("m", "n"), [(20, 12), (12, 5), (6, 6)])
def test_the_statistics_of_transcripts_are_the_studys(reference, m, n):
    rng = np.random.default_rng(3)
    blocks = stacked(texts(rng, m), texts(rng, n, errors=0.2))
    labels = labelings([(m, n)], seed=9, relabelings=600)[0]
    x = (~labels).astype(np.float32)
    kept = reference.with_spread(reference.std(blocks["kept"]))
    squares = (labels.astype(float) @ kept) ** 2
    rates = reference.std(blocks["rates"])
    spread = reference.energy(blocks["words"], x, m, n)[1]
    expected = {
        "rates.ridge": reference.c2st(rates, x, 0.3),
        "rates.max": ((labels.astype(float) @ reference.with_spread(rates)) ** 2).max(1),
        "spelling.energy": reference.energy(blocks["raw"], x, m, n)[0],
        "words.energy": reference.energy(blocks["words"], x, m, n)[0],
        "kept.max": squares.max(1),
        "kept.top": np.sort(squares)[:, -(squares.shape[1] // 50) :].sum(1),
        "words.dispersion": np.abs(spread - np.median(spread)),
    }

    agrees(transcripts.manifest_statistics(blocks, labels), expected)


def test_the_statistics_of_clips_are_the_studys(reference):
    rng = np.random.default_rng(4)
    m, n = 20, 8
    blocks = stacked(films(rng, m), films(rng, n, shift=0.2))
    labels = labelings([(m, n)], seed=9, relabelings=600)[0]
    x = (~labels).astype(np.float32)
    f = {name: reference.std(block) for name, block in blocks.items()}
    largest = {name: ((labels.astype(float) @ reference.with_spread(f[name])) ** 2).max(1) for name in f}
    spread = reference.energy(reference.dist(f["glob"]), x, m, n)[1]
    expected = {
        "clip.ridge": reference.c2st(f["glob"], x, 0.3),
        "clip.max": largest["glob"],
        "clip.colours": reference.energy(reference.dist(f["hist"]), x, m, n)[0],
        "flux.max": largest["flux"],
        "time.max": largest["time"],
        "clip.dispersion": np.abs(spread - np.median(spread)),
    }

    agrees(clips.manifest_statistics(blocks, labels), expected)


def agrees(found, expected):
    assert list(found) == list(expected)
    for name, values in found.items():
        assert values == pytest.approx(expected[name], rel=1e-4, abs=1e-4 * float(np.abs(expected[name]).max())), name


@pytest.mark.parametrize("kind", MEDIA)
def test_a_change_is_found_and_no_change_is_not(kind):
    rng = np.random.default_rng(5)
    make = MEDIA[kind]

    found = decide_manifest(make(rng, 20), make(rng, 12, **CHANGED[kind]), seed=1, relabelings=999)
    assert found.answer == "drifted" and found.rule == f"manifest.{kind}/1" and "what moved" in found.sentence
    assert len(found.components) == rules_for(kind).manifest_size
    assert decide_manifest(make(rng, 20), make(rng, 12), seed=1, relabelings=999).answer == "within-noise"

    series = sequential(make(rng, 20), make(rng, 5, **CHANGED[kind]), seed=1, relabelings=3_199)
    assert series.answer in {"drifted", "continue"} and series.looks[0].rule == found.rule
    gate = suite_gate([Prompt(make(rng, 5), make(rng, 2, **CHANGED[kind])) for _ in range(8)], seed=2, relabelings=999)
    assert gate.answer == "drifted" and gate.rule == f"suite.{kind}/1"
    assert len(gate.components) == rules_for(kind).suite_size


@pytest.mark.parametrize("kind", MEDIA)
def test_no_change_is_called_drifted_at_most_as_often_as_asked(kind):
    rng = np.random.default_rng(6)
    trials, alpha = 120, 0.1
    every = [
        decide_manifest(MEDIA[kind](rng, 6), MEDIA[kind](rng, 5), alpha=alpha, seed=seed, relabelings=99)
        for seed in range(trials)
    ]

    assert 0.01 < np.mean([one.answer == "drifted" for one in every]) <= alpha + 2.5 * (alpha * 0.9 / trials) ** 0.5


def test_marks_and_words_are_told_apart():
    rng = np.random.default_rng(7)

    marks = decide_manifest(texts(rng, 20), texts(rng, 12, marks=0.3), seed=1, relabelings=999)
    assert marks.answer == "drifted" and marks.p_of("rates.max") <= 0.002
    assert marks.p_of("spelling.energy") <= 0.002 and marks.p_of("words.energy") > 0.01
    words = decide_manifest(texts(rng, 20, errors=0.02), texts(rng, 12, errors=0.3), seed=1, relabelings=999)
    assert words.p_of("words.dispersion") <= 0.002


def test_a_suite_may_hold_several_media(samples):
    rng = np.random.default_rng(8)
    prompts = [Prompt(samples(rng, 5), samples(rng, 2)) for _ in range(6)]
    prompts += [Prompt(texts(rng, 5), texts(rng, 2, marks=0.2)) for _ in range(6)]

    found = suite_gate(prompts, seed=1, relabelings=1_999)
    assert found.rule == "suite/1+suite.transcript/1" and len(found.components) == 14
    assert found.answer == "drifted" and found.moved[0].name.startswith(("rates", "spelling"))
    alone = suite_gate(prompts[:6], seed=1, relabelings=1_999)
    assert alone.answer == "within-noise" and alone.rule == "suite/1"


def test_a_manifest_has_one_medium(samples):
    rng = np.random.default_rng(9)

    with pytest.raises(UnfitSamples, match="samples of image and transcript"):
        decide_manifest(samples(rng, 5), texts(rng, 5), seed=0)
    with pytest.raises(UnfitSamples, match="prompt 1 has samples of transcript and video"):
        suite_gate([Prompt(texts(rng, 3), films(rng, 2))], seed=0)


def test_plans_know_how_many_statistics_a_medium_has():
    assert looks_that_can_reject(5) == looks_that_can_reject(5, kind="video") == (12, 20)
    assert baseline_needed(at=5) <= baseline_needed(at=5, kind="transcript")
    assert suite_replays_needed([5] * 3, kinds=("image", "transcript", "video")) == 2
    assert suite_replays_needed([5, 5]) <= suite_replays_needed([5, 5], kinds=("image", "transcript", "video"))


def test_every_component_has_a_meaning(samples):
    rng = np.random.default_rng(10)
    for make in (samples, texts, films, recordings):
        one = decide_manifest(make(rng, 4), make(rng, 3), seed=0)
        many = suite_gate([Prompt(make(rng, 3), make(rng, 2))] * 2, seed=0)
        assert all(component.means for component in (*one.components, *many.components))
    with pytest.raises(KeyError):
        _ = Component("unheard.of", 0.5).means


@pytest.mark.parametrize("text", ["", "One word.", "一二三四五六七八九十"])
def test_equal_or_empty_transcripts_are_no_change(text):
    one = [describe_text(text)]

    assert decide_manifest(one * 8, one * 4, seed=0, relabelings=99).p == 1
    assert suite_gate([Prompt(one * 5, one * 2)] * 4, seed=0, relabelings=999).p == 1


def test_a_statistic_of_distinct_labelings_is_that_of_all():
    labels = labelings([(5, 2)] * 3, seed=1, relabelings=500)[1]
    rows, which = distinct(labels)

    assert len(rows) == 21 and (rows[which] == labels).all()
    weights = np.arange(7.0)
    assert (repeated(lambda some: some @ weights, labels) == labels @ weights).all()
    wide = np.zeros((4, 80), bool)
    assert len(distinct(wide)[0]) == 4


PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import test_other_media
print(json.dumps(test_other_media.verdicts()))
"""


def verdicts():
    """Decisions of every kind on the same samples, as JSON holds them."""
    rng = np.random.default_rng(12)
    found = []
    for make in (texts, films, stills, recordings):
        baseline, replays = make(rng, 20), make(rng, 12)
        found.append(decide_manifest(baseline, replays, seed=3, relabelings=2_999).to_json())
        found += [look.to_json() for look in sequential(baseline, replays, seed=3, relabelings=3_199).looks]
        found.append(smallest_effects(baseline, replays, alpha=0.05, seed=3, trials=5).to_json())
        prompts = [Prompt(make(rng, 5), make(rng, 2)) for _ in range(12)]
        found.append(suite_gate(prompts, seed=3, relabelings=2_999).to_json())
    return found


def test_the_same_samples_and_seed_give_the_same_bits_in_any_process(printed_elsewhere):
    runs = printed_elsewhere(PROGRAM, os.path.dirname(__file__))

    assert runs[0] == runs[1] == json.dumps(verdicts()) + "\n"
