"""The suite gate: the study's statistics, labels never cross prompts, small shared changes add up."""

from itertools import combinations

import numpy as np
import pytest

from drift.descriptor import Descriptor
from drift.significance.pictures import suite_statistics
from drift.significance.ranking import combined, p_of_rows
from drift.significance.relabeling import labelings
from drift.significance.samples import BLOCKS, UnfitSamples, stacked
from drift.significance.suite import Prompt, suite_gate, suite_replays_needed

NAMES = {
    "cur.energy",
    "glob.coherent",
    "hist.coherent",
    "lay.coherent",
    "hist.energy",
    "dispersion",
    "outlying",
}


def prompts_of(samples, rng, count, m, n, **options):
    return [Prompt(samples(rng, m), samples(rng, n, **options)) for _ in range(count)]


@pytest.mark.parametrize(("count", "m", "n"), [(40, 5, 2), (12, 5, 1), (6, 8, 3)])
def test_the_statistics_are_the_studys(samples, reference, count, m, n):
    rng = np.random.default_rng(5)
    made = prompts_of(samples, rng, count, m, n, shift=0.05)
    for one in made:  # one far-off replay, so that there is something outlying
        one.replays[0].lay[:] *= 3
    blocks = [stacked(one.baseline, one.replays) for one in made]
    table = np.zeros((len(list(combinations(range(m + n), n))), m + n), bool)
    for row, chosen in enumerate(combinations(range(m + n), n)):
        table[row, list(chosen)] = True
    picks = rng.integers(0, len(table), (2_001, count))

    class Fixed:
        def integers(self, low, high, shape):
            return picks.copy()

    expected = reference.suite(blocks, m, n, Fixed(), B=2_000)
    picks[0] = len(table) - 1  # the study's first row is the observed labeling: its last combination
    found = suite_statistics(blocks, [table[picks[:, number]] for number in range(count)])
    assert set(found) == set(expected) == NAMES - ({"dispersion"} if n == 1 else set())
    for name, values in found.items():
        theirs = expected[name].astype(float)
        if name == "hist.energy":  # they subtract a constant and divide by one, which moves no rank
            values, theirs = ((one - one.mean()) / one.std() for one in (values, theirs))
        assert values == pytest.approx(theirs, rel=1e-4, abs=1e-4 * float(np.abs(theirs).max())), name
        assert p_of_rows(values)[0] == pytest.approx(p_of_rows(theirs)[0], abs=1.1e-3), name


def test_an_offset_of_a_prompt_does_not_matter(samples):
    """Prompts differ more among each other than anything else does; labels are exchanged within a prompt only."""
    rng = np.random.default_rng(1)
    made = prompts_of(samples, rng, 6, 5, 2, shift=0.1)
    moved = [
        Prompt(*([offset(one, number) for one in side] for side in (prompt.baseline, prompt.replays)))
        for number, prompt in enumerate(made)
    ]

    plain, other = (suite_gate(prompts, seed=3, relabelings=999) for prompts in (made, moved))
    assert [one.name for one in plain.components] == [one.name for one in other.components]
    for ours, theirs in zip(plain.components, other.components, strict=True):
        assert ours.p == pytest.approx(theirs.p, abs=0.003)


def offset(one, number):
    return Descriptor(**{name: getattr(one, name) + np.float32(8 * number) for name in BLOCKS})


def test_a_small_change_adds_up_only_where_all_prompts_share_it(samples):
    shared, opposed = (
        [Prompt(samples(rng, 5), samples(rng, 2, shift=0.12 * sign**number)) for number in range(30)]
        for rng, sign in ((np.random.default_rng(2), 1), (np.random.default_rng(2), -1))
    )

    found = suite_gate(shared, seed=1, relabelings=999)
    assert found.answer == "drifted" and found.p_of("hist.coherent") < 0.01 < 0.1 < found.p_of("hist.energy")
    assert found.moved[0].name == "hist.coherent" and found.prompts == 30
    assert "30 prompts with at least 2 replays" in found.sentence
    assert suite_gate(opposed, seed=1, relabelings=999).p_of("hist.coherent") > 0.1


def test_one_broken_output_in_ten_is_outlying(samples):
    rng = np.random.default_rng(3)
    made = prompts_of(samples, rng, 20, 5, 2)
    for prompt in made[::5]:
        prompt.replays[0] = samples(rng, 1, scale=5)[0]

    found = suite_gate(made, seed=1, relabelings=999)
    assert found.answer == "drifted" and found.p_of("outlying") < 0.01


def test_no_change_is_called_drifted_at_most_as_often_as_asked(samples):
    rng = np.random.default_rng(4)
    trials, alpha = 40, 0.1
    called = [
        suite_gate(prompts_of(samples, rng, 5, 4, 2), alpha=alpha, seed=seed, relabelings=99).answer == "drifted"
        for seed in range(trials)
    ]

    assert 0 < np.mean(called) <= alpha + 2.5 * (alpha * (1 - alpha) / trials) ** 0.5


def test_prompts_may_have_different_numbers_of_outputs(samples):
    rng = np.random.default_rng(5)
    made = [Prompt(samples(rng, m), samples(rng, n, shift=0.4)) for m, n in [(5, 1), (3, 2), (12, 4), (1, 1), (20, 3)]]

    found = suite_gate(made, seed=1, relabelings=999)
    assert found.answer == "drifted" and (found.baseline, found.replays) == (1, 1)


def test_complete_enumeration_over_prompts_is_exact(samples):
    rng = np.random.default_rng(6)
    made = prompts_of(samples, rng, 2, 4, 2, shift=0.1)
    blocks = [stacked(one.baseline, one.replays) for one in made]
    table = labelings([(4, 2)], seed=0)[0]
    first, second = np.divmod(np.arange(225), 15)

    found = suite_gate(made, seed=9)
    components, p = combined(suite_statistics(blocks, [table[first], table[second]]))
    assert found.complete and found.relabelings == 224
    assert found.p == p and {one.name: one.p for one in found.components} == components


def test_too_few_prompts_are_undecided_and_the_replays_needed_are_named(samples):
    made = prompts_of(samples, np.random.default_rng(7), 2, 5, 2, shift=3)

    found = suite_gate(made, seed=1)
    assert (found.answer, found.reason) == ("undecided", "resolution")
    assert found.attainable == pytest.approx(7 / 21**2) and found.needed == 3  # 7 / 56² = 0.0022
    assert suite_replays_needed([5, 5, 5]) == 2 and suite_replays_needed([20] * 40) == 1
    assert suite_replays_needed([5] * 40, relabelings=500) is None and suite_replays_needed([]) is None


def test_the_same_samples_and_seed_give_the_same_result(samples):
    made = prompts_of(samples, np.random.default_rng(8), 8, 5, 2)

    found = suite_gate(made, seed=11, relabelings=999)
    assert found == suite_gate(made, seed=11, relabelings=999) != suite_gate(made, seed=12, relabelings=999)
    assert found.to_json()["seed"] == 11 and set(found.to_json()["components"]) == NAMES


def test_identical_samples_are_no_change(samples):
    one = samples(np.random.default_rng(0), 1)

    assert suite_gate([Prompt(one * 5, one * 2)] * 4, seed=0, relabelings=999).p == 1


def test_what_is_missing_is_named(samples):
    one = samples(np.random.default_rng(0), 1)

    with pytest.raises(UnfitSamples, match="no prompt"):
        suite_gate([], seed=0)
    with pytest.raises(UnfitSamples, match="prompt 2 has no replay"):
        suite_gate([Prompt(one, one), Prompt(one, [])], seed=0)
