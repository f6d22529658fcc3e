"""One manifest: the study's statistics, exact small cases, the promised error rate, the same bits every time."""

import json
from dataclasses import replace
from math import comb

import numpy as np
import pytest

from drift.descriptor import Descriptor
from drift.significance.decision import Decision
from drift.significance.manifest import decide_manifest
from drift.significance.pictures import manifest_statistics
from drift.significance.ranking import combined, p_of_rows
from drift.significance.relabeling import labelings
from drift.significance.samples import UnfitSamples, stacked

NAMES = ["glob.ridge", "glob.max", "hist.energy", "lay.max", "scat.top", "glob.dispersion"]


@pytest.mark.parametrize(("m", "n", "shift"), [(20, 12, 0.0), (20, 12, 0.15), (20, 5, 0.3), (12, 12, 0.1)])
def test_the_statistics_are_the_studys(samples, reference, monkeypatch, m, n, shift):
    rng = np.random.default_rng(5)
    blocks = stacked(samples(rng, m), samples(rng, n, shift=shift))
    labels = labelings([(m, n)], seed=9, relabelings=2_000)[0]
    monkeypatch.setattr(reference, "perms", lambda *_: (~labels).astype(np.float32))

    expected = reference.manifest(blocks, m, n, None)
    found = manifest_statistics(blocks, labels)
    assert list(found) == NAMES == list(expected)
    for name, values in found.items():
        assert values == pytest.approx(expected[name], rel=1e-4, abs=1e-4 * float(np.abs(expected[name]).max())), name
        # float32 may order two nearly equal labelings otherwise: a count or two of 2,001.
        assert p_of_rows(values)[0] == pytest.approx(p_of_rows(expected[name].astype(float))[0], abs=1.1e-3), name


def one_number(values):
    """Descriptors that differ in the first number of glob only."""
    zero = np.zeros(1072, np.float32)
    blocks = {"hist": zero[:864], "lay": zero, "scat": zero[:408], "cur": zero[:202]}
    return [Descriptor(glob=np.r_[np.float32(value), zero[:73]].astype(np.float32), **blocks) for value in values]


def test_an_exact_case_by_hand():
    """Of the 10 ways to call two of five numbers replays, how many are at least as extreme can be counted."""
    found = decide_manifest(one_number([0, 1, 2]), one_number([10, 11]), seed=1)

    assert found.complete and found.relabelings == 9
    # Sums of the standardised number: the two largest (10 + 11) are the most extreme pair of all.
    assert found.p_of("glob.max") == pytest.approx(1 / 10)
    assert found.p_of("hist.energy") == found.p_of("lay.max") == found.p_of("scat.top") == 1
    middle = decide_manifest(one_number([0, 10, 11]), one_number([1, 2]), seed=1)
    assert middle.p_of("glob.max") > 1 / 10


def test_complete_enumeration_is_the_exact_p_and_drawing_comes_close(samples):
    rng = np.random.default_rng(8)
    baseline, replays = samples(rng, 7), samples(rng, 4, shift=0.08)
    exact = decide_manifest(baseline, replays, seed=0)
    assert exact.complete and exact.relabelings == comb(11, 4) - 1 == 329

    drawn = decide_manifest(baseline, replays, seed=0, relabelings=328)
    assert not drawn.complete and drawn.relabelings == 328
    for name in NAMES:
        error = (exact.p_of(name) * (1 - exact.p_of(name)) / 328) ** 0.5
        assert drawn.p_of(name) == pytest.approx(exact.p_of(name), abs=4 * error + 1 / 328)
    assert decide_manifest(baseline, replays, seed=77).p == exact.p


def test_naming_the_groups_the_other_way_round_changes_no_two_sided_p(samples):
    rng = np.random.default_rng(2)
    blocks = stacked(samples(rng, 5), samples(rng, 5, shift=0.1))
    labels = labelings([(5, 5)], seed=0)[0]

    components, p = combined(manifest_statistics(blocks, labels))
    assert combined(manifest_statistics(blocks, ~labels)) == (
        {name: pytest.approx(v) for name, v in components.items()},
        p,
    )


def test_no_change_is_called_drifted_at_most_as_often_as_asked(samples):
    rng = np.random.default_rng(4)
    trials, alpha = 150, 0.1
    called = [
        decide_manifest(samples(rng, 6), samples(rng, 5), alpha=alpha, seed=seed, relabelings=99).answer == "drifted"
        for seed in range(trials)
    ]

    assert 0.02 < np.mean(called) <= alpha + 2.5 * (alpha * (1 - alpha) / trials) ** 0.5


@pytest.mark.parametrize(
    ("options", "telling"), [({"shift": 0.5}, "glob.ridge"), ({"scale": 0.5}, "glob.dispersion")]
)  # fmt: skip
def test_a_change_is_found_and_the_components_say_which(samples, options, telling):
    rng = np.random.default_rng(6)

    found = decide_manifest(samples(rng, 20), samples(rng, 12, **options), seed=1, relabelings=999)
    assert (found.answer, found.reason) == ("drifted", None)
    assert found.p_of(telling) <= 0.002 and telling in [one.name for one in found.moved]
    assert "what moved" in found.sentence


def test_too_few_samples_are_undecided_never_a_pass(samples):
    rng = np.random.default_rng(6)

    found = decide_manifest(samples(rng, 5), samples(rng, 5, shift=3), seed=1)
    assert (found.answer, found.reason) == ("undecided", "resolution")
    assert found.attainable == pytest.approx(6 / 252) and found.needed == 7  # 6 / C(12, 7) = 0.0076
    assert "it takes 7 replays" in found.sentence and not found.moved
    assert decide_manifest(samples(rng, 5), samples(rng, 7), seed=1).reason is None


def test_too_few_relabelings_are_undecided_too(samples):
    rng = np.random.default_rng(6)

    found = decide_manifest(samples(rng, 20), samples(rng, 12), seed=1, relabelings=500)
    assert found.reason == "resolution" and found.attainable == pytest.approx(7 / 501) and found.needed is None


@pytest.mark.parametrize("count", [1, 2])
def test_one_replay_or_identical_samples_are_no_special_case(samples, count):
    rng = np.random.default_rng(1)
    same = samples(rng, 1) * 8

    assert decide_manifest(same, same[:count], seed=0).p == 1
    found = decide_manifest(same, samples(rng, count), seed=0)
    assert 0 < found.p < 1 and ("glob.dispersion" in [one.name for one in found.components]) is (count > 1)


def test_the_same_samples_and_seed_give_the_same_bits(samples, printed_elsewhere):
    program = """
import json, sys
import numpy as np
from drift.descriptor import Descriptor
from drift.significance.manifest import decide_manifest
rng = np.random.default_rng(12)
sizes = {"glob": 74, "hist": 864, "lay": 1072, "scat": 408, "cur": 202}
made = [Descriptor(**{k: rng.standard_normal(v).astype(np.float32) for k, v in sizes.items()}) for _ in range(16)]
print(json.dumps(decide_manifest(made[:10], made[10:], seed=3, relabelings=999).to_json()))
"""
    runs = printed_elsewhere(program)
    rng = np.random.default_rng(12)
    made = samples(rng, 16)

    here = decide_manifest(made[:10], made[10:], seed=3, relabelings=999)
    assert runs[0] == runs[1] == json.dumps(here.to_json()) + "\n"
    assert here == decide_manifest(made[:10], made[10:], seed=3, relabelings=999)
    assert here != replace(here, seed=4) and isinstance(here, Decision)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"alpha": 0}, "alpha is 0"),
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**53}, "seed is"),
        ({"relabelings": 0}, "0 relabelings"),
    ],
)
def test_settings_that_cannot_be_are_refused(samples, options, why):
    made = samples(np.random.default_rng(0), 4)

    with pytest.raises(UnfitSamples, match=why):
        decide_manifest(made[:2], made[2:], **{"seed": 0, **options})


def test_an_empty_side_is_refused(samples):
    made = samples(np.random.default_rng(0), 2)

    with pytest.raises(UnfitSamples, match="no baseline output; record or approve"):
        decide_manifest([], made, seed=0)
    with pytest.raises(UnfitSamples, match="no replay; replay it"):
        decide_manifest(made, [], seed=0)
